"""Compare: whether runs got worse than others, where, by how much, and whether they may be compared at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import param

from ator_lib import UsageError
from panel_app.chart_card import ChartCard
from panel_app.compare_cards import checks_html, contributions, distributions_html, head_html, not_explained_html
from panel_app.compare_code import code_of
from panel_app.compare_options import options_of
from panel_app.compare_table import ORDERS, VERDICTS, Filters, each_html, endpoints_html
from panel_app.compare_view import (
    DRAWN,
    Answer,
    Asked,
    Choice,
    Compared,
    EachCompared,
    Explained,
    Pictures,
    choices,
    draw,
    explain,
    look,
)
from panel_app.fragment import Fragment
from panel_app.links import COMPARE, address, compare_link, run_link
from panel_app.markup import render
from panel_app.metrics import COMPARED
from panel_app.page import Page, Visitor

if TYPE_CHECKING:
    from ator_lib import Workspace

DECIDING = ("minimum_effect", "warm_up", "waive", "mapping")
"""State that changes what a comparison says."""

FILTERS = ("search", "verdict", "metric")
"""State of the table."""

CHANGES = "dots are the changes, lines their intervals, the band is what would not matter"

NARROWEST_PX, TWO_PANELS_PX = 860, 560
"""Six metrics beside each other, and two endpoints."""

TALLEST_PX = 760
"""Hundreds of endpoints below each other."""

Content: TypeAlias = Answer | Pictures | Explained | Choice


class ComparePage(Page):
    """Runs against a baseline: one or several as one side, or each by itself."""

    run = param.List(default=[], item_type=int, doc="The contenders.")
    baseline = param.List(default=[], item_type=str, doc="Runs, pinned names or a search; empty: the run before.")
    each = param.Boolean(default=False, doc="Compare each run with the baseline, not all as one side.")
    minimum_effect = param.String(default="", doc="As `options_of` reads it.")
    warm_up = param.String(default="", doc="Seconds, or auto.")
    waive = param.List(default=[], item_type=str, doc="Checks that may fail.")
    mapping = param.String(default="", doc="As `options_of` reads it.")
    metric: param.Selector[str] = param.Selector(default="", objects=["", *COMPARED])
    verdict: param.Selector[str] = param.Selector(default="", objects=["", *VERDICTS])
    search = param.String(default="", doc="A part of an endpoint's name.")
    order: param.Selector[str] = param.Selector(default="verdict", objects=ORDERS)
    endpoint = param.List(default=[], item_type=str, doc="Whose distributions.")
    explain = param.Boolean(default=False)
    measure = param.String(default="", doc="What is taken apart.")
    choose = param.Boolean(default=False, doc="Choose runs, although some are chosen.")
    test = param.String(default="", doc="Of the runs to choose from.")

    PATH = COMPARE
    TITLE = "Compare"

    def __init__(self, workspace: Workspace, visitor: Visitor, **state: Any) -> None:
        super().__init__(workspace, visitor, **state)
        self._head = Fragment()
        self._checks, self._options, self._table, self._notes = (Fragment() for _ in range(4))
        self._changes = ChartCard(
            label="Changes with their intervals", narrowest_px=NARROWEST_PX, tallest_px=TALLEST_PX
        )
        self._distributions = ChartCard(label="Latency distributions of both sides", narrowest_px=TWO_PANELS_PX)
        self._contributions = ChartCard(label="What the change is made of", narrowest_px=NARROWEST_PX)
        self._drawn: Compared | EachCompared | None = None  # what the figures are of
        self._explained: Compared | EachCompared | None = None  # and what is taken apart

    def parts(self) -> list[Any]:
        """See ``Page``."""
        cards = [self._head, self._checks, self._table, self._changes, self._distributions, self._contributions]
        return [*cards, self._notes, self._options]

    def read(self) -> Content:
        """See ``Page``."""
        if self.choose or not self.run:
            return choices(self.workspace, self.test, self._chosen)
        try:
            found = look(self.workspace, self._asked())
        except UsageError as error:  # an option that cannot be read
            found = str(error)
        return self._refused(found) if isinstance(found, str) else found

    def read_more(self, content: Content) -> Content | None:
        """See ``Page``: the figures after the verdicts, and then what the change is made of."""
        if isinstance(content, Answer):
            drawn = draw(self.workspace, content)
            return self._refused(drawn) if isinstance(drawn, str) else drawn
        return explain(self.workspace, content.answer) if isinstance(content, Pictures) else None

    def _refused(self, problem: str) -> Choice:
        return choices(self.workspace, self.test, self._chosen, problem)

    @property
    def _is_each(self) -> bool:
        """Whether runs are compared one by one: a single one has a comparison to itself anyway."""
        return self.each and len(self.run) > 1

    @property
    def _chosen(self) -> list[int]:
        return [*self.run, *(int(text) for text in self.baseline if text.isdecimal())]

    def _asked(self) -> Asked:
        given = {name: getattr(self, name) for name in DECIDING}
        return Asked(
            runs=tuple(self.run),
            baseline=tuple(self.baseline),
            each=self._is_each,
            options=options_of(**given),
            metric=self._filters.metric,
            endpoints=tuple(self.endpoint),
            explain=self.explain,
            measure=self.measure,
        )

    @property
    def _filters(self) -> Filters:
        metric = self.metric or ("p95_ms" if self._is_each else "")
        return Filters(metric=metric, verdict=self.verdict, search=self.search, order=self.order)

    def display(self, content: Content) -> None:
        """See ``Page``."""
        self.is_live = False  # results never change
        if isinstance(content, Choice):
            self._offer(content)
        elif isinstance(content, Pictures):
            self._show_pictures(content)
        elif isinstance(content, Explained):
            self._explained = content.answer.found
            self._contributions.display(*contributions(content, self.link))
        else:
            self._show_answer(content)

    def _show_answer(self, content: Answer) -> None:
        self._head.display(head_html(content, self.link, report=self._report(content), path=COMPARE))
        self._options.display(self._decided(content.asked.options))
        if content.found is not self._drawn:  # what is drawn is of others
            self._clear(self._changes, self._distributions, self._contributions)
        if isinstance(content.found, EachCompared):
            self._show_each(content.found, content)
        else:
            self._show_whole(content.found)

    def _show_whole(self, found: Compared) -> None:
        self._checks.display(checks_html(found.checks, self.waive, self.link))
        self._table.display(endpoints_html(found, self._filters, self.link, kept=self.kept(*FILTERS)))
        self._notes.display(render("compare_notes.html", notes=found.comparison.notes))

    def _show_each(self, found: EachCompared, answer: Answer) -> None:
        filters, baseline = self._filters, [str(run_id) for run_id in found.baseline]
        form = {"kept": self.kept(*FILTERS), "run_link": run_link, "baseline": baseline}
        self._table.display(each_html(found, answer.asked.runs, filters, self.link, **form))
        self._clear(self._checks, self._notes)

    def _show_pictures(self, pictures: Pictures) -> None:
        asked, self._drawn = pictures.answer.asked, pictures.answer.found
        title = f"{COMPARED[asked.metric]}, run by run" if asked.each else "Changes"
        is_cut = isinstance(self._drawn, Compared) and len(self._drawn.endpoints) > DRAWN
        said = f"{CHANGES}; the {DRAWN} endpoints that need eyes first" if is_cut else CHANGES
        self._changes.display(render("card_heading.html", title=title, said=said), pictures.changes)
        if isinstance(self._drawn, Compared):
            heading = distributions_html(self._drawn, self.endpoint, self.link, kept=self.kept("endpoint"))
            self._distributions.display(heading, pictures.distributions)
            if not asked.explain or self._explained is not self._drawn:
                self._explained = None
                self._contributions.display(not_explained_html(self.link, is_asked=asked.explain))

    def _clear(self, *cards: Fragment | ChartCard) -> None:
        for card in cards:
            card.display("")

    def _offer(self, choice: Choice) -> None:
        self._clear(self._checks, self._options, self._table, self._notes)
        self._clear(self._changes, self._distributions, self._contributions)
        self._head.display(
            render(
                "compare_choice.html",
                **vars(choice),
                test=self.test,
                chosen=self.run,
                each=self.each,
                baseline=self.baseline,
                kept=self.kept("test"),
                path=COMPARE,
                run_link=run_link,
                compare_link=compare_link,
            )
        )

    def _decided(self, options: Mapping[str, Any]) -> str:
        given = ", ".join(name.replace("_", " ") for name in options)
        kept = self.kept("minimum_effect", "warm_up", "mapping")
        return render("compare_options.html", asked=self, given=given, waived=self.waive, kept=kept, link=self.link)

    def _report(self, answer: Answer) -> str | None:
        """Where the report of a comparison is made; it is one with the default options."""
        if self._is_each or answer.asked.options:
            return None
        return address(f"{COMPARE}/report", contender=self.run, baseline=answer.found.baseline)

    def code(self, content: Content) -> str:
        """See ``Page``."""
        if isinstance(content, Choice):
            return ""
        answer = content if isinstance(content, Answer) else content.answer
        return code_of(answer.asked, self._filters)
