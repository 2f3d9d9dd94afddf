"""Who else was at a run's location while it ran? Only the registry knows."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection

from ator_lib.model import Run, RunStatus
from ator_lib.registry import statements
from ator_lib.registry.records import run_of


def others_there(connection: Connection, run: Run) -> list[Run] | None:
    """Return the other runs at the run's location during its time, by start; ``None``: nobody can know."""
    ended_at = datetime.now(UTC) if run.status is RunStatus.RUNNING else run.end_time
    if run.location is None or run.start_time is None or ended_at is None:
        return None
    there_and_then = {
        "this_run": run.run_id,
        "this_location": run.location,
        "this_start": run.start_time,
        "this_end": ended_at,
    }
    return [run_of(row) for row in connection.execute(statements.OVERLAPPING, there_and_then)]
