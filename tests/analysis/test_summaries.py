"""Runs of which there is only the tool's own summary."""

from dataclasses import replace

import pytest

from ator_lib import schema
from ator_lib.analysis.comparison import CompareOptions, ComparisonResult, ComparisonRow, RunData, Verdict, compare
from tests.analysis.synthetic import Truth, made_run

OPTIONS = CompareOptions(replicates=100)
WHY_NOT = (
    "the tool left only its summary (or no times of requests), so nobody can see how much a run varies inside: "
    "give 2 or more runs a side"
)


def summary_of(seed: int, median_ms: float = 40.0, endpoints: int = 1) -> RunData:
    """Make a run and throw away all but its summary."""
    run = made_run({f"/{i}": Truth(median_ms=median_ms) for i in range(endpoints)}, seed=seed, tool="wrk")
    return replace(
        run, distributions=schema.DISTRIBUTIONS.empty_table(), timeline=schema.TIMELINE.empty_table(), run_id=seed
    )


def side(*seeds: int, median_ms: float = 40.0, endpoints: int = 1) -> list[RunData]:
    """Make several of them."""
    return [summary_of(seed, median_ms, endpoints) for seed in seeds]


def row_of(result: ComparisonResult, metric: str) -> ComparisonRow:
    return next(row for row in result.rows if (row.scope, row.metric) == ("name", metric))


@pytest.mark.parametrize("contender", [(4,), (4, 5)])
def test_one_summary_on_a_side_says_why_it_is_not_judged(contender: tuple[int, ...]) -> None:
    """In the rows and in the headline; and nothing is said of the width of intervals that are not there."""
    result = compare(side(*contender, median_ms=60), side(1), OPTIONS)
    assert result.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert (row_of(result, "p99_ms").low, row_of(result, "p99_ms").reason) == (None, WHY_NOT)
    assert result.headline().endswith(f"; {WHY_NOT}")
    assert not any("p95" in note or "between runs" in note for note in result.notes)


def test_several_summaries_a_side_are_judged_by_how_the_runs_differ() -> None:
    """A change of half is found, with the truth in the interval, and a note says what could not be seen."""
    result = compare(side(4, 5, 6, median_ms=60), side(1, 2, 3), OPTIONS)
    assert result.verdict is Verdict.REGRESSED
    for metric in ("mean_ms", "p50_ms", "p99_ms"):
        row = row_of(result, metric)
        assert row.verdict is Verdict.REGRESSED
        assert row.low < 0.5 < row.high
    assert row_of(result, "error_rate").verdict is Verdict.NO_CHANGE
    assert any(note.startswith("Of runs 1, 2, 3, 4, 5, 6 there are only the tool's own") for note in result.notes)


def test_percentiles_of_summaries_are_not_put_together() -> None:
    """Percentiles are never averaged: a side has none, and the change is that of the runs' own."""
    result = compare(side(4, 5, 6, median_ms=60), side(1, 2, 3), OPTIONS)
    row = row_of(result, "p99_ms")
    assert (row.baseline, row.contender, row.difference) == (None, None, None)
    assert row.low < row.change < row.high
    assert row.change == pytest.approx(0.5, abs=0.1)
    assert any(note.startswith("Percentiles of several such runs cannot be put together") for note in result.notes)


def test_summaries_that_differ_as_much_as_the_sides_do_are_no_finding() -> None:
    """Their noise is seen between them alone, and the assumption does not talk it small."""
    contender = [summary_of(seed, ms) for seed, ms in ((4, 40), (5, 60))]
    result = compare(contender, [summary_of(seed, ms) for seed, ms in ((1, 36), (2, 50))], OPTIONS)
    row = row_of(result, "p50_ms")
    assert row.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert row.low < -0.3


def test_a_shift_of_many_summaries_is_taken_out_of_their_endpoints() -> None:
    """As it is of runs with samples: all are slower together, and that is one finding."""
    result = compare(
        side(4, 5, 6, median_ms=60, endpoints=9), side(1, 2, 3, endpoints=9), replace(OPTIONS, waive=["endpoints"])
    )
    common = next(row for row in result.rows if (row.scope, row.metric) == ("common", "p50_ms"))
    assert common.verdict is Verdict.REGRESSED
    assert common.low < 0.5 < common.high


def test_a_percentile_that_a_summary_lacks_or_has_as_0_is_not_judged() -> None:
    """Neither has a logarithm; the reason names both."""
    for value in (None, 0.0):
        first, second = side(1, 2)
        rows = [{**row, "p50_ms": value} for row in first.summaries.to_pylist()]
        first = replace(first, summaries=type(first.summaries).from_pylist(rows, first.summaries.schema))
        row = row_of(compare(side(4, 5), [first, second], OPTIONS), "p50_ms")
        assert row.reason == "not measured, or 0, in a baseline run"
