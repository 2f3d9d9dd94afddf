"""What gates take from the samples, against the same worked out with numpy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ator_lib.results.gate_figures import apdex_counts, percentile_course
from ator_lib.results.parquet import ParquetStore
from tests.results.synthetic import failed, random_table, reading, sample, table


@pytest.mark.parametrize("target_ms", [5.0, 20.0])
def test_apdex_counts_are_those_of_the_samples(store: ParquetStore, target_ms: float) -> None:
    """Per endpoint and for the run; failures are frustrated, however quick they were."""
    samples = random_table(2000)
    ingest_id = store.write(reading(samples)).ingest_id
    counts = apdex_counts(store, ingest_id, target_ms, 4 * target_ms)
    assert counts is not None
    frame = samples.to_pandas()
    for row in counts.to_pylist():
        part = frame if row["name"] is None else frame[frame.name == row["name"]]
        good = part[part.success]
        assert row["requests"] == len(part)
        assert row["satisfied"] == (good.duration_ms <= target_ms).sum()
        assert row["tolerated"] == ((good.duration_ms > target_ms) & (good.duration_ms <= 4 * target_ms)).sum()
    assert counts.num_rows == 4


def test_apdex_counts_know_weights(store: ParquetStore) -> None:
    """A row may stand for several requests, or for none."""
    rows = [sample(duration_ms=1, weight=3), failed(duration_ms=1, weight=2), sample(duration_ms=1, weight=0)]
    counts = apdex_counts(store, store.write(reading(table(rows))).ingest_id, 10.0, 40.0)
    assert counts is not None
    assert {(row["requests"], row["satisfied"], row["tolerated"]) for row in counts.to_pylist()} == {(5, 3, 0)}


@pytest.mark.parametrize("column", ["p75_ms", "p90_ms", "p99_9_ms"])
def test_percentiles_over_time_are_exact(store: ParquetStore, column: str) -> None:
    """Hyndman-Fan 7 of the samples of each whole second."""
    samples = random_table(3000)
    course = percentile_course(store, store.write(reading(samples)).ingest_id, column)
    assert course is not None
    q = {"p75_ms": 75, "p90_ms": 90, "p99_9_ms": 99.9}[column]
    frame = samples.to_pandas()
    frame["second"] = frame.started_at.dt.floor("s")
    for row in course.to_pylist():
        part = frame[frame.second == pd.Timestamp(row["interval_start"])]
        part = part if row["name"] is None else part[part.name == row["name"]]
        assert row[column] == pytest.approx(np.percentile(part.duration_ms, q))
        assert row["interval_s"] == 1


def test_a_long_run_is_taken_in_windows(store: ParquetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same figures as at once."""
    ingest_id = store.write(reading(random_table(3000))).ingest_id
    whole = percentile_course(store, ingest_id, "p90_ms")
    monkeypatch.setattr("ator_lib.results.gate_figures.REQUESTS_AT_ONCE", 500)
    parts = percentile_course(store, ingest_id, "p90_ms")
    assert whole is not None
    assert parts is not None
    assert parts.equals(whole)


def test_no_samples_give_nothing(store: ParquetStore) -> None:
    """Nor do samples of unknown start give intervals."""
    empty = store.write(reading(table([]))).ingest_id
    assert apdex_counts(store, empty, 10.0, 40.0) is None
    assert percentile_course(store, empty, "p90_ms") is None
    timeless = percentile_course(store, store.write(reading(table([sample(None)]))).ingest_id, "p90_ms")
    assert timeless is not None
    assert timeless.num_rows == 0
