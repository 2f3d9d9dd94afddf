"""Run: what one run was, how it went, and its results; while it runs, how it is doing."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import param

from ator_lib import AtorError, NotFoundError
from panel_app.chart_card import ChartCard
from panel_app.fragment import Fragment
from panel_app.links import RUN, RUNS
from panel_app.markup import render
from panel_app.moments import Moment, as_time
from panel_app.page import Page, Visitor
from panel_app.run_cards import cards
from panel_app.run_charts import CourseCard, closer, over_time
from panel_app.run_code import code_of
from panel_app.run_head import facts_html, head_html, tiles_html, verdict_html
from panel_app.run_results import INTERVALS, VIEWS, Asked, Results
from panel_app.run_view import RunView, look
from panel_app.summary import ORDERS, summary_html

if TYPE_CHECKING:
    from ator_lib import Workspace

_RUN_ID = re.compile(r"[0-9]{1,18}")  # what fits into the database's numbers

_CARDS = (
    *("head", "verdict", "tiles", "queue", "live", "summary"),
    *("errors", "cases", "overlaps", "facts", "artifacts", "ingest", "log"),
)


@dataclass(frozen=True, kw_only=True)
class NoRun:
    """There is no such run: what to tell instead."""

    title: str
    advice: str


class RunPage(Page):
    """What is known of the run that ``run_id`` names; ``since`` and ``until`` look into a part of its time."""

    run_id = param.String(default="", doc="As written in the URL; it may be anything.")
    since = Moment(default="", doc="What is shown is of the requests from then on.")
    until = Moment(default="", doc="… and before then.")
    interval: param.Selector[str] = param.Selector(
        default="", objects=["", *INTERVALS], doc="Of the chart over time; empty: as fits."
    )
    order: param.Selector[str] = param.Selector(default="name", objects=ORDERS, doc="Of the summary's rows.")
    find = param.String(default="", doc="A part of the names of the summary's rows.")
    all_rows = param.Boolean(default=False, doc="Of the summary, however many.")
    view: param.Selector[str] = param.Selector(default=next(iter(VIEWS)), objects=list(VIEWS), doc="The closer look.")
    endpoint = param.String(default="", doc="Whose distribution; empty: that of all requests.")

    PATH = RUN
    TITLE = "Run"

    def __init__(self, workspace: Workspace, visitor: Visitor, **state: Any) -> None:
        super().__init__(workspace, visitor, **state)
        self._cards = {name: Fragment() for name in _CARDS}
        self._unjudged: int | None = None
        self._compared: int | None = None
        self._course = CourseCard()
        self._over_time = ChartCard(zooms=True, label="Throughput, users and latency over time")
        self._closer = ChartCard(label="A closer look")

    @property
    def title(self) -> str:
        """See ``Page``."""
        return f"Run {self.run_id}" if _RUN_ID.fullmatch(self.run_id) else self.TITLE

    def parts(self) -> list[Any]:
        """See ``Page``."""
        head, verdict, tiles, queue, live, summary, *others = (self._cards[name] for name in _CARDS)
        return [head, verdict, tiles, queue, self._course, live, self._over_time, summary, self._closer, *others]

    def read(self) -> RunView | NoRun:
        """See ``Page``."""
        if not self.run_id:
            return NoRun(title="No run chosen", advice="The address names no run. Choose one from the list.")
        if not _RUN_ID.fullmatch(self.run_id):
            advice = f"“{self.run_id[:40]}” is no run number. Choose one from the list."
            return NoRun(title="No such run", advice=advice)
        try:
            handle = self.workspace.get(int(self.run_id))
        except NotFoundError:
            advice = f"There is no run {self.run_id[:40]} in this workspace, or no more. Choose one from the list."
            return NoRun(title="No such run", advice=advice)
        return look(self.workspace, handle, self._asked(), self._course.known_s(handle.run_id))

    async def refresh(self) -> None:
        """See ``Page``. A first comparison takes seconds with long runs; all else is there meanwhile."""
        await super().refresh()
        if self._unjudged is not None:
            self._compared = self._unjudged
            with suppress(AtorError):  # what is wrong is told by the next look
                await asyncio.to_thread(self.workspace.verdict, self._compared)
            await super().refresh()

    def _asked(self) -> Asked:
        return Asked(
            since=as_time(self.since),
            until=as_time(self.until),
            interval=self.interval,
            view=self.view,
            endpoint=self.endpoint,
        )

    def display(self, content: RunView | NoRun) -> None:
        """See ``Page``."""
        view = content if isinstance(content, RunView) else None
        if isinstance(content, NoRun):
            shown = {"head": render("message.html", title=content.title, advice=content.advice, runs=RUNS)}
        else:
            shown = {**self._upper(content), **cards(content)}
        for name, fragment in self._cards.items():
            fragment.display(shown.get(name, ""))
        self._draw(view)
        self._unjudged = view.run.run_id if view is not None and self._is_due(view) else None
        self.is_live = view is not None and not view.run.status.is_final

    def _is_due(self, view: RunView) -> bool:
        """Whether the run is still to be compared; not a second time for want of a baseline."""
        return not view.is_judged and (view.verdict is None or view.run.run_id != self._compared)

    def _upper(self, view: RunView) -> dict[str, str]:
        return {
            "head": head_html(view, self.visitor),
            "verdict": verdict_html(view),
            "tiles": tiles_html(view, self.link),
            "facts": facts_html(view),
            "summary": self._summary(view.results) if view.results and view.results.has_requests else "",
        }

    def _summary(self, results: Results) -> str:
        return summary_html(
            results.summary,
            {} if self._asked().part else results.sparklines,
            order=self.order,
            find=self.find,
            is_all=self.all_rows,
            link=self.link,
            kept=self.kept("find"),
        )

    def _draw(self, view: RunView | None) -> None:
        results = view.results if view else None
        self._course.follow(view)
        if view is None or results is None:
            self._over_time.display()
            self._closer.display()
            return
        self._over_time.display(*over_time(view, results, self.link, self.kept("since", "until")))
        self._closer.display(*closer(view, results, self.link, self.kept("endpoint")))

    def code(self, content: RunView | NoRun) -> str:
        """See ``Page``."""
        return code_of(content) if isinstance(content, RunView) else ""
