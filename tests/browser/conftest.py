"""What the browser tests of the dashboard share: a page that is listened to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.support.dashboard import Dashboard, Seen, seen_tab
from tests.support.served import PATIENCE_S

expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture(scope="module")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """Make a browser profile for a module: scripts that it has loaded and compiled once are not loaded again."""
    profile = browser.new_context(service_workers="block")
    yield profile
    profile.close()


@pytest.fixture
def seen(dashboard: Dashboard, profile: BrowserContext) -> Iterator[Seen]:
    """Open an empty tab for the module's ``dashboard``; at the end nothing may have gone wrong.

    A test in which something is to be refused hears of it in ``seen.complaints``, and clears them.
    """
    with seen_tab(profile, dashboard.url) as seen:
        yield seen
        assert seen.troubles == []
