import json
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ator_lib.analysis.explain.data import ExplainData, LocationMove
from ator_lib.analysis.explain.explanation import explain
from ator_lib.analysis.explain.result import KINDS, MEASURES, Contribution, ExplanationResult
from ator_lib.analysis.run_data import Overlap
from tests.analysis.explain.made import AFTER, BEFORE, RESULT, cell, compared, data
from tests.analysis.synthetic import Truth

cells = st.builds(
    lambda name, requests, mean, code, segment, beyond, known: cell(
        name,
        requests,
        mean,
        status_code=code,
        success=code == 200,
        segment=segment,
        beyond=min(beyond, requests),
        with_ttfb=requests if known else 0,
        rest_ms=2.0 * requests if known else 0.0,
        first_byte_ms=(mean - 3.0) * requests if known else 0.0,
    ),
    st.sampled_from(["/a", "/b", "/c", "/d"]),
    st.integers(1, 10**6),
    st.floats(3, 1e5),
    st.sampled_from([200, 404, 500]),
    st.sampled_from([None, *range(10)]),
    st.integers(0, 1000),
    st.booleans(),
)
sides = st.lists(cells, min_size=1, max_size=30)


def explained(contender: Iterable[dict], baseline: Iterable[dict], **given_) -> ExplanationResult:
    return explain([data(AFTER, *contender)], [data(BEFORE, *baseline)], RESULT, **given_)


def top(result: ExplanationResult, kind: str, measure: str = "mean_ms") -> Contribution:
    return result.of(measure)[kind][0]


@settings(max_examples=60, deadline=None)
@given(sides, sides)
def test_each_way_of_taking_apart_adds_up_to_the_whole_change(contender: list[dict], baseline: list[dict]) -> None:
    """Of every measure; own changes and mix apart; shares add up to one where they are given."""
    result = explained(contender, baseline)
    assert [moved.measure for moved in result.moved] == list(MEASURES)
    for moved in result.moved:
        assert moved.difference == pytest.approx(moved.contender - moved.baseline)
        for rows in result.of(moved.measure).values():
            scale = 1e-9 * max(moved.baseline, moved.contender, 1e-3)
            assert sum(row.contribution for row in rows) == pytest.approx(moved.difference, abs=scale)
            shares = [row.share for row in rows]
            assert None in shares or sum(shares) == pytest.approx(1.0)


def test_an_endpoint_that_got_slower_is_named_with_its_phase() -> None:
    """First in the headline, with the share of the whole change and what it did in the comparison."""
    baseline = [cell("/a", 100), cell("/b", 100)]
    result = explained([cell("/a", 100), cell("/b", 100, 20.0)], baseline)
    assert result.headline == (
        "mean 10 → 15 ms (+50 %): GET /b contributes +5 ms (100 %); first byte contributes +5 ms (100 %)"
    )
    assert (top(result, "endpoint").own, top(result, "endpoint").mix) == (5.0, 0.0)
    assert top(result, "endpoint phase").part == "GET /b · first byte"
    assert top(result, "endpoint").verdict is not None


def test_a_shift_of_requests_is_mix_and_no_phase() -> None:
    """Nobody got slower: the phases did not move, and a row of its own says that the mix did."""
    baseline = [cell("/a", 80), cell("/b", 20, 100.0)]
    result = explained([cell("/a", 60), cell("/b", 40, 100.0)], baseline)
    rows = {row.part: row for row in result.of("mean_ms")["phase"]}
    assert rows["mix of endpoints"].mix == pytest.approx(18.0)
    assert rows["first byte"].own == 0
    assert all(row.own == 0 for row in result.of("mean_ms")["endpoint"])


def test_the_way_that_tells_most_comes_first() -> None:
    """A tenth of the run in which all endpoints were slow; then a kind of failure; both named first."""
    names = ["/a", "/b", "/c", "/d"]
    baseline = [cell(name, 100, segment=part) for name in names for part in range(10)]
    late = [cell(name, 100, 110.0 if part == 9 else 10.0, segment=part) for name in names for part in range(10)]
    assert next(iter(explained(late, baseline).of("mean_ms"))) == "time"
    failing = [
        cell(name, 10, 910.0, status_code=504, success=False, segment=part) for name in names for part in range(10)
    ]
    result = explained([*baseline, *failing], baseline)
    assert next(iter(result.of("mean_ms"))) == "status"
    assert result.headline.startswith("mean 10 → 91.8 ms (+818 %): 504, failed contributes")


