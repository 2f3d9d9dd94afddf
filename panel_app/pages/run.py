"""Run: what one run was, how it went, and its results."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import panel as pn
import param

from ator_lib import ConflictError, LoadProfile, NotFoundError, Run, RunStatus
from panel_app.charts import INTERVALS, TimelineCard, finest
from panel_app.formats import decimal, duration
from panel_app.fragment import Fragment
from panel_app.frames import records
from panel_app.layout import OVERVIEW
from panel_app.live import LivePage
from panel_app.markup import render
from panel_app.pages.overview import elapsed_s
from panel_app.summary import SummaryTable

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from ator_lib import RunHandle, Workspace

LOG_LINES = 200
ERROR_KINDS = 50

_RUN_ID = re.compile(r"[0-9]{1,18}")  # what fits into the database's numbers


@dataclass(frozen=True, kw_only=True)
class RunView:
    """One look at a run. What comes from results is null while there are none."""

    handle: RunHandle
    log: str
    summary: pd.DataFrame | None = None
    errors: pd.DataFrame | None = None
    figure: Figure | None = None
    interval: str = ""

    @property
    def run(self) -> Run:
        """The registry's record."""
        return self.handle.record


@dataclass(frozen=True, kw_only=True)
class NoRun:
    """There is no such run: what to tell instead."""

    title: str
    advice: str


class RunPage(LivePage):
    """Facts, figures, chart, errors and log of the run that ``run_id`` (text of the URL) names."""

    run_id = param.String(default="", doc="As written in the URL; it may be anything.")
    interval = param.String(default="", doc="Interval of the chart; empty: chosen by the run's length.")

    def __init__(self, workspace: Workspace, *, run_id: str = "", interval: str = "") -> None:
        super().__init__(run_id=run_id, interval=interval if interval in INTERVALS.values() else "")
        self._workspace = workspace
        self._head = Fragment(html=render("loading.html"))
        self._chart = TimelineCard(self.choose_interval)
        self._summary = SummaryTable()
        self._errors = Fragment()
        self._log = Fragment()

    def __panel__(self) -> pn.Column:
        parts = [self._problem, self._head, self._chart, self._summary, self._errors, self._log]
        return pn.Column(*parts, sizing_mode="stretch_width")

    def choose_interval(self, interval: str) -> None:
        """Draw the chart at another interval."""
        if interval in INTERVALS.values():
            self.interval = interval
            self.is_live = True
            pn.state.execute(self.refresh)

    def read(self) -> RunView | NoRun:
        """See ``LivePage``."""
        if not self.run_id:
            return NoRun(title="No run chosen", advice="The address names no run. Choose one on the overview.")
        if not _RUN_ID.fullmatch(self.run_id):
            return NoRun(
                title="No such run", advice=f"“{self.run_id[:40]}” is no run number. Choose a run on the overview."
            )
        try:
            return _look(self._workspace.get(int(self.run_id)), self.interval)
        except NotFoundError:
            return NoRun(
                title="No such run",
                advice=f"There is no run {self.run_id[:40]} in this workspace. Choose one on the overview.",
            )

    def display(self, content: RunView | NoRun) -> None:
        """See ``LivePage``."""
        if isinstance(content, NoRun):
            self._head.display(render("message.html", title=content.title, advice=content.advice, overview=OVERVIEW))
            self.is_live = False
            return
        self._head.display(_head(content))
        self._log.display(_log(content.log))
        if content.summary is not None and content.errors is not None and content.figure is not None:
            self._chart.display(content.figure, content.interval)
            self._summary.display(content.summary)
            self._errors.display(_errors(content.errors))
        self.is_live = not content.run.status.is_final


def _look(handle: RunHandle, interval: str) -> RunView:
    log = handle.log()
    if not handle.status.is_final:
        return RunView(handle=handle, log=log)
    try:
        summary = handle.summary()
    except (NotFoundError, ConflictError):  # it ended without results
        return RunView(handle=handle, log=log)
    interval = interval or finest(handle.record)
    try:
        figure = handle.figure("timeline", interval=interval)
    except NotFoundError:  # the samples have expired: the intervals are those that are left
        figure, interval = handle.figure("timeline"), ""
    return RunView(handle=handle, log=log, summary=summary, errors=handle.errors(), figure=figure, interval=interval)


def _head(view: RunView) -> str:
    run = view.run
    return render(
        "run.html",
        run=run,
        overview=OVERVIEW,
        stopping=run.stop_requested_at is not None and not run.status.is_final,
        duration_s=elapsed_s(run.start_time, run.end_time, run.status, datetime.now(UTC)),
        load=_planned(run.load_profile),
        target=run.load_profile.host if run.load_profile else None,
        dashboard=_web_link(run.dashboard_url),
        synthetic=bool(run.attributes.get("synthetic")),
        total=None if view.summary is None else _total(view.summary),
        progress=run.progress,
        waiting=_waiting(view),
    )


def _planned(load: LoadProfile | None) -> str | None:
    if load is None:
        return None
    parts = [
        f"{load.users} users" if load.users is not None else None,
        f"{decimal(load.spawn_rate)}/s spawned" if load.spawn_rate is not None else None,
        f"for {duration(load.run_time_s)}" if load.run_time_s is not None else None,
        f"{load.processes} processes" if (load.processes or 1) > 1 else None,
    ]
    return ", ".join(part for part in parts if part) or None


def _web_link(url: str | None) -> str | None:
    """Return the address if a browser may be sent there; no ``javascript:``."""
    return url if url and url.lower().startswith(("http://", "https://")) else None


def _total(summary: pd.DataFrame) -> dict[str, Any]:
    return records(summary[summary["scope"] == "total"])[0]


def _waiting(view: RunView) -> dict[str, str] | None:
    """Say what stands where the results would stand."""
    if view.summary is not None:
        return None
    if view.run.status is RunStatus.QUEUED:
        return {"title": "Waiting in the queue.", "advice": "It starts when its location has room."}
    if view.run.status is RunStatus.RUNNING:
        return {"title": "The run is running.", "advice": "Its results appear here by themselves when it has ended."}
    return {
        "title": "This run has no results.",
        "advice": "Nothing was measured or handed in. Execute a load with “ator run”, or try “ator demo”.",
    }


def _errors(errors: pd.DataFrame) -> str:
    return render("errors.html", errors=records(errors.head(ERROR_KINDS)), hidden=max(0, len(errors) - ERROR_KINDS))


def _log(text: str) -> str:
    lines = text.rstrip().splitlines()
    shown = "\n".join(lines[-LOG_LINES:])
    return render("log.html", lines=shown, cut=len(lines) > LOG_LINES, count=LOG_LINES)
