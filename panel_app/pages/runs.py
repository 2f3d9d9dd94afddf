"""Runs: all that there were, filtered, sorted and chosen for a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import param

from ator_lib import RunStatus, UsageError
from panel_app import runs_table as table
from panel_app.code import call
from panel_app.fragment import Fragment
from panel_app.frames import records
from panel_app.links import RUNS, UPLOAD, compare_link, run_link, web_link
from panel_app.markup import render
from panel_app.page import Page, Visitor
from panel_app.runs_filter import LABELS, RANGES, TEXTS, RunsFilter
from panel_app.sorting import Column, headings
from panel_app.suggestions import suggestions

if TYPE_CHECKING:
    from ator_lib import Workspace

PAGE = 50
"""Runs on a page."""

MOST_SELECTED = 200
"""Runs that can be chosen at once: all of them stand in the address."""

_OFFERED, _FOLDED_TEXTS = list(TEXTS)[:4], list(TEXTS)[4:]
_FOLDED = {*_FOLDED_TEXTS, *RANGES, "run_id", "attribute"}
"""Filters that are folded in until one of them is set."""

_NEWEST = "-run_id"


@dataclass(frozen=True, kw_only=True)
class RunsView:
    """A page of runs; ``problem`` is why there is none: something in the filters is off.

    Parameters
    ----------
    pinned
        Names of the baselines that runs are pinned as, by run.
    suggestions
        Values of the text filters to choose from.
    """

    suggestions: Mapping[str, list[str]]
    runs: list[dict[str, Any]]
    pinned: Mapping[int, list[str]]
    total: int
    problem: str | None = None


class RunsPage(RunsFilter, Page):
    """Runs with their filters, a page at a time, and what can be done with them."""

    order: param.Selector[str] = param.Selector(default=_NEWEST, objects=table.ORDERS)
    offset = param.Integer(default=0, bounds=(0, 1_000_000), doc="Runs before the first one shown.")
    columns = param.ListSelector(default=list(table.USUAL), objects=[column.key for column in table.CHOSEN])
    selected = param.List(default=[], item_type=int, bounds=(0, MOST_SELECTED), doc="Runs to compare.")

    PATH = RUNS
    TITLE = "Runs"
    REFRESH_MS = 5000

    def __init__(self, workspace: Workspace, visitor: Visitor, **state: Any) -> None:
        super().__init__(workspace, visitor, **state)
        self._filters = Fragment()
        self._table = Fragment()
        self._seen: tuple[str, RunsView] | None = None

    def parts(self) -> list[Any]:
        """See ``Page``."""
        return [self._filters, self._table]

    def read(self) -> RunsView:
        """See ``Page``."""
        suggested = suggestions(self.workspace)
        try:
            where = self.where()
            frame = self.workspace.history(limit=PAGE, order=self.order, offset=self.offset, figures=True, **where)
            total = self._total(len(frame), where)
        except UsageError as error:
            return RunsView(suggestions=suggested, runs=[], pinned={}, total=0, problem=str(error))
        runs = [table.lasting(run, datetime.now(UTC)) for run in records(frame)]
        return RunsView(suggestions=suggested, runs=runs, pinned=_pinned(self.workspace), total=total)

    def _total(self, shown: int, where: Mapping[str, Any]) -> int:
        """Say how many runs match; the last page tells it by itself."""
        is_last = 0 < shown < PAGE or (shown, self.offset) == (0, 0)
        return self.offset + shown if is_last else self.workspace.count(**where)

    def display(self, content: RunsView) -> None:
        """See ``Page``."""
        if (self.query, content) == self._seen:  # to write fifty rows takes as long as to read them
            return
        self._filters.display(self._filters_html(content))
        self._table.display(self._table_html(content))
        self._seen = self.query, content
        is_newest_page = self.order == _NEWEST and self.offset == 0
        self.is_live = is_newest_page or any(not RunStatus(run["status"]).is_final for run in content.runs)

    def code(self, content: RunsView) -> str:
        """See ``Page``."""
        if content.problem:
            return ""
        where = self.where()
        paging = {"order": self.order, "limit": PAGE, "offset": self.offset or None, "figures": True}
        return f"{call('ws.count', **where)}\n{call('ws.history', **where, **paging)}"

    # --- its cards ---

    def _filters_html(self, content: RunsView) -> str:
        return render(
            "runs_filters.html",
            total=content.total,
            problem=content.problem,
            given=self.filters,
            is_folded_out=any(name in _FOLDED for name in self.filters),
            labels=LABELS,
            texts=_OFFERED,
            folded_texts=_FOLDED_TEXTS,
            ranges=RANGES,
            suggestions=content.suggestions,
            statuses=[status.value for status in RunStatus],
            kept=self._kept("order", "columns", "selected"),
            without=self._without,
            reset=self._without(*self.filters),
        )

    def _table_html(self, content: RunsView) -> str:
        if content.problem:
            return ""
        columns = table.columns_of(self.columns)
        return render(
            "runs_table.html",
            rows=[self._row(run, columns, content.pinned) for run in content.runs],
            headings=headings(columns, self.order),
            place=table.Place(offset=self.offset, size=PAGE, total=content.total),
            selection=self._selection(content.runs),
            choices=table.CHOSEN,
            chosen=self.columns,
            kept=self._kept(*LABELS, "order", "offset", "columns"),
            kept_of_columns=self._kept(*LABELS, "order", "offset", "selected"),
            link=self._same_page,
            wider=self._wider(),
            is_filtered=bool(self.filters),
            all_runs=self._without(*self.filters),
            visitor=self.visitor,
            run_link=run_link,
            upload=UPLOAD,
        )

    def _row(self, run: Mapping[str, Any], columns: list[Column], pinned: Mapping[int, list[str]]) -> dict[str, Any]:
        status = RunStatus(run["status"])
        return {
            **run,
            "cells": table.cells(run, columns),
            "is_bad": bool(run["error_rate"]),
            "is_final": status.is_final,
            "may_be_pinned": status in (RunStatus.SUCCESS, RunStatus.FAILURE),
            "pinned": pinned.get(run["run_id"], []),
            "is_selected": run["run_id"] in self.selected,
            "dashboard": web_link(run["dashboard_url"]),
        }

    def _selection(self, runs: list[dict[str, Any]]) -> dict[str, Any]:
        """Say what is selected, and where it is compared: the oldest run is the baseline of all others."""
        here = [run["run_id"] for run in runs]
        together = list(dict.fromkeys([*self.selected, *here]))
        can_grow = len(self.selected) < len(together) <= MOST_SELECTED
        oldest, newer = sorted(self.selected)[:1], sorted(self.selected)[1:]
        return {
            "count": len(self.selected),
            "elsewhere": [run_id for run_id in self.selected if run_id not in here],
            "is_full": len(self.selected) >= MOST_SELECTED,
            "oldest": next(iter(oldest), None),
            "compare": compare_link(newer, oldest, each=len(newer) > 1) if newer else None,
            "cleared": self._same_page(selected=[]),
            "with_page": self._same_page(selected=together) if can_grow else None,
        }

    # --- other views ---

    def _kept(self, *names: str) -> list[tuple[str, str]]:
        """Give the fields that a form keeps of the state."""
        others = {name: type(self).param[name].default for name in self.state_names() if name not in names}
        return parse_qsl(self.link(**others)[1:], keep_blank_values=True)

    def _same_page(self, **changes: Any) -> str:
        """Link to another view; what shows other runs, or in another order, begins with its first page."""
        return self.link(**({"offset": 0} if "order" in changes else {}), **changes)

    def _without(self, *names: str) -> str:
        """Link to the view without these filters."""
        return self.link(offset=0, **{name: type(self).param[name].default for name in names})

    def _wider(self) -> str | None:
        """Link to the view that looks for the texts anywhere; null if none is looked for as a whole."""
        whole = [name for name in TEXTS if name in self.filters and "%" not in self.filters[name]]
        return self.link(offset=0, **{name: f"%{self.filters[name]}%" for name in whole}) if whole else None


def _pinned(workspace: Workspace) -> dict[int, list[str]]:
    names: dict[int, list[str]] = {}
    for baseline in records(workspace.baselines.list()):
        names.setdefault(baseline["run_id"], []).append(baseline["name"])
    return names