def test_the_time_does_not_lead_with_fewer_requests_than_it_has_parts() -> None:
    """One request is in one tenth of its run, whatever moved."""
    baseline = [cell(name, 10, segment=part) for name in ("/a", "/b") for part in range(10)]
    kinds = list(explained([cell("/b", 1, 50.0)], baseline).of("mean_ms"))
    assert kinds[0] != "time"
    assert "time" in kinds


def test_phases_that_one_side_alone_reports_are_not_compared() -> None:
    """Connecting is then part of what lasts to the first byte; without that one, too, there are no phases."""
    baseline = [cell("/a", connect_ms=0.0, first_byte_ms=800.0, with_connect=0)]
    result = explained([cell("/a", mean_ms=20.0)], baseline)
    assert [row.part for row in result.of("mean_ms")["phase"]] == ["to the first byte", "rest"]
    result = explained([cell("/a", mean_ms=20.0)], [cell("/a", with_ttfb=0, with_connect=0)])
    assert "phase" not in result.of("mean_ms")
    assert any("Phases of requests" in note for note in result.notes)


def test_changes_that_cancel_each_other_out_have_no_shares() -> None:
    """A share of nearly nothing would be any number; the contributions are there."""
    result = explained([cell("/a", 100, 20.0), cell("/b", 100)], [cell("/a", 100), cell("/b", 100, 20.1)])
    assert top(result, "endpoint").share is None
    assert abs(top(result, "endpoint").contribution) > 4
    assert any("cancel" in note for note in result.notes)


def test_what_arithmetic_leaves_over_has_no_shares() -> None:
    """Three times the same requests: the means differ in their last digit alone, and nothing contributed to that."""
    parts = {"/a": (2, 10.2), "/b": (5, 43.0)}
    result = explained(*([cell(name, n * times, mean) for name, (n, mean) in parts.items()] for times in (3, 1)))
    assert 0 < abs(result.moved[0].difference) < 1e-13
    assert {(row.contribution, row.share) for row in result.of("mean_ms")["endpoint"]} == {(0.0, None)}


def test_identical_sides_moved_nothing() -> None:
    """All contributions are zero, and no share is made up."""
    result = explained([cell("/a"), cell("/b", 5, 7.0)], [cell("/a"), cell("/b", 5, 7.0)])
    assert {row.contribution for row in result.contributions} == {0.0}
    assert {row.share for row in result.contributions} == {None}
    assert result.headline == "mean 9.86 ms on both sides"


def test_a_side_without_requests_says_so() -> None:
    """No figure is made of nothing."""
    result = explained([], [cell("/a")])
    assert (result.moved, result.contributions) == ((), ())
    assert result.headline == "nothing can be said: a side has no requests"


def test_all_failures_are_taken_apart_like_others() -> None:
    """The status is the part that moved."""
    failing = [cell("/a", 100, 10.0, status_code=500, success=False)]
    result = explained(failing, [cell("/a", 100, 10.0)])
    assert result.of("error_rate")["status"][0].part == "500, failed"
    assert sum(row.contribution for row in result.of("error_rate")["status"]) == pytest.approx(1.0)


def test_endpoints_on_one_side_only_are_said() -> None:
    """What they contribute is mix, and they are named."""
    result = explained([cell("/new", 100, 30.0)], [cell("/old", 100, 10.0)])
    assert all(row.own == 0 for row in result.of("mean_ms")["endpoint"])
    assert {"In the baseline alone: GET /old; all that they contribute is mix."} < set(result.notes)
    assert "phase" not in result.of("mean_ms")


def test_endpoints_are_matched_by_the_comparison_s_mapping() -> None:
    """One endpoint under two names is one row, of its own change."""
    after, before, result = compared({"/v2/a": Truth()}, {"/v1/a": Truth()}, mapping={"GET /v1/a": "GET /v2/a"})
    found = explain([data(after, cell("/v2/a", 100, 20.0))], [data(before, cell("/v1/a", 100, 10.0))], result)
    (row,) = found.of("mean_ms")["endpoint"]
    assert (row.part, row.own, row.mix) == ("GET /v2/a", 10.0, 0.0)


