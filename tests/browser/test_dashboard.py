"""The dashboard in a real browser, over a real workspace with a run that Locust executed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

import ator_lib as ator
from panel_app.pages import pages
from tests.support.browser import GuardedPage
from tests.support.served import PATIENCE_S, Served, served, wait_until
from tests.support.target import running_target

EVIL = "<img src=x onerror=\"document.title='hacked'\">"

LOCUSTFILE = """
from locust import FastHttpUser, constant, task

class Shopper(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def browse(self):
        self.client.get("/products")
"""

expect.set_options(timeout=PATIENCE_S * 1000)


@dataclass
class Dashboard:
    """A served workspace and its one finished run."""

    workspace: ator.Workspace
    server: Served
    finished: ator.RunHandle


@dataclass
class Seen:
    """A page, and what went wrong on it."""

    page: Page
    guarded: GuardedPage
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """Execute a short load and serve its workspace."""
    folder = tmp_path_factory.mktemp("dashboard")
    locustfile = folder / "locustfile.py"
    locustfile.write_text(LOCUSTFILE)
    workspace = ator.connect(folder / "data")
    with running_target() as target:
        load = ator.Locust(locustfile, host=target, users=3, spawn_rate=3, run_time="4s")
        finished = workspace.execute(load, test="browse", stream="main", location="lab-1", progress=False)
    # shorter than in earnest, but long enough for a busy machine to load a page
    with served(workspace, pages(), session_lifetime_s=15) as server:
        yield Dashboard(workspace, server, finished)


@pytest.fixture
def seen(dashboard: Dashboard, served_page: Callable[[str], GuardedPage]) -> Seen:
    """Open an empty page that may reach the dashboard only, and listen for complaints."""
    guarded = served_page(dashboard.server.url)
    seen = Seen(guarded.page, guarded)

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            seen.complaints.append(message.text)

    seen.page.on("console", hear)
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    return seen


def test_overview_shows_what_runs_and_follows_it(dashboard: Dashboard, seen: Seen) -> None:
    """A running run and its location's gauge are shown; when it ends, the open page says so by itself."""
    run = dashboard.workspace.register(test="checkout", location="lab-2", factor="0.4")
    seen.page.goto(dashboard.server.url)

    running = seen.page.get_by_label("Running now")
    expect(running.get_by_role("row").filter(has_text="checkout")).to_contain_text(["0.4"])
    expect(seen.page.get_by_role("meter", name="lab-2")).to_have_attribute("aria-valuenow", "0.4")
    expect(seen.page).to_have_title("Overview · ATOR")

    dashboard.workspace.complete(run.run_id, "success")
    expect(running).not_to_contain_text("checkout")
    expect(seen.page.get_by_role("meter", name="lab-2")).to_have_attribute("aria-valuenow", "0")
    assert (seen.guarded.requests_made, seen.complaints) == ([], [])


def test_run_page_shows_results_and_draws_the_chart(dashboard: Dashboard, seen: Seen) -> None:
    """A click on a run leads to its page: total, table, a wide chart; the interval is kept in the URL."""
    total = dashboard.finished.summary().query("scope == 'total'").iloc[0]
    seen.page.goto(f"{dashboard.server.url}/overview")
    seen.page.get_by_label("Latest runs").get_by_role(
        "link", name=f"Run {dashboard.finished.run_id}", exact=True
    ).click()

    expect(seen.page.get_by_role("heading", level=1)).to_have_text(f"Run {dashboard.finished.run_id} · browse")
    rows = seen.page.get_by_label("Summary").get_by_role("row")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text(f"{total['requests']:,}")
    expect(rows.nth(2)).to_contain_text("GET /products")
    chart = seen.page.locator(".main-svg").first
    expect(chart.locator("path.js-line").first).to_be_visible()
    card = seen.page.get_by_label("Summary").bounding_box()
    layers = [layer.bounding_box() for layer in seen.page.locator("svg.main-svg").all()]
    assert card is not None
    assert layers[0] is not None
    assert layers[0]["width"] > 0.9 * card["width"]
    assert layers[0]["y"] + layers[0]["height"] < card["y"]
    assert layers == [layers[0]] * len(layers)  # one upon the other, as plotly's style has it

    seen.page.get_by_role("button", name="5 s").click()
    expect(seen.page).to_have_url(re.compile(r"run_id=\d+&interval=5s"))
    seen.page.reload()
    expect(seen.page.get_by_role("button", name="5 s")).to_have_attribute("aria-pressed", "true")
    assert (seen.guarded.requests_made, seen.complaints) == ([], [])


def test_summary_is_sorted_by_its_headings(dashboard: Dashboard, seen: Seen) -> None:
    """A heading is a button that sorts, and says so."""
    seen.page.goto(f"{dashboard.server.url}/run?run_id={dashboard.finished.run_id}")
    heading = seen.page.get_by_role("columnheader", name="p95, ms")

    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "ascending")


