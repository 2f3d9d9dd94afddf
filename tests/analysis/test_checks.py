import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from ator_lib import schema
from ator_lib.analysis.checks import Check
from ator_lib.analysis.comparison import CompareOptions, RunData, Verdict, compare
from ator_lib.analysis.run_data import Overlap
from ator_lib.errors import UsageError
from ator_lib.model import LoadProfile, RunStatus
from tests.analysis.synthetic import PROFILE, Truth, made_run, made_samples, run_data

ENDPOINTS = {"/a": Truth(requests=600), "/b": Truth(requests=600)}


def _run(run_id: int, endpoints: dict[str, Truth] = ENDPOINTS, **facts) -> RunData:
    return made_run(endpoints, seed=run_id, **facts)


def _known(run_id: int, **facts) -> RunData:
    """Make a run of which everything is known, and nothing stands out."""
    known = {
        "environment": "lab",
        "factor": Decimal("0.4"),
        "attributes": {"host": "generator-1"},
        "settled_after_s": 0.0,
        "users_reached": 20.0,
        "standstill_s": 0.0,
        "overlaps": (),
    }
    return _run(run_id, **known | facts)


def _check(name: str, contender: RunData, baseline: RunData, **options) -> Check:
    result = compare([contender], [baseline], CompareOptions(replicates=100, **options))
    return next(check for check in result.checks if check.name == name)


def test_two_alike_runs_pass_every_check():
    """Nothing fails and nothing blocks; what depends on an open load is left out, as the load is closed."""
    result = compare([_known(2)], [_known(1)], CompareOptions(replicates=100))
    assert {check.name for check in result.checks if check.ok is not True} == {"achieved rate", "coordinated omission"}
    assert not any(check.blocks for check in result.checks)


def test_a_run_that_knows_little_is_compared():
    """Nothing fails of two runs that have figures and no facts."""
    nothing = {"tool": None, "test": None, "location": None, "load_profile": None}
    result = compare([_run(2, **nothing)], [_run(1, **nothing)], CompareOptions(replicates=100))
    assert not any(check.ok is False for check in result.checks)
    assert result.verdict is not Verdict.NOT_COMPARABLE


@pytest.mark.parametrize(
    ("name", "facts", "blocks"),
    [
        ("tool", {"tool": "k6"}, True),
        ("test", {"test": "another"}, True),
        ("load model", {"load_profile": replace(PROFILE, model="open")}, True),
        ("users", {"load_profile": replace(PROFILE, users=50)}, True),
        ("spawn rate", {"load_profile": replace(PROFILE, spawn_rate=1)}, True),
        ("processes", {"load_profile": replace(PROFILE, processes=4)}, False),
        ("host", {"load_profile": replace(PROFILE, host="http://next")}, False),
        ("location", {"location": "lab-2"}, False),
        ("duration", {"duration_s": 90.0}, True),
        ("finished", {"status": RunStatus.CANCELLED}, False),
        ("finished", {"status": RunStatus.RUNNING}, True),
        ("requests", {"endpoints": {}}, True),
        ("requests", {"endpoints": {"/a": Truth(requests=8)}}, False),
        ("failures", {"endpoints": {"/a": Truth(error_rate=1.0), "/b": Truth(error_rate=1.0)}}, True),
        ("endpoints", {"endpoints": {"/a": Truth(), "/c": Truth()}}, False),
        ("endpoints", {"endpoints": {"/x": Truth()}}, True),
        ("run time", {"load_profile": replace(PROFILE, run_time_s=300)}, False),
        ("environment", {"environment": "production"}, False),
        ("factor", {"factor": Decimal("0.6")}, False),
        ("generator", {"attributes": {"host": "laptop"}}, False),
        ("users reached", {"users_reached": 40.0}, True),
        ("warm-up", {"settled_after_s": math.inf}, False),
        ("warm-up", {"warm_up_s": 10.0}, True),
        ("frozen data", {"standstill_s": 30.0}, True),
        ("synthetic data", {"attributes": {"tags": ["synthetic"]}}, True),
    ],
)
def test_a_difference_fails_its_check(name, facts, blocks):
    """Each fact that differs fails the check of its name, and blocks only if it makes the figures incomparable."""
    check = _check(name, _known(2, **facts), _known(1))
    assert (check.ok, check.blocks) == (False, blocks)


