"""Synthetic histories: made up for the tests, measured by no tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from ator_lib import schema
from ator_lib.analysis.trend.trend import Evidence, History, TrendQuery, TrendResult, conclude, find
from ator_lib.model import Annotation

START = datetime(2026, 1, 1, tzinfo=UTC)
Lines = Mapping[str, Sequence[float | None]]


def noisy(*levels: tuple[float, int], seed: int = 1, spread: float = 0.02) -> list[float]:
    """Give values around levels, each held for so many runs."""
    rng = np.random.default_rng(seed)
    return [float(level * np.exp(rng.normal(0, spread))) for level, count in levels for _ in range(count)]


def made_history(lines: Lines, marks: Sequence[Annotation] = (), **facts: Any) -> History:
    """Make a history of runs 1, 2, 3 … a day apart; ``lines`` are the values of endpoints, a run each.

    ``facts`` are columns of ``History.runs``: a value for all runs, or a list.
    """
    count = max(map(len, lines.values()))
    columns: dict[str, Any] = dict.fromkeys(("tool", "tool_version", "stream", "environment", "location", "series"))
    columns |= {"run_id": list(range(1, count + 1)), "started_at": [START + timedelta(days=n) for n in range(count)]}
    columns |= {"tool": "locust"} | facts
    runs = {name: value if isinstance(value, list) else [value] * count for name, value in columns.items()}
    rows = [(run, name, value) for name, values in lines.items() for run, value in enumerate(values, start=1)]
    ids, names, values = zip(*rows, strict=True)
    times = pa.array(runs.pop("started_at"), pa.timestamp("us", tz="UTC"))
    texts = {name: pa.array(column, pa.string()) for name, column in runs.items() if name != "run_id"}
    return History(
        runs=pa.table({"run_id": pa.array(runs["run_id"], pa.int64()), "started_at": times, **texts}),
        values=pa.table(
            {
                "run_id": pa.array(ids, pa.int64()),
                "name": pa.array(names, pa.string()),
                "method": pa.array(["GET"] * len(ids), pa.string()),
                "value": pa.array(values, pa.float64(), from_pandas=True),
            }
        ),
        annotations=tuple(marks),
    )


def mark(run_id: int, text: str = "new server", **fields: Any) -> Annotation:
    """Make a mark; it resets unless told otherwise."""
    known: dict[str, Any] = {"annotation_id": 1, "resets": True, "metric": None, "name": None, "created_by": None}
    return Annotation(**{**known, "run_id": run_id, "text": text, "created_at": START, **fields})


def trend(
    history: History, metric: str = "p95_ms", by: str = "name", evidence: Evidence | None = None, **options: Any
) -> TrendResult:
    """Ask for a trend of a history."""
    query = TrendQuery(test="checkout", metric=metric, by=by, **options)
    return conclude(find(history, query), evidence or Evidence())


def summaries(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Make summaries of runs; what a row leaves out is null."""
    table = schema.SUMMARIES
    columns = pa.schema([pa.field("run_id", pa.int64()), *(pa.field(f.name, f.type) for f in table)])
    return pa.Table.from_pylist([{"scope": "name", "method": "GET", "requests": 100, **row} for row in rows], columns)
