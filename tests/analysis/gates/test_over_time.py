"""What must never be for too long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from ator_lib import schema
from ator_lib.analysis.blocks import EndpointBlocks
from ator_lib.analysis.gates.courses import course_of, course_of_blocks, scores_of_histogram
from ator_lib.analysis.gates.result import GateRow
from ator_lib.analysis.run_data import TOTAL
from tests.analysis.gates.made import GET_A, course, data, row, summaries


def judged(*values: float | None, gate: str = "never p90_ms > 1000 for 3 s") -> GateRow:
    return row(gate, data(courses={"p90_ms": course(*values)}))


@pytest.mark.parametrize(
    ("values", "outcome", "longest_s"),
    [
        ([1, 9e3, 9e3, 9e3, 1], "failed", 3),
        ([1, 9e3, 9e3, 1, 9e3], "passed", 2),
        ([1e3, 1e3, 1e3, 1e3], "passed", 0),
        ([9e3, None, 9e3, 1], "failed", 3),
        ([9e3, None, 1, 9e3], "passed", 1),
        ([9e3, None, None, None, 9e3, 1], "passed", 1),
        ([1, 1, 9e3, 9e3, 9e3], "failed", 3),
    ],
)
def test_only_a_streak_that_is_long_enough_fails(values: list[float | None], outcome: str, longest_s: float) -> None:
    """A second without a request ends none; a gap as long as what is looked for does."""
    found = judged(*values)
    assert (found.outcome, found.measured, found.limit, found.unit) == (outcome, longest_s, 3, "s")


def test_a_failure_says_when_and_how_bad() -> None:
    """So that it is found in the figures."""
    assert judged(1, 1, 2e3, 4e3, 3e3).message == "above 1000 ms for 3 s from 2 s after the start, at worst 4000 ms"


def test_the_beginning_may_be_left_out() -> None:
    """A ramp-up has the rates of a ramp-up."""
    known = data(courses={"throughput_rps": course(1, 1, 1, 1, 50, 50, 50, 50)})
    assert row("never throughput < 10 rps for 3 s", known).outcome == "failed"
    assert row("never throughput < 10 rps for 3 s after 4 s", known).outcome == "passed"


def test_a_run_too_short_to_tell_is_unknown() -> None:
    """What takes 10 s cannot be seen in five."""
    found = judged(1, 1, 1, 1, 1, gate="never p90_ms > 1000 for 10 s")
    assert (found.outcome, found.message) == ("unknown", "its figures span 5 s, and 10 s are looked for")
    assert judged(None, None).message == "there are no figures over time"


def _timeline(*rows: tuple[int, str | None, int, int]) -> pa.Table:
    """Make TIMELINE of (second, name, requests, failures); the p95 is ten times the second."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return pa.Table.from_pylist(
        [
            {
                "interval_start": start + timedelta(seconds=second),
                "interval_s": 1.0,
                "name": name,
                "method": None if name is None else "GET",
                "requests": requests,
                "failures": failures,
                "throughput_rps": float(requests),
                "p95_ms": 10.0 * second if requests else None,
            }
            for second, name, requests, failures in rows
        ],
        schema=schema.TIMELINE,
    )


def test_courses_are_those_of_the_timeline() -> None:
    """A second without a request has no percentile and no error rate, but a rate of 0, between the ragged ends."""
    timeline = _timeline(
        *((second, None, requests, 0) for second, requests in enumerate([1, 4, 0, 4, 4, 1])),
        *((second, "/a", 2, 1) for second in (1, 4)),
    )
    latency = course_of(timeline, "p95_ms").by_endpoint
    assert latency[TOTAL].start_s.tolist() == [0, 1, 3, 4, 5]
    assert latency[GET_A].value.tolist() == [10, 40]
    rates = course_of(timeline, "throughput_rps").by_endpoint
    assert rates[TOTAL].value.tolist() == [4, 0, 4, 4]
    assert rates[GET_A].value.tolist() == [2, 0, 0, 2]
    assert course_of(timeline, "error_rate").by_endpoint[GET_A].value.tolist() == [0.5, 0.5]


def test_courses_of_expired_samples_are_those_of_their_histograms() -> None:
    """Blocks without a request are left out, and the precision is told."""
    counts = np.array([[10.0, 0.0], [0.0, 0.0], [0.0, 10.0]])
    block = EndpointBlocks(
        lower_ms=np.array([100.0, 200.0]),
        upper_ms=np.array([101.0, 202.0]),
        counts=counts,
        requests=counts.sum(axis=1),
        failures=np.zeros(3),
    )
    found = course_of_blocks({TOTAL: block}, 5.0, 0.5)
    assert found.by_endpoint[TOTAL].start_s.tolist() == [0, 10]
    assert found.by_endpoint[TOTAL].value == pytest.approx([100.5, 201], abs=0.1)
    assert found.precision == "percentiles to 1 %, in blocks of 5 s"


@pytest.mark.parametrize(
    ("failures", "low", "high"),
    [(0, 0.75, 0.75), (10, 0.65, 0.75), (30, 0.45, 0.65), (70, 0.1, 0.3), (100, 0, 0)],
)
def test_apdex_of_a_histogram_says_between_what_it_lies(failures: int, low: float, high: float) -> None:
    """60 satisfied, 30 tolerating, 10 frustrated: nobody sees which of them failed."""
    bins = pa.Table.from_pylist(
        [
            {"lower_ms": lower, "upper_ms": upper, "count": count}
            for lower, upper, count in ((10.0, 20.0, 60), (150.0, 160.0, 30), (900.0, 910.0, 10))
        ],
        schema=schema.DISTRIBUTIONS,
    )
    table = summaries({TOTAL: {"requests": 100, "failures": failures}})
    score = scores_of_histogram(bins, table, 100.0)[TOTAL]
    assert (score.low, score.high) == (pytest.approx(low), pytest.approx(high))
