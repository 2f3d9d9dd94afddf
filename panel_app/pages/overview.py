"""Overview: what runs now, who waits, how full the locations are, what ran lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import panel as pn

from panel_app.formats import is_missing
from panel_app.fragment import Fragment
from panel_app.frames import records
from panel_app.layout import run_link
from panel_app.live import LivePage
from panel_app.markup import render

if TYPE_CHECKING:
    from ator_lib import Workspace

LATEST = 20
"""Runs in the table of the latest ones."""

NAMED = 3
"""So many of those whom a queued run waits for are named; the others are counted."""

TIGHT, FULL = 0.7, 0.9
"""Shares of a location from which its gauge warns."""

SHARED_FOR_S = 1
"""All open pages share one look at the workspace, this fresh."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The workspace at one moment, as rows for the templates."""

    running: list[dict[str, Any]]
    queue: list[dict[str, Any]]
    gauges: list[dict[str, Any]]
    latest: list[dict[str, Any]]


class OverviewPage(LivePage):
    """Running runs, the queue if there is one, a gauge per location and the latest runs."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._running = Fragment(html=render("loading.html"))
        self._queue = Fragment()
        self._gauges = Fragment()
        self._latest = Fragment()

    def __panel__(self) -> pn.Column:
        parts = (self._problem, self._running, self._queue, self._gauges, self._latest)
        return pn.Column(*parts, sizing_mode="stretch_width")

    def read(self) -> Snapshot:
        """See ``LivePage``."""
        return pn.state.as_cached(
            "overview",
            look,  # type: ignore[arg-type]  # wrongly annotated: it is called with the keywords
            ttl=SHARED_FOR_S,
            workspace=self._workspace,
        )

    def display(self, content: Snapshot) -> None:
        """See ``LivePage``."""
        self._running.display(render("running.html", runs=content.running, run_link=run_link))
        self._queue.display(render("queue.html", places=content.queue, run_link=run_link, named=NAMED))
        self._gauges.display(render("gauges.html", gauges=content.gauges))
        self._latest.display(render("latest.html", runs=content.latest, run_link=run_link))


def look(workspace: Workspace) -> Snapshot:
    """Ask the workspace."""
    now = datetime.now(UTC)
    return Snapshot(
        running=records(workspace.running()),
        queue=records(workspace.queue()),
        gauges=[_gauge(location) for location in records(workspace.locations.list())],
        latest=[
            {**run, "duration_s": elapsed_s(run["start_time"], run["end_time"], run["status"], now)}
            for run in records(workspace.history(limit=LATEST))
        ],
    )


def elapsed_s(start: datetime | None, end: datetime | None, status: str, now: datetime) -> float | None:
    """Seconds from start to end, or until now for a run that still runs; ``None`` if unknown."""
    until = now if status == "running" else end
    if start is None or until is None or is_missing(start) or is_missing(until):
        return None
    return (until - start).total_seconds()


def _gauge(location: dict[str, Any]) -> dict[str, Any]:
    share = float(location["taken"] / location["capacity"]) if location["capacity"] > 0 else 1.0
    level = "full" if share >= FULL else "tight" if share >= TIGHT else "calm"
    return {**location, "percent": round(min(share, 1.0) * 100, 1), "level": level}
