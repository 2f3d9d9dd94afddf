"""The course of endpoints in a few points, of small timelines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from ator_lib import schema
from ator_lib.errors import UsageError
from ator_lib.workspace.sparklines import METRICS, sparklines

START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def row(at_s: int, name: str | None, **figures: Any) -> dict[str, Any]:
    """One synthetic interval of a second."""
    known = {"requests": 10, "failures": 0, "throughput_rps": 10.0, "p95_ms": 5.0, "mean_ms": 2.0}
    return {"interval_start": START + timedelta(seconds=at_s), "interval_s": 1.0, "name": name, **known, **figures}


def timeline(*rows: dict[str, Any]) -> pa.Table:
    """Synthetic intervals as ``schema.TIMELINE``."""
    return pa.Table.from_pylist(list(rows), schema.TIMELINE)


def test_a_time_without_a_request_is_a_gap() -> None:
    """Of latencies; of counts it is 0."""
    rows = timeline(row(0, "/a"), row(3, "/a", p95_ms=7.0))
    assert sparklines(rows, 4, "p95_ms")["values"].iloc[0] == [5.0, None, None, 7.0]
    assert sparklines(rows, 4, "requests")["values"].iloc[0] == [10.0, 0.0, 0.0, 10.0]
    assert sparklines(rows, 4, "error_rate")["values"].iloc[0] == [0.0, None, None, 0.0]


def test_there_are_no_more_points_than_intervals() -> None:
    """A short run has a short course."""
    assert sparklines(timeline(row(0, None), row(1, None)), 40, "p95_ms")["values"].iloc[0] == [5.0, 5.0]
    assert sparklines(timeline(row(0, None)), 40, "throughput_rps")["values"].iloc[0] == [10.0]


def test_a_rate_is_that_of_the_time_of_its_point() -> None:
    """Points share the intervals out, one more or less each, and a last interval may be shorter."""
    rows = timeline(*(row(at_s, None) for at_s in range(5)))
    assert sparklines(rows, 2, "requests")["values"].iloc[0] == [30.0, 20.0]
    assert sparklines(rows, 2, "throughput_rps")["values"].iloc[0] == [10.0, 10.0]
    rows = timeline(*(row(at_s, None, interval_s=3.0 if at_s == 20 else 10.0) for at_s in (0, 10, 20)))
    assert sparklines(rows, 9, "requests")["values"].iloc[0] == [10.0, 10.0, 10.0]


def test_a_mean_is_weighted() -> None:
    """By the requests of each interval."""
    rows = timeline(row(0, "/a", requests=30, mean_ms=1.0), row(1, "/a", requests=10, mean_ms=5.0))
    assert sparklines(rows, 1, "mean_ms")["values"].iloc[0] == [2.0]


def test_what_a_source_does_not_report_is_a_gap() -> None:
    """Not a zero."""
    assert sparklines(timeline(row(0, None, p95_ms=None)), 5, "p95_ms")["values"].iloc[0] == [None]


def test_a_run_without_a_timeline_has_none() -> None:
    """A table with its columns and no row."""
    frame = sparklines(timeline(), 10, "p95_ms")
    assert (list(frame.columns), len(frame)) == (["name", "method", "scope", "values"], 0)


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_has_a_course(metric: str) -> None:
    """Of each endpoint, the same number of points."""
    frame = sparklines(timeline(row(0, "/a"), row(9, None), row(5, "/b")), 5, metric)
    assert [len(values) for values in frame["values"]] == [5, 5, 5]


@pytest.mark.parametrize(("points", "metric"), [(0, "p95_ms"), (1001, "p95_ms"), (2.5, "p95_ms"), (10, "users")])
def test_what_cannot_be_drawn_is_refused(points: Any, metric: str) -> None:
    """Each names what there is."""
    with pytest.raises(UsageError, match=r"is not possible|there are requests"):
        sparklines(timeline(row(0, None)), points, metric)
