"""What the browser tests of the dashboard share: a page that is listened to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.dashboard import Dashboard, Seen, seen_page
from tests.support.served import PATIENCE_S

expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture
def seen(dashboard: Dashboard, browser: Browser) -> Iterator[Seen]:
    """Open an empty page that may reach the module's ``dashboard`` only; at the end nothing may have gone wrong.

    A test in which something is to be refused hears of it in ``seen.complaints``, and clears them.
    """
    with seen_page(browser, dashboard.url) as seen:
        yield seen
        assert seen.troubles == []
