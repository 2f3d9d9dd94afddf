from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.results.base import StagedResults
from ator_lib.results.parquet import ParquetStore
from tests.results.synthetic import START, reading, sample, table

durations = st.floats(min_value=0, max_value=1e7, allow_nan=False)
requests = st.builds(
    lambda at_s, duration_ms, name, method, success, weight: sample(
        at_s, duration_ms, name=name, method=method, success=success, weight=weight
    ),
    at_s=st.integers(0, 3_000_000).map(lambda us: us / 1e6),
    duration_ms=durations,
    name=st.sampled_from(["/a", "/b", "it's"]),
    method=st.sampled_from(["GET", None]),
    success=st.booleans(),
    weight=st.sampled_from([0, 1, 1, 1, 2, 7]),
)


def staged(rows: pa.Table | list[dict[str, Any]]) -> StagedResults:
    """Write synthetic samples into a store of their own."""
    with TemporaryDirectory() as root:
        return ParquetStore(Path(root)).write(reading(rows))


def total(result: StagedResults) -> dict[str, Any]:
    """Row of the whole run."""
    row: dict[str, Any] = result.summaries.to_pylist()[-1]
    return row


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(durations, min_size=1, max_size=200), min_size=1, max_size=10))
def test_percentiles_are_numpys_linear_ones(endpoints: list[list[float]]) -> None:
    """Percentiles are Hyndman-Fan type 7 over all raw samples, as numpy's method "linear"."""
    rows = [sample(0, value, name=f"/{i}") for i, values in enumerate(endpoints) for value in values]
    for row in staged(rows).summaries.to_pylist():
        values = endpoints[int(row["name"][1:])] if row["name"] else np.concatenate(endpoints)
        expected = np.quantile(values, list(schema.PERCENTILES.values()), method="linear")
        assert [row[column] for column in schema.PERCENTILES] == pytest.approx(expected.tolist(), rel=1e-12, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.lists(requests, max_size=60))
def test_a_row_with_weight_counts_as_that_many_requests(rows: list[dict[str, Any]]) -> None:
    """Summaries of weighted rows are exactly those of the rows written out."""
    written_out = [row | {"weight": 1} for row in rows for _ in range(row["weight"])]
    weighted, plain = staged(rows).summaries.to_pylist(), staged(written_out).summaries.to_pylist()
    assert len(weighted) == len(plain)
    for left, right in zip(weighted, plain, strict=True):
        for column, value in right.items():
            measured = isinstance(value, float)
            assert left[column] == (pytest.approx(value, rel=1e-9, abs=1e-6) if measured else value), column


@settings(max_examples=15, deadline=None)
@given(st.lists(requests.filter(lambda row: row["weight"] == 1), min_size=1, max_size=60))
def test_rows_are_those_of_numpy(rows: list[dict[str, Any]]) -> None:
    """Each row has the counts, moments (ddof 1) and load window of its requests, failures included."""
    for row in staged(rows).summaries.to_pylist():
        mine = [r for r in rows if row["scope"] == "total" or (r["name"], r["method"]) == (row["name"], row["method"])]
        values = np.array([r["duration_ms"] for r in mine])
        assert row["requests"] == len(mine)
        assert row["failures"] == sum(not r["success"] for r in mine)
        assert row["error_rate"] == pytest.approx(row["failures"] / len(mine))
        assert row["mean_ms"] == pytest.approx(values.mean())
        assert (row["min_ms"], row["max_ms"]) == (values.min(), values.max())
        if len(mine) == 1:
            assert row["stddev_ms"] is None
        else:
            assert row["stddev_ms"] == pytest.approx(values.std(ddof=1), rel=1e-6, abs=1e-6)


def test_every_name_and_method_has_a_row_and_the_run_the_last() -> None:
    """Rows are sorted by name, then method; the total comes last, with name and method null."""
    rows = [sample(0, name="/b"), sample(0, name="/a", method="POST"), sample(0, name="/a", method=None), sample(0)]
    summaries = staged(rows).summaries
    assert summaries.schema.equals(schema.SUMMARIES)
    assert [(row["scope"], row["name"], row["method"]) for row in summaries.to_pylist()] == [
        ("name", "/a", None),
        ("name", "/a", "GET"),
        ("name", "/a", "POST"),
        ("name", "/b", "GET"),
        ("total", None, None),
    ]


