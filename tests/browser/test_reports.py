"""Reports of real runs in a real browser without network: with scripts, without them, on a phone, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import ator_lib as ator
from ator_lib.reports.facts import facts_in
from tests.support.browser import GuardedPage, guarded_page
from tests.support.shop_runs import ingest_shop_runs

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
PHONE = {"width": 390, "height": 844}
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True, kw_only=True)
class Report:
    """A page, what it is of, and how many figures it has."""

    page: Path
    kind: str
    test: str
    verdict: str
    figures: int


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> ator.Workspace:
    """Open a workspace of the module's own."""
    return ator.connect(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def leaky_run(ws: ator.Workspace, target: str) -> ator.RunHandle:
    """Execute a load with a secret header and a secret word, whose every request fails and says both."""
    locustfile = ws.data / "locustfile.py"
    locustfile.write_text(LOCUSTFILE)
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
def reports(
    ws: ator.Workspace, leaky_run: ator.RunHandle, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Report]:
    """Write a report of each kind: of the leaky run, and of runs whose search is slower from the sixth on."""
    folder = tmp_path_factory.mktemp("reports")
    runs = ingest_shop_runs(ws, folder)
    subjects: dict[str, ator.RunHandle | ator.Comparison | ator.Trend] = {
        "run": leaky_run,
        "comparison": ws.compare(runs[5:], runs[:5]),
        "trend": ws.trend("shop", metric="p50_ms"),
    }
    with ThreadPoolExecutor() as pool:  # each has a kernel and a browser of its own
        written = pool.map(lambda kind: ws.report(subjects[kind], folder / f"{kind}.html"), subjects)
        pages = dict(zip(subjects, written, strict=True))
    known = [
        ("run", "refused", "failure", 3),
        ("comparison", "shop", "regressed", 3),
        ("trend", "shop", "regressed", 1),
    ]
    return {
        kind: Report(page=pages[kind], kind=kind, test=test, verdict=verdict, figures=figures)
        for kind, test, verdict, figures in known
    }


@pytest.fixture(scope="module", params=["run", "comparison", "trend"])
def report(request: pytest.FixtureRequest, reports: dict[str, Report]) -> Report:
    """Give one report after the other."""
    return reports[request.param]


@pytest.fixture(scope="module")
def opened(report: Report, browser: Browser) -> Iterator[GuardedPage]:
    """Open a report, once for all who look at it; each says how large the window is."""
    with guarded_page(browser, None) as guarded:
        guarded.page.goto(report.page.as_uri())
        yield guarded


def visible(page: Page, what: str) -> int:
    """Count what can be seen."""
    return page.locator(f"{what}:visible").count()


def test_figures_are_live_and_nothing_is_fetched(report: Report, opened: GuardedPage) -> None:
    """Every figure is drawn by the script, none twice, and the page asks for nothing."""
    page = opened.page
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(media="screen")
    expect(page.locator(".js-plotly-plot .main-svg:first-child")).to_have_count(report.figures)
    assert (visible(page, ".js-plotly-plot"), visible(page, ".report-still")) == (report.figures, 0)
    assert opened.requests_made == []


def test_paper_is_not_cut_off(report: Report, opened: GuardedPage) -> None:
    """On paper the pictures stand, and nothing is wider than the sheet."""
    page = opened.page
    page.set_viewport_size({"width": 794, "height": 1123})  # A4 at 96 dpi
    page.emulate_media(media="print")
    assert visible(page, ".js-plotly-plot") == 0
    assert visible(page, ".report-still") == report.figures
    assert page.evaluate(TOO_WIDE) == 0


def test_a_phone_scrolls_one_way_and_cuts_no_title(report: Report, offline_page: GuardedPage) -> None:
    """Long titles are wrapped, and still stand above their drawing; no script fails."""
    page, complaints = offline_page.page, []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(report.page.as_uri())
    titles = page.locator(".js-plotly-plot .gtitle")
    expect(titles).to_have_count(report.figures)
    for title in titles.all():
        assert title.evaluate("title => title.getBoundingClientRect().right") <= PHONE["width"]
    below = """drawing => drawing.querySelector(".gtitle").getBoundingClientRect().bottom
        <= drawing.querySelector(".nsewdrag").getBoundingClientRect().top"""
    assert all(drawing.evaluate(below) for drawing in page.locator(".js-plotly-plot").all())
    assert page.evaluate(TOO_WIDE) == 0
    assert complaints == []


def test_figures_are_pictures_without_scripts(report: Report, browser: Browser) -> None:
    """With JavaScript switched off each figure is a picture, on a phone, too."""
    with closing(browser.new_context(java_script_enabled=False, viewport=PHONE)) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(report.page.as_uri())
        assert visible(page, ".report-still > svg, .report-still > img") == report.figures
        assert visible(page, "h1") == 1


def test_page_says_what_it_is_of(report: Report) -> None:
    """Its head has kind, verdict and test, and the file can be mailed."""
    about = facts_in(report.page)
    assert about is not None
    assert (about.kind, about.test, about.verdict) == (report.kind, report.test, report.verdict)
    assert report.page.stat().st_size < 7e6


def test_no_secret_of_a_load_is_in_its_report(
    ws: ator.Workspace, leaky_run: ator.RunHandle, reports: dict[str, Report], tmp_path: Path
) -> None:
    """Neither a header nor a word of the tool's environment, though every error says both."""
    texts = [ws.report(leaky_run, tmp_path / f"report{suffix}") for suffix in (".json", ".xml", ".md")]
    for page in (reports["run"].page, *texts):
        text = page.read_text().replace("\\", "")
        assert [secret for secret in ("k3y-in-a-header", WORD) if secret in text] == []
        assert "refused" in text
