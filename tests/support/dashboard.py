"""The dashboard as a browser sees it: served from a workspace, on a page that is listened to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import panel as pn

import ator_lib as ator
from panel_app.pages import pages
from tests.support.browser import LOCAL_SCHEMES
from tests.support.served import PATIENCE_S, Served, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page

PHONE = {"width": 390, "height": 844}

_TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_LINES_OF_CODE = "details => details.querySelector('pre').textContent"


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """A workspace and the server that shows it."""

    workspace: ator.Workspace
    server: Served

    @property
    def url(self) -> str:
        """Where it is, without a path."""
        return self.server.url


@contextmanager
def dashboard_of(workspace: ator.Workspace, **options: Any) -> Iterator[Dashboard]:
    """Serve all pages of a workspace; ``options`` are those of ``served``."""
    try:
        with served(workspace, pages(), **{"session_lifetime_s": 30, **options}) as server:
            yield Dashboard(workspace=workspace, server=server)
    finally:
        pn.state.cache.clear()  # what sessions share outlives a server


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A page of the dashboard, what its console complained of, and which other hosts it asked for something."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    requests_made: list[str] = field(default_factory=list)

    @property
    def troubles(self) -> list[str]:
        """All that should not have been."""
        return [*self.complaints, *self.requests_made]

    def open(self, address: str) -> Page:
        """Open a view (``/runs?test=checkout``), and wait until it shows what it has read."""
        self.page.goto(self.url + address)
        self.wait_for_content()
        return self.page

    def wait_for_content(self) -> None:
        """Wait until the page shows what it has read; its title is there before."""
        self.page.locator("h1").first.wait_for(state="attached")
        self.page.get_by_text("Loading …", exact=True).first.wait_for(state="detached")

    @property
    def query(self) -> str:
        """What the address says after the path."""
        return str(self.page.evaluate("location.search"))

    @property
    def too_wide_px(self) -> int:
        """By how much the page would have to be scrolled sideways."""
        return int(self.page.evaluate(_TOO_WIDE))

    @property
    def code(self) -> str:
        """The code for this view."""
        return str(self.page.locator("details.code").evaluate(_LINES_OF_CODE))

    def run_code(self) -> dict[str, Any]:
        """Run the code for this view as it is; gives the names that it has made, and its last value as ``_``."""
        script = ast.parse(self.code)
        last = script.body.pop() if isinstance(script.body[-1], ast.Expr) else None
        made: dict[str, Any] = {}
        exec(compile(script, "code for this view", "exec"), made)
        if isinstance(last, ast.Expr):
            made["_"] = eval(compile(ast.Expression(last.value), "last line", "eval"), made)
        return made


@contextmanager
def seen_page(browser: Browser, url: str, **options: Any) -> Iterator[Seen]:
    """Open an empty page in a browser profile of its own; ``options`` are its, such as ``timezone_id``."""
    with closing(browser.new_context(service_workers="block", **options)) as profile, seen_tab(profile, url) as seen:
        yield seen


@contextmanager
def seen_tab(profile: BrowserContext, url: str) -> Iterator[Seen]:
    """Open an empty tab for a server's pages, and listen to it; the browser itself reaches no other machine.

    Nothing is intercepted: Playwright would switch the browser's cache off, and each page would take twice as long.
    The first tab of a profile stays open beside the others, and with it what their scripts were compiled to.
    """
    if not profile.pages:
        profile.new_page().goto(f"{url}/health")
    seen = Seen(page=profile.new_page(), url=url)
    seen.page.set_default_timeout(PATIENCE_S * 1000)

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            seen.complaints.append(message.text)

    def note(address: str) -> None:
        asked = urlsplit(address)
        if asked.netloc != urlsplit(url).netloc and asked.scheme not in LOCAL_SCHEMES:
            seen.requests_made.append(address)

    seen.page.on("console", hear)
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on("request", lambda request: note(request.url))
    seen.page.on("websocket", lambda socket: note(socket.url))
    try:
        yield seen
    finally:
        seen.page.close()


def cells(rows: Locator, heading: str) -> list[str]:
    """Give what stands under a heading in these rows."""
    return [text.strip() for text in rows.locator(f"td[data-label='{heading}']").all_text_contents()]
