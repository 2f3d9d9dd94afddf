"""The frame around every page: navigation, light and dark, keyboard, the viewer's zone, sessions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import ator_lib as ator
from panel_app.pages import OFFERED
from tests.support.dashboard import Dashboard, Seen, dashboard_of, seen_page
from tests.support.histories import add_history
from tests.support.served import wait_until

TOKYO = "Asia/Tokyo"


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """Serve a workspace with a few runs."""
    workspace = ator.connect(tmp_path_factory.mktemp("frame") / "data")
    add_history(workspace.parts.engine, [20.0] * 3, test=["checkout", "checkout", "search"])
    with dashboard_of(workspace) as dashboard:
        yield dashboard


def focused(page: Page) -> str:
    """Give the name of what has the focus, through all shadows."""
    name: str = page.evaluate("""() => {
      let element = document.activeElement
      while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
      return element.name || element.id || element.getAttribute("aria-label") || element.textContent.trim()
    }""")
    return name


def tab_to(page: Page, name: str, most: int = 60) -> list[str]:
    """Press Tab until something has the focus; gives what had it on the way."""
    passed: list[str] = []
    while (here := focused(page)) != name:
        assert len(passed) < most, f"{name} is not reached by {passed}"
        passed.append(here)
        page.keyboard.press("Tab")
    return passed


def test_every_page_is_reached_from_the_navigation(seen: Seen) -> None:
    """``/`` leads to the overview; each page is one click away, says where one is, and has its title."""
    page = seen.open("/")
    navigation = page.get_by_role("navigation", name="Pages", exact=True)
    for kind in OFFERED:
        link = navigation.get_by_role("link", name=kind.TITLE)
        if kind is not OFFERED[0]:
            link.click()
            seen.wait_for_content()
        expect(page).to_have_url(re.compile(kind.PATH))
        expect(page).to_have_title(re.compile(kind.TITLE))
        expect(link).to_have_attribute("aria-current", "page")


def test_dark_is_chosen_for_good(dashboard: Dashboard, browser: Browser) -> None:
    """A page is as the system has it until somebody chooses; that is kept, by other pages, too."""
    with seen_page(browser, dashboard.url, color_scheme="dark") as seen:
        page = seen.open("/upload")
        toggle = page.get_by_role("button", name="Dark")
        expect(toggle).to_have_attribute("aria-pressed", "true")
        dark = ground_of(page)

        toggle.click()
        expect(toggle).to_have_attribute("aria-pressed", "false")
        light = ground_of(page)
        assert dark != light

        seen.open("/runs")
        assert ground_of(page) == light
        assert seen.troubles == []


def ground_of(page: Page) -> str:
    """Give the colour of a page's ground."""
    return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))


def test_the_keyboard_is_enough(seen: Seen) -> None:
    """The first stop skips the navigation; filters, headings and the code are reached; Enter and Space do the rest."""
    page = seen.open("/runs")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to content"
    page.keyboard.press("Enter")
    assert focused(page) == "main"

    tab_to(page, "test")
    page.keyboard.type("search")
    page.keyboard.press("Enter")
    expect(rows_of(page)).to_have_count(1)
    assert seen.query == "?test=search"

    tab_to(page, "Started")
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Started")).to_have_attribute("aria-sort", re.compile("ending"))

    tab_to(page, "selected")
    page.keyboard.press("Space")
    expect(page.get_by_text("1 selected")).to_be_visible()
    tab_to(page, "The code for this view")
    page.keyboard.press("Enter")
    expect(page.locator("details.code pre")).to_be_visible()


def rows_of(page: Page) -> Locator:
    """Give the rows of the table of runs."""
    return page.locator("table.runs tbody tr")


def test_times_are_the_viewers(dashboard: Dashboard, browser: Browser) -> None:
    """A time is shown in the zone of the browser, which the page names, and in UTC on hover."""
    began = datetime(2026, 1, 1, 20, tzinfo=UTC)
    add_history(dashboard.workspace.parts.engine, [20.0], test="midnight", start_time=began)
    with seen_page(browser, dashboard.url, timezone_id=TOKYO) as seen:
        page = seen.open("/runs?test=midnight")
        time = rows_of(page).locator("time")
        expect(time).to_have_text(re.compile("2026-01-02 05:00:00"))
        expect(time).to_have_attribute("title", "2026-01-01 20:00:00 UTC")
        expect(page.get_by_role("contentinfo")).to_contain_text(f"times in {TOKYO}")


@pytest.mark.parametrize("view", ["/run?run_id=4711", "/compare?run=4711", "/trends?test=gone"])
def test_a_link_to_what_is_not_there_leads_on(seen: Seen, view: str) -> None:
    """The page says so, and a link or a choice leads to what there is."""
    page = seen.open(view)

    expect(page.locator("main")).to_contain_text(re.compile("no |not |None|unknown|Choose", re.IGNORECASE))
    assert page.get_by_text("unexpected error").count() == 0
    assert page.locator("main a:visible").count() > 0


def test_a_deleted_run_is_told_of(dashboard: Dashboard, seen: Seen) -> None:
    """A link to a run outlives the run."""
    (run_id,) = add_history(dashboard.workspace.parts.engine, [20.0], test="deleted")
    dashboard.workspace.delete(run_id)
    page = seen.open(f"/run?run_id={run_id}")

    expect(page.locator("main")).to_contain_text(f"{run_id}")
    page.locator("main").get_by_role("link").first.click()
    seen.wait_for_content()


def test_a_closed_tab_is_freed_at_once(dashboard: Dashboard, seen: Seen) -> None:
    """The server keeps no session of a page that has gone, long before an unused one would be thrown away."""
    before = dashboard.server.sessions
    seen.open("/overview")
    assert dashboard.server.sessions == before + 1

    seen.page.close()
    wait_until(lambda: dashboard.server.sessions == before)
