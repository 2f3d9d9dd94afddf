from dataclasses import replace

import pytest

from ator_lib.analysis.checks import Check
from ator_lib.analysis.comparison import CompareOptions, RunData, Verdict, compare
from ator_lib.errors import UsageError
from ator_lib.model import LoadProfile, RunStatus
from tests.analysis.synthetic import PROFILE, Truth, made_run

ENDPOINTS = {"/a": Truth(requests=600), "/b": Truth(requests=600)}


def _run(run_id: int, endpoints: dict[str, Truth] = ENDPOINTS, **facts) -> RunData:
    return made_run(endpoints, seed=run_id, **facts)


def _check(name: str, contender: RunData, baseline: RunData, **options) -> Check:
    result = compare([contender], [baseline], CompareOptions(replicates=100, **options))
    return next(check for check in result.checks if check.name == name)


def test_two_alike_runs_pass_every_check():
    """Nothing fails and nothing blocks; only the achieved rate is left out, as the load is closed."""
    result = compare([_run(2)], [_run(1)], CompareOptions(replicates=100))
    assert {check.name for check in result.checks if check.ok is not True} == {"achieved rate"}
    assert not any(check.blocks for check in result.checks)


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
    ],
)
def test_a_difference_fails_its_check(name, facts, blocks):
    """Each fact that differs fails the check of its name, and blocks only if it makes the figures incomparable."""
    check = _check(name, _run(2, **facts), _run(1))
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


def test_a_waiver_of_nothing_is_refused():
    """A mistyped waiver is said, with the names that exist."""
    with pytest.raises(UsageError, match=r"no check is called tols: waive some of tool, test, .*users"):
        compare([_run(2)], [_run(1)], CompareOptions(waive=["tols"]))
