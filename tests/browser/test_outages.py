"""What an open page does while its server or its store is away, and afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

import ator_lib as ator
from tests.support.dashboard import dashboard_of, seen_tab
from tests.support.histories import add_history

VIEW = "/runs?test=check%25&order=p95_ms&selected=2"


@pytest.fixture
def workspace(tmp_path: Path) -> ator.Workspace:
    """Make a workspace with three runs."""
    workspace = ator.connect(tmp_path / "data")
    add_history(workspace.parts.engine, [20.0, 30.0, 40.0])
    return workspace


@contextmanager
def away(workspace: ator.Workspace) -> Iterator[None]:
    """Take the data folder away, and give it back."""
    elsewhere = workspace.data.rename(workspace.data.with_name("elsewhere"))
    workspace.parts.engine.dispose()  # an open file can be read wherever it is now
    yield
    elsewhere.rename(workspace.data)


def test_a_page_comes_back_after_its_server(workspace: ator.Workspace, profile: BrowserContext) -> None:
    """It says that the connection is lost and, when the server has started again, shows the same view by itself."""
    with ExitStack() as server:
        dashboard = server.enter_context(dashboard_of(workspace))
        with seen_tab(profile, dashboard.url) as seen:
            page = seen.open(VIEW)
            expect_runs(page)
            server.close()
            expect(page.locator("#connection")).to_have_text("Connection lost. Trying again…")

            with dashboard_of(workspace, port=urlsplit(dashboard.url).port):
                expect(page.locator("#connection")).to_have_text("")
                expect_runs(page)
                assert page.url == dashboard.url + VIEW
                page.get_by_role("link", name="Clear").click()
                expect(page.get_by_text("Select runs to compare them.")).to_be_visible()


def expect_runs(page: Page) -> None:
    """Wait until all runs are shown, and what of them is selected."""
    expect(page.locator("table.runs td[data-label='Run'] a")).to_have_text(["Run 1", "Run 2", "Run 3"])
    expect(page.get_by_label("Select run 2")).to_be_checked()


def test_a_page_outlives_its_store(workspace: ator.Workspace, profile: BrowserContext) -> None:
    """While the data cannot be read a page says why, and keeps what it has; afterwards it goes on by itself."""
    with (
        dashboard_of(workspace) as dashboard,
        seen_tab(profile, dashboard.url) as before,
        seen_tab(profile, dashboard.url) as meanwhile,
    ):
        overview, runs = before.open("/overview"), meanwhile.page
        latest = overview.get_by_role("region", name="Latest runs")
        expect(latest).to_contain_text("Run 3")
        with away(workspace):
            runs.goto(dashboard.url + VIEW)
            for page in (overview, runs):
                expect(page.get_by_role("alert")).to_contain_text("The data cannot be read: the database")
            expect(latest).to_contain_text("Run 3")

        expect_runs(runs)
        run = workspace.register(test="afterwards")
        expect(overview.get_by_role("region", name="Running now")).to_contain_text(f"Run {run.run_id}")
        for page in (overview, runs):
            expect(page.get_by_role("alert")).to_have_count(0)
        assert before.troubles + meanwhile.troubles == []
