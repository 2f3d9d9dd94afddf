"""What the overview tells, asked of the workspace at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ator_lib import NotFoundError, RunStatus
from panel_app.frames import records

if TYPE_CHECKING:
    from ator_lib import Workspace

MOST_SHOWN = 30
"""Rows of a table of what runs, waits or regressed; the others are counted."""

LATEST = 10
"""Latest verdicts and runs."""

ENDED = [status.value for status in RunStatus if status.is_final]

WEEK = timedelta(days=7)

COURSE_S = 120
"""Of a running run so much of its course is drawn: about a point per two seconds."""

MOST_VERDICTS = 1000
"""So many regressed runs of a week are looked at."""

TIGHT, FULL = 0.7, 0.9
"""Shares of a location from which its gauge warns."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The workspace at one moment, as rows for the templates, which show the first of them.

    Parameters
    ----------
    week_ago
        Since the beginning of that day, in UTC.
    begun, failed
        Runs that began or came in since then, and how many of them failed.
    """

    week_ago: date
    running: list[dict[str, Any]]
    queue: list[dict[str, Any]]
    gauges: list[dict[str, Any]]
    regressions: list[dict[str, Any]]
    verdicts: list[dict[str, Any]]
    latest: list[dict[str, Any]]
    begun: int
    failed: int


def look(workspace: Workspace) -> Snapshot:
    """Ask the workspace."""
    now = datetime.now(UTC)
    week_ago = now.date() - WEEK
    regressed = workspace.verdicts(verdict="regressed", since=week_ago, limit=MOST_VERDICTS)
    return Snapshot(
        week_ago=week_ago,
        running=_running(workspace, now),
        queue=records(workspace.queue()),
        gauges=[_gauge(location) for location in records(workspace.locations.list())],
        regressions=_regressions(records(regressed)),
        verdicts=records(workspace.verdicts(limit=LATEST)),
        latest=records(workspace.history(status=ENDED, limit=LATEST, figures=True)),
        begun=workspace.count(since=week_ago),
        failed=workspace.count(since=week_ago, status="failure"),
    )


def _running(workspace: Workspace, now: datetime) -> list[dict[str, Any]]:
    runs = records(workspace.running())
    return [{**run, **_course(workspace, run, now)} for run in runs[:MOST_SHOWN]] + runs[MOST_SHOWN:]


def _course(workspace: Workspace, run: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Tell how far a run is, and how it went lately."""
    elapsed_s = run["elapsed_s"]
    if elapsed_s is None and run["start_time"] is not None:  # nobody says so
        elapsed_s = (now - run["start_time"]).total_seconds()
    course: dict[str, Any] = {"elapsed_s": elapsed_s, "planned_s": None, "is_stopping": False}
    try:
        handle = workspace.get(run["run_id"])
        points = handle.progress(since_s=max(0.0, (elapsed_s or 0.0) - COURSE_S))
    except NotFoundError:  # deleted since
        return {**course, "throughput": [], "p95": []}
    load = handle.record.load_profile
    return {
        **course,
        "planned_s": load.run_time_s if load else None,
        "is_stopping": handle.record.stop_requested_at is not None,
        "throughput": points["throughput_rps"].tolist(),
        "p95": points["p95_ms"].tolist(),
    }


def _gauge(location: dict[str, Any]) -> dict[str, Any]:
    share = float(location["taken"] / location["capacity"]) if location["capacity"] > 0 else 1.0
    level = "full" if share >= FULL else "tight" if share >= TIGHT else "calm"
    return {**location, "percent": round(min(share, 1.0) * 100, 1), "level": level}


_PLACE = ("test", "stream", "environment", "location")


def _regressions(verdicts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put runs together that are worse than the same baseline: one regression, told by its latest run.

    ``first`` is the run since which it is so, and ``runs`` how many there are.
    """
    together: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for verdict in verdicts:  # the latest first
        same = (*(verdict[name] for name in _PLACE), *verdict["baseline_run_ids"])
        together.setdefault(same, []).append(verdict)
    return [{**runs[0], "first": runs[-1], "runs": len(runs)} for runs in together.values()]
