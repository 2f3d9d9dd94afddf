"""Overview: what runs now, who waits, what got worse, how full the locations are, what ran lately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from panel_app.fragment import Fragment
from panel_app.links import OVERVIEW, RUNS, address, compare_link, run_link
from panel_app.markup import render
from panel_app.page import Page, Visitor
from panel_app.shared import shared_of
from panel_app.snapshot import ENDED, LATEST, MOST_SHOWN, Snapshot, look

if TYPE_CHECKING:
    from ator_lib import Workspace

NAMED = 3
"""So many of those whom a queued run waits for are named; the others are counted."""

SHARED_FOR_S = 2
"""All open pages share one look at the workspace, this fresh."""

CODE = f"""\
running = ws.running()
queue = ws.queue()
locations = ws.locations.list()
regressed = ws.verdicts(verdict="regressed", since="{{week_ago}}")
verdicts = ws.verdicts(limit={LATEST})
latest = ws.history(status={ENDED}, limit={LATEST}, figures=True)
begun, failed = ws.count(since="{{week_ago}}"), ws.count(since="{{week_ago}}", status="failure")"""

CARDS = ("tiles", "running", "gauges", "queue", "regressions", "verdicts", "latest")
"""From top to bottom; each has a template of its name."""


@dataclass(frozen=True, kw_only=True)
class Overview:
    """A look at the workspace, and the HTML of its cards, which is the same for everybody."""

    snapshot: Snapshot
    cards: Mapping[str, str]


class OverviewPage(Page):
    """What a manager understands in ten seconds, and a performance engineer keeps open all day."""

    PATH = OVERVIEW
    TITLE = "Overview"

    def __init__(self, workspace: Workspace, visitor: Visitor) -> None:
        super().__init__(workspace, visitor)
        self._cards = {name: Fragment() for name in CARDS}

    def parts(self) -> list[Any]:
        """See ``Page``."""
        return list(self._cards.values())

    def read(self) -> Overview:
        """See ``Page``."""
        moment = int(monotonic() / SHARED_FOR_S)
        overview: Overview = shared_of(self.workspace, "overview", 1).get(moment, lambda: _drawn(self.workspace))
        return overview

    def display(self, content: Overview) -> None:
        """See ``Page``."""
        for name, card in self._cards.items():
            card.display(content.cards[name])

    def code(self, content: Overview) -> str:
        """See ``Page``."""
        return CODE.format(week_ago=content.snapshot.week_ago)


def _drawn(workspace: Workspace) -> Overview:
    snapshot = look(workspace)
    return Overview(snapshot=snapshot, cards={name: _card(name, snapshot) for name in CARDS})


def _card(name: str, snapshot: Snapshot) -> str:
    return render(
        f"{name}.html",
        now=snapshot,
        most=MOST_SHOWN,
        named=NAMED,
        run_link=run_link,
        compare_link=compare_link,
        runs_link=lambda **filters: address(RUNS, **filters),
    )
