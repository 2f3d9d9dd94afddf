"""Run: what one run was, how it went, and its results."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import panel as pn
import param

from ator_lib import ConflictError, LoadProfile, NotFoundError, Run, RunStatus
from panel_app.charts import INTERVALS, TimelineCard, finest
from panel_app.formats import count, decimal, duration
from panel_app.fragment import Fragment
from panel_app.frames import records
from panel_app.layout import OVERVIEW
from panel_app.live import LivePage
from panel_app.markup import render
from panel_app.pages.overview import elapsed_s
from panel_app.summary import SummaryTable

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from ator_lib import IngestReport, RunHandle, Workspace

LOG_LINES = 200
ERROR_KINDS = 50
CASES_SHOWN = 500
METRICS_NAMED = 20

_RANKS = {"failed": 0, "error": 1, "skipped": 2, "passed": 3}
"""The status of cases, in the order in which they are shown."""

_RUN_ID = re.compile(r"[0-9]{1,18}")  # what fits into the database's numbers


@dataclass(frozen=True, kw_only=True)
class RunView:
    """One look at a run. What comes from results is null while there are none.

    Parameters
    ----------
    metrics
        What was measured, where there is nothing else.
    uncut
        Why the chart has the intervals that it has, and no other ones can be chosen; empty if they can.
    """

    handle: RunHandle
    log: str
    summary: pd.DataFrame | None = None
    errors: pd.DataFrame | None = None
    cases: pd.DataFrame | None = None
    metrics: pd.DataFrame | None = None
    report: IngestReport | None = None
    figure: Figure | None = None
    interval: str = ""
    uncut: str = ""

    @property
    def run(self) -> Run:
        """The registry's record."""
        return self.handle.record

    @property
    def total(self) -> dict[str, Any] | None:
        """The figures of all requests; null if there are none."""
        return None if self.summary is None else _total(self.summary)


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
        self._cases = Fragment()
        self._report = Fragment()
        self._log = Fragment()

    def __panel__(self) -> pn.Column:
        results = [self._chart, self._summary, self._errors, self._cases, self._report]
        return pn.Column(self._problem, self._head, *results, self._log, sizing_mode="stretch_width")

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
            handle = self._workspace.get(int(self.run_id))
        except NotFoundError:
            return NoRun(
                title="No such run",
                advice=f"There is no run {self.run_id[:40]} in this workspace. Choose one on the overview.",
            )
        return _look(handle, self.interval)

    def display(self, content: RunView | NoRun) -> None:
        """See ``LivePage``."""
        if isinstance(content, NoRun):
            self._head.display(render("message.html", title=content.title, advice=content.advice, overview=OVERVIEW))
            self.is_live = False
            return
        self._head.display(_head(content))
        self._log.display(_log(content.log))
        if content.figure is not None:
            self._chart.display(content.figure, content.interval, content.uncut)
        if content.summary is not None and content.errors is not None:
            self._summary.display(content.summary)
            self._errors.display(_errors(content.errors, (content.total or {}).get("failures")))
        self._cases.display("" if content.cases is None else _cases(content.cases))
        self._report.display("" if content.report is None else render("report.html", lines=content.report.lines()))
        self.is_live = not content.run.status.is_final


def _look(handle: RunHandle, interval: str) -> RunView:
    log = handle.log()
    if not handle.status.is_final:
        return RunView(handle=handle, log=log)
    try:
        summary = handle.summary()
    except (NotFoundError, ConflictError):  # it ended without results
        return RunView(handle=handle, log=log)
    cases = handle.cases()
    view = RunView(handle=handle, log=log, cases=cases if len(cases) else None, report=handle.ingest_report())
    if len(summary):
        view = replace(view, summary=summary, errors=handle.errors())
    elif not len(cases):
        view = replace(view, metrics=handle.metrics())
    view = _drawn(view, interval or finest(handle.record))
    return view if view.figure and view.figure.data else replace(view, figure=None)


def _drawn(view: RunView, interval: str) -> RunView:
    try:
        return replace(view, figure=view.handle.figure("timeline", interval=interval), interval=interval)
    except (
        NotFoundError
    ) as error:  # there are no samples any more, or never were: the intervals are those that are left
        return replace(view, figure=view.handle.figure("timeline"), uncut=str(error))


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
        total=view.total,
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


def _total(summary: pd.DataFrame) -> dict[str, Any] | None:
    return next(iter(records(summary[summary["scope"] == "total"])), None)


def _waiting(view: RunView) -> dict[str, str] | None:
    """Say what stands where the results would stand."""
    if view.summary is not None or view.cases is not None:
        return None
    if view.metrics is not None:
        return _measured(view.metrics)
    if view.run.status is RunStatus.QUEUED:
        return {"title": "Waiting in the queue.", "advice": "It starts when its location has room."}
    if view.run.status is RunStatus.RUNNING:
        return {"title": "The run is running.", "advice": "Its results appear here by themselves when it has ended."}
    return {
        "title": "This run has no results.",
        "advice": "Nothing was measured or handed in. Execute a load with “ator run”, or try “ator demo”.",
    }


def _measured(metrics: pd.DataFrame) -> dict[str, str]:
    names = sorted(metrics["metric"].unique())
    more = f" and {len(names) - METRICS_NAMED} more" if len(names) > METRICS_NAMED else ""
    if not names:
        return {"title": "This run has results without a row.", "advice": "See below what was read."}
    return {
        "title": "This run has measurements only, and no requests.",
        "advice": f"{count(len(metrics))} values of {', '.join(names[:METRICS_NAMED])}{more}.",
    }


def _errors(errors: pd.DataFrame, failures: int | None) -> str:
    shown = records(errors.head(ERROR_KINDS))
    return render("errors.html", errors=shown, hidden=max(0, len(errors) - ERROR_KINDS), failures=failures)


def _cases(cases: pd.DataFrame) -> str:
    """Show those first that did not pass, and as many of all as a browser shows with ease."""
    counts = cases["status"].value_counts()
    in_order = cases.sort_values("status", key=lambda status: status.map(_RANKS), kind="stable")
    return render(
        "cases.html",
        counts={status: int(counts[status]) for status in in_order["status"].unique()},
        cases=records(in_order.head(CASES_SHOWN)),
        hidden=max(0, len(cases) - CASES_SHOWN),
    )


def _log(text: str) -> str:
    lines = text.rstrip().splitlines()
    shown = "\n".join(lines[-LOG_LINES:])
    return render("log.html", lines=shown, cut=len(lines) > LOG_LINES, count=LOG_LINES)
