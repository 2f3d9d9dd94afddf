"""Trends: a metric over the runs of a test, since when it is another, and what people say of it."""

from __future__ import annotations

from datetime import MAXYEAR, UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import param

from panel_app.chart_card import ChartCard
from panel_app.code import call
from panel_app.fragment import Fragment
from panel_app.links import TRENDS, address, compare_link, run_link
from panel_app.markup import render
from panel_app.metrics import FOLLOWED
from panel_app.moments import Moment, as_time
from panel_app.page import Page, Visitor
from panel_app.trend_cards import changes_html, form_html, heading_html, marks_html, point_html
from panel_app.trend_view import ENDED, Tests, TrendAnswer, look, tests

if TYPE_CHECKING:
    from ator_lib import Workspace

NARROWEST_PX = 560


class TrendsPage(Page):
    """A metric over runs; the parameters are those of ``ws.trend``, where empty and 0 are none."""

    test = param.String(default="")
    metric: param.Selector[str] = param.Selector(default="p95_ms", objects=list(FOLLOWED))
    by = param.String(default="name", doc="name, total, a text column of the registry, or an attribute.")
    stream = param.String(default="")
    environment = param.String(default="")
    location = param.String(default="")
    days = param.Integer(default=0, bounds=(0, 36500), doc="So many before today, unless there is `since`.")
    since = Moment(default="", doc="A day, or a time.")
    until = Moment(default="", doc="A day, which is included, or a time, which is not.")
    last = param.Integer(default=0, bounds=(0, 1_000_000), doc="Only so many runs.")
    minimum_effect = param.String(default="", doc="The smallest change that counts, 0.05 is 5 %.")
    series = param.List(default=[], item_type=str, doc="Those that are drawn; none: as the library chooses.")
    point = param.Integer(default=0, bounds=(0, None), doc="The run that somebody points at.")

    PATH = TRENDS
    TITLE = "Trends"
    REFRESH_MS: ClassVar[int] = 15_000

    def __init__(self, workspace: Workspace, visitor: Visitor, **state: Any) -> None:
        super().__init__(workspace, visitor, **state)
        self._head = Fragment()
        self._chart = ChartCard(label="The metric over runs", narrowest_px=NARROWEST_PX, on_click=self._point_at)
        self._point, self._changes, self._marks, self._notes = (Fragment() for _ in range(4))

    def parts(self) -> list[Any]:
        """See ``Page``."""
        return [self._head, self._chart, self._point, self._changes, self._marks, self._notes]

    def read(self) -> TrendAnswer | Tests | str:
        """See ``Page``."""
        if not self.test.strip():
            return tests(self.workspace)
        try:
            asked = self._asked()
        except ValueError as error:
            return f"minimum_effect is no number: {error}"
        return look(self.workspace, asked, self.series, self.point)

    def _asked(self) -> dict[str, Any]:
        """Give the arguments of ``ws.trend``."""
        asked = {name: getattr(self, name) or None for name in ("stream", "environment", "location", "last")}
        asked |= {"since": self.since or self._first_day(), "until": self._end()}
        asked |= {"minimum_effect": float(self.minimum_effect) if self.minimum_effect else None}
        given = {name: value for name, value in asked.items() if value is not None}
        return {"test": self.test, "metric": self.metric, "by": self.by} | given

    def _first_day(self) -> str | None:
        return f"{datetime.now(UTC) - timedelta(days=self.days):%Y-%m-%d}" if self.days else None

    def _end(self) -> str | None:
        """Give the day after that of ``until``: those who say a day mean all of it."""
        end = as_time(self.until)
        if end is None or "T" in self.until or end.year == MAXYEAR:
            return self.until or None
        return f"{end + timedelta(days=1):%Y-%m-%d}"

    def _point_at(self, told: Any) -> None:
        """Show the run whose point is clicked: its id, or words and then its id."""
        run_id = told[1] if isinstance(told, list) and len(told) > 1 else told
        if isinstance(run_id, int):
            self.point = run_id

    def display(self, content: TrendAnswer | Tests | str) -> None:
        """See ``Page``."""
        if isinstance(content, Tests):
            self._clear()
            links = {"link": self.link, "run_link": run_link, "compare_link": compare_link, "address": address}
            self._head.display(render("trend_tests.html", **vars(content), **links))
            return
        form = form_html(self, self.workspace)
        if isinstance(content, str):
            self._clear()
            self._head.display(form + render("trend_problem.html", problem=content, link=self.link))
            return
        found = content.found
        self._head.display(form)
        self._chart.display(heading_html(self, content), content.figure)
        self._point.display(point_html(self, content) if content.point else "")
        self._changes.display(changes_html(found, self.metric, content.series, self.link))
        self._marks.display(marks_html(found.marks, self.visitor))
        self._notes.display(render("compare_notes.html", notes=found.trend.notes))

    def _clear(self) -> None:
        for card in (self._point, self._changes, self._marks, self._notes):
            card.display("")
        self._chart.display()

    def code(self, content: TrendAnswer | Tests | str) -> str:
        """See ``Page``."""
        if isinstance(content, str):
            return ""
        if isinstance(content, Tests):
            return f"tests = {{test: ws.count(test=test, status={ENDED!r}) for test in ws.values('test')}}"
        asked = self._asked()
        figure = call("trend.figure", *([content.series] if content.series else []))
        made = call("ws.trend", asked.pop("test"), asked.pop("metric"), **asked)
        return "\n".join([f"trend = {made}", "trend.headline", figure, "trend.changes", "trend.marks"])
