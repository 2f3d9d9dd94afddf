"""What the figures read of tables: labels, numbers with gaps, which endpoints are drawn by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.analysis.result import ComparisonRow
from ator_lib.analysis.run_data import Endpoint


def label_of(row: Mapping[str, Any]) -> str:
    """Name an endpoint as people write it: ``GET /search``, ``total``, or ``all endpoints``."""
    if row.get("scope") is None:
        return Endpoint.named(row["name"], row["method"]).label
    return Endpoint(row["name"], row["method"], row["scope"]).label


def floats(column: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return float64 with nan for null: a gap in a line."""
    return np.asarray(pc.fill_null(column.cast(pa.float64()), np.nan), dtype=np.float64)


def moments(column: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.datetime64]]:
    """Return times without their zone: plotly shows what it is given, and that is UTC."""
    return np.asarray(column.cast(pa.timestamp("us")), dtype="datetime64[us]")


def busiest_first(row: Mapping[str, Any]) -> tuple[int, str]:
    """Sort by the number of requests, the most first."""
    return (-row["requests"], label_of(row))


def interval_bars(rows: Sequence[ComparisonRow], colour: str, *, thickness: float) -> dict[str, Any]:
    """Return plotly's error bars for the intervals around what is judged, in percent; no bar where there is none."""
    bounded = [(row, 100 * (row.effect or 0.0)) for row in rows]
    return {
        "type": "data",
        "array": [0 if row.high is None else 100 * row.high - point for row, point in bounded],
        "arrayminus": [0 if row.low is None else point - 100 * row.low for row, point in bounded],
        "color": colour,
        "thickness": thickness,
        "width": 0,
    }