@pytest.mark.parametrize("query", ["", "?run_id=abc", "?run_id=4711"])
def test_unknown_run_leads_back(dashboard: Dashboard, seen: Seen, query: str) -> None:
    """Without a run the page explains and leads back to the overview."""
    seen.page.goto(f"{dashboard.server.url}/run{query}")

    seen.page.get_by_role("link", name="Back to the overview").click()
    expect(seen.page.get_by_label("Latest runs")).to_be_visible()
    assert seen.complaints == []


def test_names_are_text(dashboard: Dashboard, seen: Seen) -> None:
    """A name with HTML in it is read, not run, on both pages."""
    run = dashboard.workspace.register(test=EVIL, stream=EVIL, location=EVIL)
    seen.page.goto(f"{dashboard.server.url}/overview")
    expect(seen.page.get_by_label("Running now")).to_contain_text(EVIL)
    seen.page.goto(f"{dashboard.server.url}/run?run_id={run.run_id}")
    expect(seen.page.get_by_role("heading", level=1)).to_contain_text(EVIL)

    assert seen.page.title() == f"Run {run.run_id} · ATOR"
    assert seen.page.locator("img").count() == 0
    dashboard.workspace.complete(run.run_id, "success")


def test_nothing_is_cut_off_on_a_phone(dashboard: Dashboard, seen: Seen) -> None:
    """On a narrow screen neither page needs sideways scrolling."""
    seen.page.set_viewport_size({"width": 390, "height": 844})
    widths = []
    for path in ("/overview", f"/run?run_id={dashboard.finished.run_id}"):
        seen.page.goto(dashboard.server.url + path)
        expect(seen.page.get_by_text("Run 1", exact=False).first).to_be_visible()
        if path != "/overview":
            expect(seen.page.locator(".main-svg").first).to_be_visible()
        widths.append(seen.page.evaluate("document.documentElement.scrollWidth"))

    assert widths == [390, 390]


def test_page_says_when_its_connection_is_lost(tmp_path: Path, served_page: Callable[[str], GuardedPage]) -> None:
    """What a page shows without its server is of the past; also those hear so who cannot see it."""
    with served(ator.connect(tmp_path), pages(), session_lifetime_s=15) as server:
        page = served_page(server.url).page
        page.goto(server.url)
        expect(page.get_by_label("Latest runs")).to_be_visible()
        expect(page.get_by_role("status")).to_have_text("")

    expect(page.get_by_role("status")).to_have_text("Connection lost. Reload the page.")


def test_closed_page_frees_its_session(dashboard: Dashboard, seen: Seen) -> None:
    """When the browser's page closes, the server holds no session of it."""
    seen.page.goto(f"{dashboard.server.url}/overview")
    expect(seen.page.get_by_label("Latest runs")).to_be_visible()
    assert dashboard.server.sessions > 0

    seen.page.close()
    wait_until(lambda: dashboard.server.sessions == 0)
