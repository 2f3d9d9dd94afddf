"""Reports of real runs in a real browser without network: with scripts, without them, on a phone, on paper."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import ator_lib as ator
from ator_lib.reports.facts import facts_in
from tests.support.browser import GuardedPage
from tests.support.shop_runs import ingest_shop_runs
from tests.support.target import running_target

HEADER, WORD = "Bearer k3y-in-a-header", "word-of-the-environment"
LOCUSTFILE = """
import os
from locust import FastHttpUser, constant, task

class Visitor(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def nowhere(self):
        with self.client.get("/nowhere", catch_response=True) as answer:
            answer.failure(f"<b>refused</b> {os.environ['SHOP_WORD']} k3y-in-a-header")
"""
NOTHING = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True, kw_only=True)
class Report:
    """A page, and how many figures it has at least."""

    page: Path
    kind: str
    figures: int


@pytest.fixture
def leaky_run(ws: ator.Workspace, tmp_path: Path) -> ator.RunHandle:
    """Execute a load with a secret header and a secret word, whose every request fails and says both."""
    locustfile = tmp_path / "locustfile.py"
    locustfile.write_text(LOCUSTFILE)
    with running_target() as target:
        load = ator.Locust(
            locustfile,
            host=target,
            users=2,
            run_time="2s",
            headers={"Authorization": HEADER},
            env={"SHOP_WORD": WORD},
        )
        return ws.execute(load, test="refused", progress=False)


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> ator.Workspace:
    """Open a workspace of the module's own."""
    return ator.connect(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def reports(ws: ator.Workspace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Report]:
    """Write a report of each kind, of runs whose search is slower from the sixth on."""
    folder = tmp_path_factory.mktemp("reports")
    runs = ingest_shop_runs(ws, folder)
    subjects = {
        "run": runs[0],
        "comparison": ws.compare(runs[5:], runs[:5]),
        "trend": ws.trend("shop", metric="p50_ms"),
    }
    figures = {"run": 2, "comparison": 1, "trend": 1}
    return {
        kind: Report(page=ws.report(subject, folder / f"{kind}.html"), kind=kind, figures=figures[kind])
        for kind, subject in subjects.items()
    }


@pytest.fixture(params=["run", "comparison", "trend"])
def report(request: pytest.FixtureRequest, reports: dict[str, Report]) -> Report:
    """Give one report after the other."""
    return reports[request.param]


def visible(page: Page, what: str) -> int:
    """Count what can be seen."""
    return page.locator(f"{what}:visible").count()


def test_figures_are_live_and_nothing_is_fetched(report: Report, offline_page: GuardedPage) -> None:
    """Every figure is drawn by the script, none twice, without a request or an error; a phone scrolls one way."""
    page, complaints = offline_page.page, []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(report.page.as_uri())
    expect(page.locator(".js-plotly-plot .main-svg:first-child").first).to_be_visible()
    figures = page.locator(".report-figure").count()
    assert figures >= report.figures
    assert (visible(page, ".js-plotly-plot"), visible(page, ".report-still")) == (figures, 0)
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    assert page.evaluate(NOTHING) == 0
    assert (offline_page.requests_made, complaints) == ([], [])


def test_figures_are_pictures_without_scripts(report: Report, browser: Browser) -> None:
    """With JavaScript switched off each figure is a picture, on a phone, too."""
    size = {"width": 390, "height": 844}
    with closing(browser.new_context(java_script_enabled=False, viewport=size)) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(report.page.as_uri())
        assert visible(page, ".report-still > svg, .report-still > img") == page.locator(".report-figure").count()
        assert visible(page, "h1") == 1


def test_paper_is_not_cut_off(report: Report, offline_page: GuardedPage) -> None:
    """On paper the pictures stand, and nothing is wider than the sheet."""
    page = offline_page.page
    page.set_viewport_size({"width": 794, "height": 1123})  # A4 at 96 dpi
    page.goto(report.page.as_uri())
    page.emulate_media(media="print")
    assert visible(page, ".js-plotly-plot") == 0
    assert visible(page, ".report-still") == page.locator(".report-figure").count()
    assert page.evaluate(NOTHING) == 0


def test_page_says_what_it_is_of(report: Report) -> None:
    """Its head has kind, verdict and headline, and the file can be mailed."""
    about = facts_in(report.page)
    assert about is not None
    assert (about.kind, about.test) == (report.kind, "shop")
    assert about.verdict == ("success" if report.kind == "run" else "regressed")
    assert report.page.stat().st_size < 7e6


def test_no_secret_of_a_load_is_in_its_report(ws: ator.Workspace, leaky_run: ator.RunHandle, tmp_path: Path) -> None:
    """Neither a header nor a word of the tool's environment, though every error says both."""
    pages = [ws.report(leaky_run, tmp_path / f"report{suffix}") for suffix in (".html", ".json", ".xml", ".md")]
    for page in pages:
        text = page.read_text().replace("\\", "")
        assert [secret for secret in ("k3y-in-a-header", WORD) if secret in text] == []
        assert "refused" in text
