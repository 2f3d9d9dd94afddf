"""What the figures read of tables: labels, numbers with gaps, which endpoints are drawn by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