def test_without_samples_the_summaries_speak_for_the_endpoints() -> None:
    """The same contributions to the mean, nearly the same beyond the p95, and what is not known is said."""
    truths = {"/a": Truth(requests=3000), "/b": Truth(requests=1000)}
    slower = truths | {"/b": Truth(requests=1000, median_ms=60.0)}
    after, before, comparison = compared(slower, truths)
    result = explain([ExplainData(run=after, cells=None)], [ExplainData(run=before, cells=None)], comparison)
    rows = {row.part: row for row in result.of("mean_ms")["endpoint"]}
    means = [{e.name: row["mean_ms"] for e, row in run.summary_rows().items()} for run in (before, after)]
    assert rows["GET /b"].own == pytest.approx(0.25 * (means[1]["/b"] - means[0]["/b"]))
    assert result.moved[0].difference == pytest.approx(means[1][None] - means[0][None])
    beyond = next(moved for moved in result.moved if moved.measure == "beyond_p95")
    assert beyond.baseline == pytest.approx(0.05, abs=0.002)
    assert set(result.of("mean_ms")) == {"endpoint"}
    assert any("no samples" in note and "cannot be told" in note for note in result.notes)


def test_times_are_read_off_the_timeline_where_it_has_all_requests() -> None:
    """Of a run without samples; and not where the timeline has other requests than the summaries."""
    truths = {"/a": Truth(requests=3000)}
    after, before, comparison = compared({"/a": Truth(requests=3000, median_ms=60.0)}, truths)
    runs = [ExplainData(run=run, cells=None, timeline=run.timeline) for run in (after, before)]
    result = explain(runs[:1], runs[1:], comparison)
    rows = result.of("mean_ms")["time"]
    assert len(rows) == 10
    assert sum(row.contribution for row in rows) == pytest.approx(result.moved[0].difference)
    cut = replace(runs[0], timeline=runs[0].timeline.slice(0, 10))
    assert "time" not in explain([cut], runs[1:], comparison).of("mean_ms")


def test_a_shift_of_all_endpoints_is_a_row_beside_their_own_changes() -> None:
    """Eight endpoints, all a fifth slower, and one of them twice as slow: the shares are told apart."""
    truths = {f"/{n}": Truth(requests=2000, wave_sd=0.0) for n in range(8)}
    slower = {name: replace(truth, median_ms=48.0) for name, truth in truths.items()}
    slower["/3"] = replace(truths["/3"], median_ms=96.0)
    after, before, comparison = compared(slower, truths)
    runs = [data(run, *_cells(run)) for run in (after, before)]
    result = explain(runs[:1], runs[1:], comparison)
    rows = {row.part: row for row in result.of("mean_ms")["shift"]}
    base = result.moved[0].baseline
    assert rows["all endpoints together"].own == pytest.approx(0.2 * base, rel=0.1)
    assert rows["each endpoint beside that"].own == pytest.approx(0.15 * base, rel=0.15)
    assert any("All endpoints moved together by" in note for note in result.notes)


def _cells(run) -> list[dict]:
    rows = [row for row in run.summaries.to_pylist() if row["scope"] == "name"]
    return [cell(row["name"], row["requests"], row["mean_ms"]) for row in rows]


FACTS = {
    "moves": (
        LocationMove(test="search", location="lab-1", previous_run_id=3, run_id=9, before=40.0, after=50.0),
        LocationMove(test="login", location="lab-1", previous_run_id=4, run_id=8, before=40.0, after=40.1),
    ),
}
OVERLAPPED = replace(AFTER, overlaps=(Overlap(run_id=7, test="search", factor=Decimal("0.3"), seconds=12.0),))
ALONE = replace(BEFORE, overlaps=())


def test_who_else_was_there_is_told_as_facts() -> None:
    """Overlapping runs of either side, and other tests that moved, too; unknown is not nobody."""
    result = explain([data(OVERLAPPED, cell("/a", 100, 20.0))], [data(ALONE, cell("/a"))], RESULT, **FACTS)
    (overlap,) = result.to_dict()["overlaps"]
    assert overlap == {
        "side": "contender",
        "run_id": 2,
        "location": "lab-1",
        "other_run_id": 7,
        "test": "search",
        "factor": "0.3",
        "seconds": 12.0,
    }
    assert "At the same location during the contender: run 7 (search)." in result.notes
    assert any(
        note.startswith("Of 2 other tests at lab-1, 1 moved by 5 % or more") and "search +25 %" in note
        for note in result.notes
    )
    unknown = explained([cell("/a")], [cell("/a")])
    assert any("is not known" in note and "location" in note for note in unknown.notes)


def test_it_is_plain_json() -> None:
    """Decimals and verdicts, too."""
    result = explain([data(OVERLAPPED, cell("/a", 100, 20.0))], [data(ALONE, cell("/a"))], RESULT, **FACTS)
    plain = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert plain["rows"][0]["contribution"] == pytest.approx(10.0)
    assert plain["moves"][0]["change"] == pytest.approx(0.25)
    assert {row["kind"] for row in plain["rows"]} <= set(KINDS)
