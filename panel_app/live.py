"""Pages that keep themselves up to date while a browser shows them."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from typing import Any

import panel as pn
from panel.viewable import Viewer

from ator_lib import AtorError
from panel_app.fragment import Fragment
from panel_app.markup import render

REFRESH_MS = 2500
"""Time between two refreshes of a page."""

log = logging.getLogger(__name__)


class LivePage(Viewer):
    """A page that reads in a thread of its own, so that a slow store holds nobody else up, and then shows.

    ``is_live`` says whether a further refresh could show anything new.
    """

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.is_live = True
        self._problem = Fragment()
        self._turn = asyncio.Lock()

    @abstractmethod
    def read(self) -> Any:
        """Ask the workspace; runs in a thread and touches nothing that is shown."""

    @abstractmethod
    def display(self, content: Any) -> None:
        """Show what ``read`` returned."""

    async def refresh(self) -> None:
        """Read and show; a failure is told on the page, and the next refresh tries again."""
        async with self._turn:  # what was read later is shown later
            if self.is_live:
                await self._refresh()

    async def _refresh(self) -> None:
        try:
            self.display(await asyncio.to_thread(self.read))
        except AtorError as error:
            self._tell(f"The data cannot be read: {error}")
        except Exception:
            log.exception("page %s cannot be refreshed", type(self).__name__)
            self._tell("The data cannot be read: an unexpected error, see the server's log. Trying again.")
        else:
            self._tell(None)

    def _tell(self, problem: str | None) -> None:
        self._problem.display(render("notice.html", problem=problem))


def keep_fresh(page: LivePage) -> None:
    """Refresh the page when the browser has loaded it and from then on, until its session ends."""

    async def begin() -> None:
        # not earlier: Panel loses what changes between a page's delivery and its being ready
        pn.state.add_periodic_callback(page.refresh, period=REFRESH_MS)  # type: ignore[arg-type]  # wrongly annotated
        await page.refresh()

    pn.state.onload(begin)