def test_the_figures_of_both_sides_are_shown():
    """A failed check says what stood where."""
    check = _check("users", _run(2, load_profile=replace(PROFILE, users=50)), _run(1))
    assert (check.baseline, check.contender) == ("20", "50")
    assert check.message == "users differs (20 and 50)"


def test_an_unknown_fact_is_printed_and_does_not_block():
    """A run that does not know its load (another tool's file, say) is compared, and the check says unknown."""
    result = compare([_run(2, load_profile=None, tool=None)], [_run(1)], CompareOptions(replicates=100))
    checks = {check.name: check for check in result.checks}
    assert (checks["users"].ok, checks["users"].contender, checks["tool"].ok) == (None, None, None)
    assert result.verdict is not Verdict.NOT_COMPARABLE


def test_runs_of_one_side_must_be_alike_too():
    """A baseline of two different loads is no baseline."""
    other = _run(3, load_profile=replace(PROFILE, users=50))
    result = compare([_run(2)], [_run(1), other], CompareOptions(replicates=100))
    assert [check.name for check in result.checks if check.blocks] == ["users"]


def test_achieved_rate_is_checked_under_open_load_only():
    """With planned arrivals a missing quarter of the rate is another test; with closed load it is an outcome."""
    fewer = {"/a": Truth(requests=400), "/b": Truth(requests=500)}
    open_load = LoadProfile(model="open")
    open_check = _check("achieved rate", _run(2, fewer, load_profile=open_load), _run(1, load_profile=open_load))
    assert (open_check.ok, open_check.blocks) == (False, True)
    assert _check("achieved rate", _run(2, fewer), _run(1)).ok is None


def test_a_failed_check_makes_everything_not_comparable_and_keeps_the_figures():
    """The verdicts are withheld, the numbers are not."""
    result = compare([_run(2, tool="k6")], [_run(1)], CompareOptions(replicates=100))
    assert result.verdict is Verdict.NOT_COMPARABLE
    assert {row.verdict for row in result.rows} == {Verdict.NOT_COMPARABLE}
    assert {endpoint.verdict for endpoint in result.endpoints} == {Verdict.NOT_COMPARABLE}
    assert all(row.baseline is not None and row.contender is not None for row in result.rows)
    assert result.headline() == "not comparable: tool differs (locust and k6)"


def test_a_waived_check_stays_failed_and_does_not_block():
    """The waiver is in the answer, beside the failure that it covers."""
    result = compare([_run(2, tool="k6")], [_run(1)], CompareOptions(replicates=100, waive=["tool"]))
    check = next(check for check in result.checks if check.name == "tool")
    assert (check.ok, check.waived, check.blocks) == (False, True, False)
    assert result.verdict is not Verdict.NOT_COMPARABLE
    assert result.to_dict()["options"]["waive"] == ["tool"]


def test_a_check_that_passed_is_not_waived():
    """There was nothing to accept; nor is there where a fact is unknown."""
    assert _check("tool", _run(2), _run(1), waive=["tool"]).waived is False
    assert _check("tool", _run(2, tool=None), _run(1), waive=["tool"]).waived is False


def test_a_waiver_of_nothing_is_refused():
    """A mistyped waiver is said, with the names that exist."""
    with pytest.raises(UsageError, match=r"no check is called tols: waive some of tool, test, .*users"):
        compare([_run(2)], [_run(1)], CompareOptions(waive=["tols"]))


# --- what the load was ---


@pytest.mark.parametrize(("tool", "model"), [("vegeta", "open"), ("jmeter", "closed"), ("k6", None)])
def test_tools_are_known_for_their_load_model(tool, model):
    """Where nobody planned it; a tool that makes both kinds says nothing."""
    check = _check("load model", *(_run(i, tool=tool, load_profile=None) for i in (2, 1)))
    assert check.contender == model


def test_users_are_an_outcome_where_the_load_is_not_closed():
    """An open load needs more users when answers are late: that is what was to be found out."""
    check = _check("users reached", *(_known(i, tool="k6", load_profile=None, users_reached=20.0 * i) for i in (2, 1)))
    assert (check.ok, check.blocks) == (None, False)
    assert (check.baseline, check.contender) == ("20 users", "40 users")


