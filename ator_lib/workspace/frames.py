"""Records as DataFrames: the public edge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from ator_lib.model import Baseline, HistoryPage, LocationUse, QueuePlace, Run, RunFigures, Token

RUN_COLUMNS = (
    "run_id",
    "status",
    "test",
    "stream",
    "location",
    "factor",
    "start_time",
    "end_time",
    "duration_s",
    "status_reason",
    "tool",
    "repo",
    "lac",
    "type",
    "environment",
    "triggered_by",
    "tags",
    "dashboard_url",
    "error",
)
"""Columns of ``running`` and ``history``: the names of ``test_executions``, the most asked first."""

PROGRESS_COLUMNS = ("elapsed_s", "users", "requests", "failures", "throughput_rps", "p95_ms", "error_rate")

FIGURE_COLUMNS = tuple(field.name for field in fields(RunFigures))


def runs_frame(runs: Iterable[Run]) -> pd.DataFrame:
    """Give a row per run: ``RUN_COLUMNS``, ``PROGRESS_COLUMNS`` (null unless it is running and measured), ``stale``."""
    now = datetime.now(UTC)
    rows = [{**{c: getattr(run, c) for c in RUN_COLUMNS}, **_progress(run), "stale": run.is_stale(now)} for run in runs]
    frame = _with_times(
        pd.DataFrame(rows, columns=[*RUN_COLUMNS, *PROGRESS_COLUMNS, "stale"]), "start_time", "end_time"
    )
    for column in ("duration_s", *PROGRESS_COLUMNS):
        frame[column] = pd.to_numeric(frame[column])
    frame["status"] = frame["status"].astype("str")
    return frame


def page_frame(page: HistoryPage, *, figures: bool) -> pd.DataFrame:
    """Give the runs of a page; with ``FIGURE_COLUMNS`` that are of its results, or of its progress while it runs."""
    frame = runs_frame(page.runs)
    for column in FIGURE_COLUMNS if figures else ():
        said = pd.Series([getattr(one, column, None) for one in page.figures], frame.index, "float64")
        frame[column] = said.fillna(frame[column]) if column in frame else said
    frame.attrs["next_cursor"] = page.next_cursor
    return frame


def _progress(run: Run) -> dict[str, Any]:
    shown = run.progress if not run.status.is_final else None
    return {column: getattr(shown, column, None) for column in PROGRESS_COLUMNS}


QUEUE_COLUMNS = (
    *("run_id", "location", "position", "test", "stream", "factor", "priority", "triggered_by"),
    *("queued_at", "waits_for", "estimated_start", "estimate_note"),
)


def queue_frame(places: Iterable[QueuePlace]) -> pd.DataFrame:
    """Give a row per queued run, with ``QUEUE_COLUMNS``; ``waits_for`` is a list of run ids."""
    rows = []
    for place in places:
        row = {column: getattr(place.run, column, getattr(place, column, None)) for column in QUEUE_COLUMNS}
        rows.append({**row, "waits_for": [holder.run_id for holder in place.waits_for]})
    frame = pd.DataFrame(rows, columns=list(QUEUE_COLUMNS)).astype({"priority": "Int64"})
    return _with_times(frame, "queued_at", "estimated_start")


def locations_frame(locations: Iterable[LocationUse]) -> pd.DataFrame:
    """Give a row per location: capacity, taken and free are Decimals; how many runs are running and queued."""
    rows = [
        {
            "name": use.name,
            "status": use.status.value,
            "capacity": use.capacity,
            "taken": use.taken,
            "free": use.free,
            "running": len(use.holders),
            "queued": len(use.waiting),
            "description": use.description,
        }
        for use in locations
    ]
    columns = ["name", "status", "capacity", "taken", "free", "running", "queued", "description"]
    return pd.DataFrame(rows, columns=columns)


def baselines_frame(baselines: Iterable[Baseline]) -> pd.DataFrame:
    """Give a row per baseline."""
    frame = pd.DataFrame([vars(baseline) for baseline in baselines], columns=["name", "run_id", "pinned_at"])
    return _with_times(frame, "pinned_at")


def tokens_frame(tokens: Iterable[Token]) -> pd.DataFrame:
    """Give a row per token; a time that has not come is null."""
    times = ["created_at", "expires_at", "last_used_at", "revoked_at"]
    frame = pd.DataFrame([vars(token) for token in tokens], columns=["token_id", "name", "role", *times])
    frame["role"] = frame["role"].astype("str")
    return _with_times(frame, *times)


def _with_times(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    for column in columns:
        frame[column] = pd.to_datetime(frame[column], utc=True)
    return frame
