"""Records as DataFrames: the public edge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from ator_lib.model import LocationUse, Run

RUN_COLUMNS = (
    "run_id",
    "status",
    "test",
    "stream",
    "location",
    "factor",
    "start_time",
    "end_time",
    "status_reason",
    "tool",
    "repo",
    "lac",
    "type",
    "environment",
    "triggered_by",
    "dashboard_url",
    "error",
)
"""Columns of ``running`` and ``history``: the names of ``test_executions``, the most asked first."""

PROGRESS_COLUMNS = ("elapsed_s", "users", "requests", "failures", "throughput_rps", "p95_ms", "error_rate")

_TIMES = ("start_time", "end_time")


def runs_frame(runs: Iterable[Run]) -> pd.DataFrame:
    """Give a row per run: ``RUN_COLUMNS``, then ``PROGRESS_COLUMNS`` (null unless it is running and measured)."""
    rows = [{**{c: getattr(run, c) for c in RUN_COLUMNS}, **_progress(run)} for run in runs]
    frame = pd.DataFrame(rows, columns=[*RUN_COLUMNS, *PROGRESS_COLUMNS])
    for column in _TIMES:
        frame[column] = pd.to_datetime(frame[column], utc=True)
    for column in PROGRESS_COLUMNS:
        frame[column] = pd.to_numeric(frame[column])
    frame["status"] = frame["status"].astype("str")
    return frame


def _progress(run: Run) -> dict[str, Any]:
    shown = run.progress if not run.status.is_final else None
    return {column: getattr(shown, column, None) for column in PROGRESS_COLUMNS}


def locations_frame(locations: Iterable[LocationUse]) -> pd.DataFrame:
    """Give a row per location: name, capacity, taken, free (Decimals) and how many runs are running."""
    rows = [
        {
            "name": use.name,
            "capacity": use.capacity,
            "taken": use.taken,
            "free": use.free,
            "running": len(use.holders),
        }
        for use in locations
    ]
    return pd.DataFrame(rows, columns=["name", "capacity", "taken", "free", "running"])