@pytest.mark.parametrize(("model", "ok", "words"), [("open", True, "did not wait"), ("closed", None, "lower bounds")])
def test_coordinated_omission_is_named_and_never_blocks(model, ok, words):
    """In a closed load nobody can tell how many requests a stall held back."""
    check = _check("coordinated omission", *(_run(i, load_profile=LoadProfile(model=model)) for i in (2, 1)))
    assert (check.ok, check.blocks) == (ok, False)
    assert words in check.message


# --- how the requests came out ---


def _failing(run_id: int, share: float, *kinds: dict[str, object]) -> RunData:
    rows = [{"name": "/a", "method": "GET", "requests": 50, **kind} for kind in kinds]
    errors = pa.Table.from_pylist(rows, schema=schema.ERRORS)
    return _run(run_id, {name: Truth(requests=600, error_rate=share) for name in ENDPOINTS}, errors=errors)


def test_a_few_more_errors_are_the_business_of_the_error_rate():
    """The mix is still the same work."""
    check = _check("error mix", _failing(2, 0.03, {"status_code": 500}), _failing(1, 0.01, {"status_code": 500}))
    assert (check.ok, check.blocks) == (True, False)


def test_errors_of_another_kind_are_told():
    """As many failures as before, but refusals instead of time-outs: latencies moved for another reason."""
    late, refused = {"error": "timed out after 3000 ms"}, {"status_code": 429}
    check = _check("error mix", _failing(2, 0.2, refused), _failing(1, 0.2, late))
    assert (check.ok, check.blocks) == (False, False)
    assert "HTTP 429" in check.contender
    assert "timed out after # ms" in check.baseline


def test_numbers_in_the_words_of_errors_make_no_kinds():
    """An id or a duration differs from request to request."""
    texts = [[{"error": f"order {number} not found"} for number in range(i, i + 5)] for i in (0, 90)]
    assert _check("error mix", _failing(2, 0.3, *texts[0]), _failing(1, 0.3, *texts[1])).ok is True


def test_half_of_all_requests_coming_out_another_way_is_other_work():
    """Latencies of 404 and of pages do not compare."""
    check = _check("error mix", _failing(2, 0.8, {"status_code": 404}), _failing(1, 0.0))
    assert (check.ok, check.blocks) == (False, True)


def test_failures_that_nobody_told_apart_are_unknown():
    """A tool may count them and not say what they were."""
    assert _check("error mix", _failing(2, 0.2), _failing(1, 0.0)).ok is None


# --- how the runs went on ---


def test_the_warm_up_is_shown_as_it_was_left_out():
    """Both sides say how much, and when they had settled."""
    runs = (_known(i, warm_up_s=8.0, settled_after_s=settled) for i, settled in ((2, 7.5), (1, 3.0)))
    check = _check("warm-up", *runs)
    assert check.ok is True
    assert check.contender == "8 s left out, settled after 7.5 s"


def test_a_warm_up_that_stayed_in_is_told():
    """It is in the figures, as was wished, or as a run could not be cut."""
    check = _check("warm-up", _known(2, settled_after_s=9.0), _known(1))
    assert (check.ok, check.blocks) == (False, False)
    assert "run 2 had not settled when the figures begin" in check.message


@pytest.mark.parametrize("warm_up_s", [0.0, 8.0])
def test_whether_a_run_settled_may_be_unknown(warm_up_s):
    """That one run cannot be told of is no pass, also where its beginning was left out."""
    known = _known(1, warm_up_s=warm_up_s, settled_after_s=warm_up_s)
    check = _check("warm-up", _known(2, warm_up_s=warm_up_s, settled_after_s=None), known)
    assert (check.ok, check.blocks) == (None, False)
    assert "cannot be told for run 2" in check.message


def test_a_constant_duration_is_no_measurement():
    """Every request took 25 ms, to the last digit."""
    check = _check("frozen data", _constant(25.0), _known(1))
    assert (check.ok, check.blocks, check.contender) == (False, True, "always 25 ms")


