"""What holds for canonical tables, whichever reader made them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa

from ator_lib import schema

STATUSES = {"passed", "failed", "error", "skipped"}
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)  # before all tools that are read here
_QUANTILES = ["min_ms", *schema.PERCENTILES, "max_ms"]


def check_table(table: pa.Table, columns: pa.Schema) -> None:
    """Check types, nulls, and that numbers and times are what they can be."""
    assert table.schema.equals(columns)
    table.validate(full=True)
    for field in columns:
        column = table[field.name]
        assert field.nullable or not column.null_count, field.name
        values = [value for value in column.to_pylist() if value is not None]
        if pa.types.is_timestamp(field.type):
            last = datetime.now(UTC) + timedelta(days=366)
            assert all(_FIRST < value < last for value in values), field.name
        elif pa.types.is_string(field.type):
            assert not any("\0" in value or value.encode() != value.encode(errors="replace") for value in values)
        elif pa.types.is_floating(field.type):
            assert all(math.isfinite(value) for value in values), field.name
            assert all(value >= 0 for value in values) or field.name == "value", field.name
        elif pa.types.is_integer(field.type):
            assert all(value >= 0 for value in values), field.name


def check_samples(table: pa.Table) -> None:
    """Check the rows of requests."""
    check_table(table, schema.SAMPLES)
    assert all(weight >= 1 for weight in table["weight"].to_pylist())
    assert all(code is None or code <= 999 for code in table["status_code"].to_pylist())


def check_summaries(table: pa.Table) -> None:
    """Check that the figures agree with each other, as far as percentiles that are exact do."""
    check_table(table, schema.SUMMARIES)
    rows = table.to_pylist()
    names, totals = ([row for row in rows if row["scope"] == scope] for scope in ("name", "total"))
    if not rows:
        return
    (total,) = totals
    assert len(names) + 1 == len(rows)
    assert total["name"] is None
    for count in ("requests", "failures"):
        assert not names or sum(row[count] for row in names) == total[count]
    for row in rows:
        check_figures(row)


def check_figures(row: dict[str, Any]) -> None:
    """Check one row of SUMMARIES."""
    assert row["failures"] <= row["requests"]
    if row["requests"] and row["error_rate"] is not None:
        assert math.isclose(row["error_rate"], row["failures"] / row["requests"])
    if row["throughput_rps"] and row["duration_s"] and row["precision"] == schema.EXACT:
        assert math.isclose(row["throughput_rps"] * row["duration_s"], row["requests"])
    if row["precision"] == schema.EXACT:
        quantiles = [row[column] for column in _QUANTILES if row[column] is not None]
    else:  # tools round percentiles, and know minimum and maximum better
        quantiles = [row[column] for column in schema.PERCENTILES if row[column] is not None]
    assert all(low <= high or math.isclose(low, high) for low, high in pairwise(quantiles))
    if None not in (row["min_ms"], row["mean_ms"], row["max_ms"]):
        assert row["min_ms"] <= row["mean_ms"] * (1 + 1e-9)
        assert row["mean_ms"] <= row["max_ms"] * (1 + 1e-9)


def check_cases(table: pa.Table) -> None:
    """Check functional outcomes."""
    check_table(table, schema.CASES)
    assert set(table["status"].to_pylist()) <= STATUSES
