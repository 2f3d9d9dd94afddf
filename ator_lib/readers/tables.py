"""Canonical tables out of what readers hold in Python or NumPy: missing columns become null, totals are added up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from ator_lib import schema


def samples_batch(rows: int, **columns: Any) -> pa.RecordBatch:
    """Make a batch of ``schema.SAMPLES`` of ``rows`` rows; a column that is not given is null, ``weight`` 1.

    Parameters
    ----------
    columns
        Arrow or NumPy arrays, or sequences with ``None`` for null, of one length.
    """
    arrays = [_column(field, columns.get(field.name), rows) for field in schema.SAMPLES]
    return pa.RecordBatch.from_arrays(arrays, schema=schema.SAMPLES)


def _column(field: pa.Field, values: Any, rows: int) -> pa.Array:
    if values is None:
        return pa.repeat(1, rows).cast(field.type) if field.name == "weight" else pa.nulls(rows, field.type)
    if isinstance(values, pa.Array):
        return values.cast(field.type)
    return pa.array(values, field.type)


def stream(batches: Iterator[pa.RecordBatch]) -> pa.RecordBatchReader:
    """Make the samples of a ``Reading`` of batches that are made while they are consumed."""
    return pa.RecordBatchReader.from_batches(schema.SAMPLES, batches)


def table(columns: pa.Schema, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Make a canonical table of rows; a key that is not there is null."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=columns)


def summaries(
    rows: Sequence[Mapping[str, Any]],
    *,
    precision: str,
    total: Mapping[str, Any] | None = None,
    duration_s: float | None = None,
) -> pa.Table:
    """Make ``schema.SUMMARIES`` of what a tool says of its names, and of the whole run.

    What follows from the counts is filled in where it is missing: error rate and throughput.

    Parameters
    ----------
    rows
        A row per name with at least name, requests and failures.
    total
        What the tool says of the whole run; ``None`` adds up the rows. Percentiles cannot be added up: they are then
        null, unless there is one row only.
    duration_s
        Length of the load window, for rows that do not say their own.
    """
    whole = total_of(rows) if total is None else total
    scoped = [{"scope": "name", **row} for row in rows] + [{**whole, "scope": "total", "name": None, "method": None}]
    return table(schema.SUMMARIES, (_completed(row, precision, duration_s) for row in scoped))


def total_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Add up what can be added: counts, bytes, the mean by its weight, the extremes; the rest stays out."""
    if len(rows) == 1:
        return dict(rows[0])
    requests = sum(row["requests"] for row in rows)
    means = [row.get("mean_ms") for row in rows if row["requests"]]
    weighted = sum(row["requests"] * (row.get("mean_ms") or 0.0) for row in rows)
    return {
        "requests": requests,
        "failures": sum(row["failures"] for row in rows),
        "mean_ms": weighted / requests if requests and None not in means else None,
        "min_ms": min(_known(rows, "min_ms"), default=None),
        "max_ms": max(_known(rows, "max_ms"), default=None),
        "bytes_received": sum(_known(rows, "bytes_received")) if _known(rows, "bytes_received") else None,
    }


def of_sample(stddev: float | None, number: float) -> float | None:
    """Turn the deviation of a population of so many, which most tools tell, into that of a sample (ddof 1)."""
    return None if stddev is None or number < 2 else stddev * math.sqrt(number / (number - 1))


def _known(rows: Sequence[Mapping[str, Any]], column: str) -> list[Any]:
    return [row[column] for row in rows if row.get(column) is not None]


def _completed(row: Mapping[str, Any], precision: str, duration_s: float | None) -> dict[str, Any]:
    whole = {"precision": precision, "duration_s": duration_s, **row}
    requests, seconds = whole["requests"], whole["duration_s"]
    if whole.get("error_rate") is None and requests:
        whole["error_rate"] = whole["failures"] / requests
    if whole.get("throughput_rps") is None and seconds:
        whole["throughput_rps"] = requests / seconds
    return whole
