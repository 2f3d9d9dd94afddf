"""Synthetic samples: made up for the tests, measured by no tool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from ator_lib import schema
from ator_lib.readers.base import Reading

START = datetime(2026, 11, 2, 10, 0, 0, 300_000, tzinfo=UTC)
"""The first request of most synthetic runs; 0.3 s off the whole second on purpose."""

_DEFAULTS: dict[str, Any] = {"name": "/a", "method": "GET", "status_code": 200, "success": True, "weight": 1}


def sample(at_s: float | None = 0.0, duration_ms: float = 10.0, **values: Any) -> dict[str, Any]:
    """One synthetic request, ``at_s`` seconds after ``START`` (``None``: unknown)."""
    started_at = None if at_s is None else START + timedelta(seconds=at_s)
    return _DEFAULTS | {"started_at": started_at, "duration_ms": duration_ms} | values


def failed(at_s: float | None = 0.0, duration_ms: float = 10.0, **values: Any) -> dict[str, Any]:
    """One synthetic request that failed."""
    return sample(at_s, duration_ms, **({"success": False, "status_code": 500, "error": "HTTP 500"} | values))


def users(at_s: float, value: float, source: str = "worker-1") -> dict[str, Any]:
    """One synthetic measurement of the number of users."""
    moment = START + timedelta(seconds=at_s)
    return {"timestamp": moment, "metric": "users", "value": value, "unit": None, "source": source}


def table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Synthetic requests as ``schema.SAMPLES``."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=schema.SAMPLES)


def random_table(rows: int, *, seed: int = 1, names: int = 3, seconds: float = 10.0) -> pa.Table:
    """Synthetic requests with lognormal durations, 5 % of them failed, in random order of time."""
    rng = np.random.default_rng(seed)
    return table(
        (failed if rng.random() < 0.05 else sample)(
            float(rng.uniform(0, seconds)), float(rng.lognormal(3, 1)), name=f"/{rng.integers(names)}"
        )
        for _ in range(rows)
    )


def reading(
    samples: pa.Table | Iterable[Mapping[str, Any]],
    metrics: Iterable[Mapping[str, Any]] = (),
    *,
    batch_rows: int = 1000,
    precision: str = schema.EXACT,
) -> Reading:
    """Make what a reader would give for synthetic samples, in batches."""
    rows = samples if isinstance(samples, pa.Table) else table(samples)
    return Reading(
        samples=pa.RecordBatchReader.from_batches(schema.SAMPLES, rows.to_batches(max_chunksize=batch_rows)),
        metrics=pa.Table.from_pylist([dict(row) for row in metrics], schema=schema.METRICS),
        tool="synthetic",
        tool_version="1",
        precision=precision,
    )
