from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from ator_lib import schema
from ator_lib.figures import intervals
from ator_lib.figures.timeline import timeline_figure

START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def _seconds(count: int) -> pa.Table:
    rows = [
        {
            "interval_start": START + timedelta(seconds=second),
            "interval_s": 1.0,
            "requests": 10,
            "failures": second % 2,
            "throughput_rps": 10.0,
            "users": 1 + second // 60,
            "p95_ms": 100.0 + second % 60,
        }
        for second in range(count)
    ]
    return pa.Table.from_pylist(rows, schema.TIMELINE)


def test_few_intervals_are_left_alone():
    """What can be told apart is drawn as it is."""
    few = _seconds(300)
    assert intervals.merged(few) == (few, None)


def test_merged_intervals_add_up_requests_and_keep_the_highest_latency():
    """Eight hours by the second become four minutes' worth of rows: sums are sums, percentiles are never averaged."""
    merged, width_s = intervals.merged(_seconds(8 * 3600))
    assert width_s == 120
    assert merged.num_rows == 240
    row = merged.sort_by("interval_start").to_pylist()[1]
    assert (row["interval_start"], row["interval_s"]) == (START + timedelta(minutes=2), 120)
    assert (row["requests"], row["failures"], row["throughput_rps"]) == (1200, 60, pytest.approx(10))
    assert (row["p95_ms"], row["users"], row["p50_ms"]) == (159.0, 4, None)


def test_a_figure_of_merged_intervals_says_so():
    """The axis tells how long they are and what their latencies mean; on demand every interval is drawn."""
    figure = timeline_figure(_seconds(3600))
    title = figure.layout.xaxis3.title.text
    assert title == "time (UTC), in intervals of 15 s; latencies are the highest 1 s of each"
    assert len(figure.data[0].x) == 240
    assert len(timeline_figure(_seconds(3600), whole=True).data[0].x) == 3600