def test_a_clock_too_coarse_for_the_requests_is_told_and_does_not_block():
    """A fast target by a clock of whole milliseconds: nobody can tell whether that was measured."""
    check = _check("frozen data", _constant(1.0), _known(1))
    assert (check.ok, check.blocks, check.contender) == (None, False, "always 1 ms")
    assert "run 2 were too short for the clock" in check.message


def test_latencies_below_the_clock_fail_and_block_where_a_side_has_no_others():
    """All of a side took 0 ms: no latency can be judged; beside a run with figures it is told."""
    check = _check("frozen data", _constant(0.0), _known(1))
    assert (check.ok, check.blocks, check.contender) == (False, True, "always 0 ms")
    assert "all requests of run 2 took 0 ms: latencies are below what the tool's clock can tell" in check.message
    result = compare([_constant(0.0), _known(3)], [_known(1)], CompareOptions(replicates=100))
    beside = next(check for check in result.checks if check.name == "frozen data")
    assert (beside.ok, beside.blocks) == (False, False)


def _constant(ms: float) -> RunData:
    """Make a run whose every request took the same time."""
    run = run_data(
        {k: replace(s, duration_ms=np.full(len(s.duration_ms), ms)) for k, s in made_samples(ENDPOINTS, seed=2).items()}
    )
    rows = [{**row, "min_ms": ms, "max_ms": ms} for row in run.summaries.to_pylist()]
    return replace(run, run_id=2, summaries=pa.Table.from_pylist(rows, schema=schema.SUMMARIES))


@pytest.mark.parametrize(("until_s", "blocks"), [(26, False), (40, True)])
def test_a_hole_in_one_run_fails(until_s, blocks):
    """The target or the generator stood still from the twentieth second on; for long, and it is another run."""
    check = _check("empty stretches", _holed(2, until_s), _known(1))
    assert (check.ok, check.blocks) == (False, blocks)


def test_a_pause_that_all_runs_have_is_planned():
    """And where one request a minute is made, an empty stretch is nothing."""
    assert _check("empty stretches", _holed(2, 40), _holed(1, 40)).ok is True
    rare = {"/a": Truth(requests=8)}
    assert _check("empty stretches", _run(2, rare), _run(1, rare)).ok is True


def _holed(run_id: int, until_s: float) -> RunData:
    kept = {}
    for key, part in made_samples(ENDPOINTS, seed=run_id).items():
        there = (part.at_s < 20) | (part.at_s >= until_s)
        kept[key] = replace(part, at_s=part.at_s[there], duration_ms=part.duration_ms[there], failed=part.failed[there])
    return run_data(kept, run_id=run_id)


# --- who else was there ---


def _beside(run_id: int, seconds: float, factor: str | None = "0.3") -> RunData:
    other = Overlap(run_id=90 + run_id, test="batch", factor=factor and Decimal(factor), seconds=seconds)
    return _known(run_id, overlaps=(other,))


def test_another_run_beside_one_side_blocks_and_is_named():
    """It took a part of the location for half of the time."""
    check = _check("overlap", _beside(2, 30.0), _known(1))
    assert (check.ok, check.blocks) == (False, True)
    assert check.contender == "50 %: run 92 (batch, factor 0.3) for 30 s"


@pytest.mark.parametrize(
    ("contender", "baseline", "ok"),
    [
        (_beside(2, 2.0), _known(1), True),
        (_beside(2, 30.0, factor=None), _known(1), True),
        (_beside(2, 30.0), _beside(1, 20.0), False),
        (_known(2, overlaps=None), _known(1), None),
        (_known(2, overlaps=None), _known(1, overlaps=None), None),
    ],
    ids=["a moment", "takes no part", "both sides", "one is unknown", "unknown"],
)
def test_an_overlap_that_explains_no_difference_does_not_block(contender, baseline, ok):
    """It was short, took no part of the location, was there on both sides, or nobody knows."""
    check = _check("overlap", contender, baseline)
    assert (check.ok, check.blocks) == (ok, False)


def test_two_made_up_runs_are_compared_and_told():
    """Only made-up against measured blocks."""
    check = _check("synthetic data", *(_run(i, attributes={"synthetic": True}) for i in (2, 1)))
    assert (check.ok, check.blocks) == (False, False)