def test_load_window_reaches_from_first_start_to_last_end() -> None:
    """duration_s is the run's window on every row, and the base of throughput."""
    result = staged([sample(0, 500), sample(1, 3000, name="/slow"), sample(2, 100)])
    assert (result.report.started_at, result.report.ended_at) == (START, START + timedelta(seconds=4))
    fast, slow, whole = result.summaries.to_pylist()
    assert {row["duration_s"] for row in (fast, slow, whole)} == {4.0}
    assert [row["throughput_rps"] for row in (fast, slow, whole)] == [0.5, 0.25, 0.75]


@pytest.mark.parametrize(("clock_s", "told_s", "expected_s"), [(0.4, None, 4.0), (1.0, None, None), (1.0, 3.5, 3.5)])
def test_coarse_starts_do_not_tell_how_long_a_short_run_was(
    store: ParquetStore, clock_s: float, told_s: float | None, expected_s: float | None
) -> None:
    """Less than ten ticks of the clock are no measurement, unless the tool says more."""
    coarse = replace(reading([sample(0, 500), sample(3, 1000)]), clock_s=clock_s, duration_s=told_s)
    result = store.write(coarse)
    row = total(result)
    assert row["duration_s"] == expected_s
    assert row["throughput_rps"] == (None if expected_s is None else 2 / expected_s)
    assert result.report.started_at == START
    assert result.report.ended_at == (None if expected_s is None else START + timedelta(seconds=expected_s))


def test_unknown_start_means_unknown_duration() -> None:
    """Without any start there is no window and no throughput, but everything else."""
    result = staged([sample(None, 10), sample(None, 30)])
    row = total(result)
    assert (result.report.started_at, result.report.ended_at, row["duration_s"], row["throughput_rps"]) == (
        None,
        None,
        None,
        None,
    )
    assert (row["requests"], row["mean_ms"], row["p50_ms"]) == (2, 20.0, 20.0)


def test_window_of_no_length_gives_no_throughput() -> None:
    """One request of 0 ms: a duration of 0 s and no division by it."""
    row = total(staged([sample(0, 0.0)]))
    assert (row["duration_s"], row["throughput_rps"], row["requests"]) == (0.0, None, 1)


def test_no_samples_give_a_total_of_zero_requests() -> None:
    """Nothing was measured: 0 requests, and no other figure."""
    result = staged([])
    assert result.samples == 0
    [row] = result.summaries.to_pylist()
    known = {column: value for column, value in row.items() if value is not None}
    assert known == {"scope": "total", "requests": 0, "failures": 0, "precision": schema.EXACT}


def test_bytes_are_summed_where_they_are_known() -> None:
    """bytes_received adds up what is known; null when nothing is."""
    rows = [sample(0, bytes_received=5), sample(0, bytes_received=None), sample(0, name="/b")]
    assert [row["bytes_received"] for row in staged(rows).summaries.to_pylist()] == [5, None, 5]


def test_durations_that_are_no_number_do_not_stop_the_others() -> None:
    """A reader rejects them; should one slip through, counts still hold."""
    row = total(staged([sample(0, float("nan")), sample(0, float("inf")), sample(0, -1.0), sample(0, 5.0)]))
    assert (row["requests"], row["duration_s"]) == (4, pytest.approx(0.005))


def test_precision_and_tool_are_handed_on() -> None:
    """What the reader says of its figures stands on every row and in the staged results."""
    with TemporaryDirectory() as root:
        result = ParquetStore(Path(root)).write(reading([sample(0)], precision="it's ±1%"))
    assert set(result.summaries["precision"].to_pylist()) == {"it's ±1%"}
    assert (result.report.precision, result.report.tool, result.report.tool_version, result.report.truncated) == (
        "it's ±1%",
        "synthetic",
        "1",
        False,
    )


def test_absurd_weights_are_refused(store: ParquetStore) -> None:
    """A weight that no memory could expand is an error that says so, and nothing is kept."""
    with pytest.raises(ResultsError, match=r"stand for 1.1e\+12 requests"):
        store.write(reading(table([sample(0, weight=2**40)])))
    assert list(store.root.iterdir()) == []
