"""What every page is: a view of the workspace whose whole state stands in the address."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from urllib.parse import parse_qsl

import panel as pn
import param
from panel.viewable import Viewer

from ator_lib import AtorError
from panel_app import query
from panel_app.code import as_script
from panel_app.fragment import Fragment
from panel_app.markup import render

if TYPE_CHECKING:
    from ator_lib import Workspace

log = logging.getLogger(__name__)


class Visitor(Protocol):
    """Whom a page is shown to, as the server's guard knows it."""

    @property
    def name(self) -> str | None:
        """Of the token; null without one."""

    @property
    def role(self) -> str:
        """What the token may do."""

    @property
    def may_run(self) -> bool:
        """Whether doors that change runs are open."""

    @property
    def may_admin(self) -> bool:
        """Whether those of the server are, too."""

    @property
    def can_log_out(self) -> bool:
        """Whether there was a login."""


class Page(Viewer):
    """A page that reads in a thread of its own, so that a slow store holds nobody else up, and then shows.

    Whatever parameters a page declares are its state: each of them is a name in the address's query, so
    that a link, a reload and the back button give the same view again. A page only looks; what changes
    the workspace is asked of the server's doors by the browser itself (``data-post`` in its HTML).

    Attributes
    ----------
    is_live
        Whether a further look could show anything new although the state is the same.
    """

    PATH: ClassVar[str]
    """Where it is served."""
    TITLE: ClassVar[str]
    """What the browser's tab says."""
    REFRESH_MS: ClassVar[int] = 2500
    """Time between two looks of a page that is live."""

    shown = param.String(default="", doc="The query of what is shown.")

    def __init__(self, workspace: Workspace, visitor: Visitor, **state: Any) -> None:
        super().__init__(**state)
        self.workspace = workspace
        self.visitor = visitor
        self.is_live = True
        self._told = Fragment()
        self._code = Fragment()
        self._turn = asyncio.Lock()
        self._is_next = False
        self._unusable: list[str] = []
        self._has_shown = False
        self._tell(None)

    # --- what a page says ---

    @abstractmethod
    def parts(self) -> list[Any]:
        """Give what is shown, from top to bottom; called once."""

    @abstractmethod
    def read(self) -> Any:
        """Ask the workspace; runs in a thread and touches nothing that is shown."""

    @abstractmethod
    def display(self, content: Any) -> None:
        """Show what ``read`` or ``read_more`` returned."""

    def read_more(self, content: Any) -> Any:
        """Read what belongs to that content and takes longer, once the rest is shown; null if there is no more."""
        return None

    def code(self, content: Any) -> str:
        """Give the lines of Python that make the same in a notebook, with ``ws`` at hand; empty if there are none."""
        return ""

    @property
    def title(self) -> str:
        """What the browser's tab says when the page is opened."""
        return self.TITLE

    # --- its state ---

    @classmethod
    def state_names(cls) -> list[str]:
        """Name the parameters that are the state."""
        return [name for name in cls.param if name not in Page.param]

    @classmethod
    def _parameters(cls) -> Mapping[str, query.Parameter]:
        return cls.param.objects("existing")

    @property
    def query(self) -> str:
        """The state as a query, ``?…``; what is as by default is left out."""
        return self.link()

    def link(self, **changes: Any) -> str:
        """Give the query of this view with some of its state changed."""
        return query.written(self._parameters(), {name: getattr(self, name) for name in self.state_names()} | changes)

    def kept(self, *own: str) -> list[tuple[str, str]]:
        """Give the state that a form carries along in hidden fields, beside its ``own`` fields."""
        return [(name, text) for name, text in parse_qsl(self.query.removeprefix("?")) if name not in own]

    def go(self, address_query: str) -> None:
        """Take the state from an address's query; what cannot be used stays as by default, and is told."""
        state, self._unusable = query.read(self._parameters(), self.state_names(), address_query)
        self.param.update(**state)

    # --- looking ---

    def __panel__(self) -> pn.Column:
        return pn.Column(self._told, *self.parts(), self._code, sizing_mode="stretch_width")

    async def refresh(self) -> None:
        """Read and show; a failure is told on the page. Of several calls at once the last one is enough."""
        if self._is_next:
            return
        self._is_next = True
        async with self._turn:  # what was read later is shown later
            self._is_next = False
            await self._look()

    async def _look(self) -> None:
        try:
            content = await asyncio.to_thread(self.read)
            while content is not None:
                self._show(content)
                content = None if self._is_next else await asyncio.to_thread(self.read_more, content)
        except AtorError as error:
            self._tell(f"The data cannot be read: {error}")
        except Exception:
            log.exception("page %s cannot be refreshed", type(self).__name__)
            self._tell("The data cannot be read: an unexpected error, see the server's log. Trying again.")

    def _show(self, content: Any) -> None:
        self._has_shown = True
        self._tell(" ".join(self._unusable) or None)  # first: what is shown has a heading, too
        self.display(content)
        self.shown = self.query
        self._code.display(render("code.html", lines=as_script(self.workspace, self.code(content))))

    def _tell(self, problem: str | None) -> None:
        title = None if self._has_shown else self.TITLE
        self._told.display(render("notice.html", title=title, problem=problem))
