"""Requests counted in cells: the sums are those of the samples, whatever is missing in them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from ator_lib.analysis.explain.data import BREAKDOWN
from ator_lib.results.breakdown import breakdown
from ator_lib.results.parquet import ParquetStore
from tests.results.synthetic import START, failed, random_table, reading, sample


def cells(store: ParquetStore, rows: Any, **asked: Any) -> list[dict[str, Any]]:
    """Count synthetic samples."""
    table = breakdown(store, store.write(reading(rows)).ingest_id, **asked)
    assert table is not None
    assert table.schema.equals(BREAKDOWN)
    return table.to_pylist()


def test_the_cells_hold_every_request_once(store: ParquetStore) -> None:
    """Requests, time, failures, and those beyond the limit add up to the samples'."""
    samples = random_table(2000)
    durations = samples["duration_ms"].to_numpy()
    found = cells(store, samples, beyond_ms=30.0)
    assert sum(row["requests"] for row in found) == 2000
    assert sum(row["duration_ms"] for row in found) == pytest.approx(durations.sum())
    assert sum(row["beyond"] for row in found) == (durations > 30.0).sum()
    assert sum(row["requests"] for row in found if not row["success"]) == (~samples["success"].to_numpy()).sum()
    assert {row["segment"] for row in found} == set(range(10))


def test_a_row_that_stands_for_several_counts_so(store: ParquetStore) -> None:
    """By its weight, in every sum."""
    (row,) = cells(store, [sample(0, 10.0, weight=5, connect_ms=1.0, ttfb_ms=4.0)], beyond_ms=9.0)
    assert (row["requests"], row["duration_ms"], row["beyond"]) == (5, 50.0, 5)
    assert (row["connect_ms"], row["first_byte_ms"], row["rest_ms"]) == (5.0, 15.0, 30.0)
    assert (row["with_connect"], row["with_ttfb"]) == (5, 5)


def test_what_is_not_reported_is_in_no_phase(store: ParquetStore) -> None:
    """A request without a first byte has no rest either; nothing is guessed."""
    rows = [sample(0, 10.0, connect_ms=2.0), sample(0, 10.0, ttfb_ms=6.0), sample(0, 10.0)]
    (row,) = cells(store, rows)
    assert (row["connect_ms"], row["first_byte_ms"], row["rest_ms"]) == (2.0, 6.0, 4.0)
    assert (row["with_connect"], row["with_ttfb"]) == (1, 1)
    assert row["beyond"] is None


@pytest.mark.parametrize(("connect", "ttfb"), [(5.0, 3.0), (20.0, 30.0), (-1.0, -2.0), (float("nan"), 4.0)])
def test_phases_stay_within_the_request(store: ParquetStore, connect: float, ttfb: float) -> None:
    """Whatever a tool rounded: none is negative, and together they are no more than the duration."""
    (row,) = cells(store, [sample(0, 10.0, connect_ms=connect, ttfb_ms=ttfb)])
    phases = [row[name] for name in ("connect_ms", "first_byte_ms", "rest_ms")]
    assert min(phases) >= 0
    assert sum(phases) == pytest.approx(10.0)


def test_connecting_before_the_request_is_no_part_of_it(store: ParquetStore) -> None:
    """Where a tool's durations begin later, the time to the first byte is whole."""
    (row,) = cells(store, [sample(0, 10.0, connect_ms=5.0, ttfb_ms=6.0)], connect_is_part=False)
    assert (row["connect_ms"], row["with_connect"], row["first_byte_ms"]) == (0.0, 0, 6.0)


def test_a_beginning_is_left_out(store: ParquetStore) -> None:
    """With all that started before, or nobody knows when; the tenths are those of the rest."""
    rows = [sample(second, float(second + 1)) for second in range(20)] + [sample(None, 100.0)]
    found = cells(store, rows, since=START + timedelta(seconds=10))
    assert sum(row["requests"] for row in found) == 10
    assert [row["segment"] for row in found] == list(range(10))


def test_requests_of_unknown_start_have_no_place_in_time(store: ParquetStore) -> None:
    """They are counted all the same."""
    found = cells(store, [sample(None), sample(0), failed(None, status_code=None)])
    assert sorted((row["segment"] is None, row["requests"]) for row in found) == [(False, 1), (True, 1), (True, 1)]


def test_durations_that_are_no_number_are_left_out(store: ParquetStore) -> None:
    """As in the mean of the summaries."""
    found = cells(store, [sample(0, 10.0), sample(1, float("inf"))])
    assert np.isfinite([row["duration_ms"] for row in found]).all()


def test_without_samples_there_are_no_cells(store: ParquetStore) -> None:
    """Null, not an empty table: nobody knows."""
    ingest_id = store.write(reading([sample(0)])).ingest_id
    store.condense(ingest_id, 1.0)
    store.expire(ingest_id)
    assert breakdown(store, ingest_id) is None
