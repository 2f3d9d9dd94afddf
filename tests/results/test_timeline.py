from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ator_lib import schema
from ator_lib.errors import ResultsError, UsageError
from ator_lib.results import aggregates, duck, files
from ator_lib.results.extent import Window, measure_extent
from ator_lib.results.parquet import ParquetStore
from tests.results.synthetic import START, failed, random_table, reading, sample, users

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def whole_run(timeline: pa.Table) -> list[dict[str, Any]]:
    """Rows of the whole run."""
    return [row for row in timeline.to_pylist() if row["name"] is None]


def test_a_request_counts_where_it_started(store: ParquetStore) -> None:
    """Rows per interval and name, and one for the run before them; latencies over all requests of the interval."""
    staged = store.write(
        reading([sample(0.1, 10), failed(0.2, 30, name="/b"), sample(0.6, 2000, name="/b"), sample(0.8, 5)])
    )
    rows = store.timeline(staged.ingest_id)
    assert rows.schema.equals(schema.TIMELINE)
    second = START.replace(microsecond=0)
    shown = [(r["interval_start"], r["name"], r["requests"], r["failures"], r["max_ms"]) for r in rows.to_pylist()]
    assert shown == [
        (second, None, 3, 1, 2000),
        (second, "/a", 1, 0, 10),
        (second, "/b", 2, 1, 2000),
        (second + timedelta(seconds=1), None, 1, 0, 5),
        (second + timedelta(seconds=1), "/a", 1, 0, 5),
    ]
    first = rows.to_pylist()[0]
    assert (first["interval_s"], first["throughput_rps"]) == (1.0, 3.0)
    assert first["p95_ms"] == pytest.approx(np.quantile([10, 30, 2000], 0.95))


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(0, 4_000_000), min_size=1, max_size=50),
    st.sampled_from([0.1, 0.25, 0.3, 1.0, 1.5, 2.0, 60.0]),
    st.booleans(),
)
def test_intervals_are_utc_multiples_of_their_length(offsets_us: list[int], interval_s: float, weighted: bool) -> None:
    """Interval starts are multiples of the interval since 1970, without a gap, and lose no request."""
    starts = [START + timedelta(microseconds=us) for us in offsets_us]
    rows = [
        sample(us / 1e6, weight=1 + weighted) | {"started_at": at} for us, at in zip(offsets_us, starts, strict=True)
    ]
    with TemporaryDirectory() as root:
        store = ParquetStore(Path(root))
        shown = whole_run(store.timeline(store.write(reading(rows)).ingest_id, interval_s))
    step = timedelta(seconds=interval_s)
    first, last = ((at - EPOCH) // step for at in (min(starts), max(starts)))
    assert [row["interval_start"] for row in shown] == [EPOCH + i * step for i in range(first, last + 1)]
    expected = [0] * len(shown)
    for at in starts:
        expected[(at - EPOCH) // step - first] += 1 + weighted
    assert [row["requests"] for row in shown] == expected


def test_the_stored_timeline_is_the_computed_one(store: ParquetStore) -> None:
    """The 1 s timeline comes from its file and equals what the samples give."""
    staged = store.write(reading(random_table(2000), [users(s, s) for s in range(10)]))
    folder = store.root / staged.ingest_id
    opened = {table: files.open_table(folder, table) for table in ("samples", "metrics")}
    with duck.open_sandbox(opened) as connection:
        extent = measure_extent(connection)
        computed = pa.Table.from_batches(aggregates.timeline(connection, extent, 1.0))
    assert store.timeline(staged.ingest_id).equals(computed)
    assert computed.num_rows > 30


@pytest.mark.parametrize("interval_s", [0.7, 1.0])
def test_a_long_run_is_taken_in_windows(interval_s: float) -> None:
    """What bounds the memory, a window of time after the other, changes no figure."""
    metrics = pa.Table.from_pylist([users(s, s) for s in range(10)], schema=schema.METRICS)
    with duck.open_sandbox({"samples": random_table(2000), "metrics": metrics}) as connection:
        extent = measure_extent(connection)
        whole, windows = (
            list(aggregates.timeline(connection, extent, interval_s, at_once=at_once)) for at_once in (2000, 300)
        )
    assert len(windows) > len(whole)
    assert pa.Table.from_batches(windows).equals(pa.Table.from_batches(whole))


def test_a_part_of_a_run_is_taken_in_windows_of_its_own() -> None:
    """Its requests count, about, and not those of the whole run."""
    with duck.open_sandbox({"samples": random_table(2000)}) as connection:
        whole = measure_extent(connection)
    assert whole.first is not None
    assert whole.last is not None
    tenth = Window(since=whole.first, until=whole.first + (whole.last - whole.first) / 10)
    with duck.open_sandbox({"samples": random_table(2000)}) as connection:
        part = measure_extent(connection, tenth)
    assert (whole.requests, part.requests) == (2000, 200)


def test_percentiles_of_longer_intervals_come_from_samples(store: ParquetStore) -> None:
    """The p99 of a minute is that of its requests, not one made of the seconds' p99."""
    samples = random_table(3000)
    staged = store.write(reading(samples))
    minutes = whole_run(store.timeline(staged.ingest_id, 60.0))
    assert len(minutes) == 1
    values = samples["duration_ms"].to_numpy()
    assert minutes[0]["p99_ms"] == pytest.approx(np.quantile(values, 0.99))
    seconds = [row["p99_ms"] for row in whole_run(store.timeline(staged.ingest_id))]
    assert minutes[0]["p99_ms"] != pytest.approx(np.mean(seconds), rel=1e-3)


def test_gaps_are_rows_without_latency(store: ParquetStore) -> None:
    """A second without a request is a row of the run: 0 requests, null latencies, and the users there were."""
    staged = store.write(reading([sample(0), sample(3)], [users(1, 4)]))
    rows = whole_run(store.timeline(staged.ingest_id))
    assert [row["requests"] for row in rows] == [1, 0, 0, 1]
    assert (rows[1]["users"], rows[1]["throughput_rps"], rows[1]["failures"]) == (4, 0.0, 0)
    assert {rows[1][column] for column in ("mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms")} == {None}


def test_users_are_the_peaks_of_each_source_added_up(store: ParquetStore) -> None:
    """Users of an interval: per source its highest value, summed; on run rows only.

    The last value would be 0 in the interval in which a run ends. A source that says nothing in the next second
    still has the users of its last word; then nobody knows.
    """
    metrics = [users(0.1, 3, "w1"), users(0.2, 5, "w1"), users(0.3, 0, "w1"), users(0.15, 7, "w2"), users(1, 9, "w2")]
    cpu = {"timestamp": START, "metric": "cpu", "value": 99.0, "unit": "%", "source": "w1"}
    staged = store.write(reading([sample(s) for s in range(4)], [*metrics, cpu]))
    rows = store.timeline(staged.ingest_id).to_pylist()
    assert [row["users"] for row in rows if row["name"] is None] == [12, 9, 9, None]
    assert {row["users"] for row in rows if row["name"] is not None} == {None}


def test_samples_of_unknown_start_are_in_no_interval(store: ParquetStore) -> None:
    """A timeline holds what has a time; a run without any has an empty one."""
    some = store.write(reading([sample(None), sample(0)]))
    none = store.write(reading([sample(None)], [users(0, 1)]))
    assert [row["requests"] for row in whole_run(store.timeline(some.ingest_id, 2.0))] == [1]
    assert store.timeline(none.ingest_id).num_rows == store.timeline(none.ingest_id, 2.0).num_rows == 0


@pytest.mark.parametrize("interval_s", [0, -1, math.nan, math.inf, 1e-9])
def test_impossible_intervals_are_refused(store: ParquetStore, interval_s: float) -> None:
    """An interval is a positive number of seconds."""
    staged = store.write(reading([sample(0)]))
    with pytest.raises(UsageError, match="give a positive number of seconds"):
        store.timeline(staged.ingest_id, interval_s)


def test_more_intervals_than_anyone_wants_are_refused(store: ParquetStore) -> None:
    """A microsecond timeline of a minute is refused in words, and so is a run whose clock was off by decades."""
    staged = store.write(reading([sample(0), sample(60)]))
    with pytest.raises(UsageError, match="give a longer interval"):
        store.timeline(staged.ingest_id, 1e-6)
    with pytest.raises(ResultsError, match="check the clocks"):
        store.write(reading([sample(0), sample(0) | {"started_at": EPOCH}]))
