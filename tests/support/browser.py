"""A real Chromium for tests, that can reach nothing but what a test allows.

Fixtures (``tests.support.browser`` stands in ``pytest_plugins``):

- ``browser``: one Chromium per test module. Not per session: Playwright's event loop counts as running
  while it lives, and ``asyncio.run`` would fail in every other test of the process.
- ``chromium``: what draws the figures of reports as pictures.
- ``page``: an empty page in a fresh context.
- ``offline_page``: a page that may open files only; what else it asked for stands in ``requests_made``.
- ``served_page``: call it with an origin ("http://127.0.0.1:8123"), the only one that the page may reach.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from ator_lib.reports.images import Chromium

if TYPE_CHECKING:  # the fixtures stand in every session; Playwright is loaded where a browser is used
    from playwright.sync_api import Browser, Page, Route, WebSocketRoute

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # tabs of one profile share what is compiled, and 5 MB of scripts are compiled once (see seen_tab)
    "--process-per-site",
    # whatever slips past a page's own guard finds no address
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
LOCAL_SCHEMES = {"about", "blob", "data", "file"}
_HOW_TO_INSTALL = (
    "There is no Chromium for the browser tests. Install one (apt-get install chromium, or "
    "python -m playwright install chromium), or name one in ATOR_CHROMIUM."
)


@dataclass(frozen=True, kw_only=True)
class GuardedPage:
    """A page, and the addresses beyond its limits that it asked for (none was answered)."""

    page: Page
    requests_made: list[str] = field(default_factory=list)


def find_chromium(own: str) -> str:
    """Return the Chromium to use; ``own`` is where Playwright would have downloaded its own."""
    named = os.environ.get("ATOR_CHROMIUM")
    if named:
        return named
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    if not Path(own).is_file():
        pytest.fail(_HOW_TO_INSTALL, pytrace=False)
    return own


@contextmanager
def guarded_page(browser: Browser, origin: str | None) -> Iterator[GuardedPage]:
    """Open a page that reaches local files and ``origin`` only."""
    context = browser.new_context(service_workers="block")
    guarded = GuardedPage(page=context.new_page())
    host = urlsplit(origin).netloc if origin else None

    def answer(route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.scheme in LOCAL_SCHEMES or (host and address.netloc == host):
            route.continue_()
        else:
            guarded.requests_made.append(route.request.url)
            route.abort()

    def answer_socket(socket: WebSocketRoute) -> None:
        if host and urlsplit(socket.url).netloc == host:
            socket.connect_to_server()
        else:
            guarded.requests_made.append(socket.url)
            socket.close()

    context.route("**/*", answer)
    context.route_web_socket("**/*", answer_socket)
    try:
        yield guarded
    finally:
        context.close()


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    """Find what draws the figures of reports."""
    found = Chromium.find(os.environ.get("ATOR_CHROMIUM"))
    if found is None:
        pytest.fail(_HOW_TO_INSTALL, pytrace=False)
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    """Run a Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        program = find_chromium(playwright.chromium.executable_path)
        running = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        try:
            yield running
        finally:
            running.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run a Chromium for the tests of a module."""
    with launched() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open an empty page in a fresh context."""
    context = browser.new_context()
    try:
        yield context.new_page()
    finally:
        context.close()


@pytest.fixture
def offline_page(browser: Browser) -> Iterator[GuardedPage]:
    """Open a page with no network."""
    with guarded_page(browser, None) as guarded:
        yield guarded


@pytest.fixture
def served_page(browser: Browser) -> Iterator[Callable[[str], GuardedPage]]:
    """Give a function that opens a page which may reach one origin."""
    with ExitStack() as stack:
        yield lambda origin: stack.enter_context(guarded_page(browser, origin))
