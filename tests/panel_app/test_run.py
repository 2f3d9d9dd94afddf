from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from typing import NoReturn

import pytest

from ator_lib.errors import NotFoundError
from ator_lib.model import Progress, RunStatus
from panel_app.charts import Chart
from panel_app.fragment import Fragment
from panel_app.pages.run import CASES_SHOWN, RunPage
from tests.support.fake_workspace import FakeRun, FakeWorkspace, busy_workspace


def refreshed(workspace: FakeWorkspace, run_id: str, interval: str = "") -> RunPage:
    """Make the page of a run that has read the workspace."""
    page = RunPage(workspace, run_id=run_id, interval=interval)  # type: ignore[arg-type]  # a fake
    asyncio.run(page.refresh())
    return page


def shown(page: RunPage) -> str:
    """Give all HTML that the page shows."""
    return "\n".join(fragment.html for fragment in page.__panel__().select(Fragment) if fragment.visible)


def chart(page: RunPage) -> Chart:
    """Give the page's chart."""
    [found] = page.__panel__().select(Chart)
    return found


def test_finished_run_shows_all_of_it() -> None:
    """Facts, total, summary, chart, errors and the log's tail stand on the page."""
    page = refreshed(busy_workspace(), "1")
    html = shown(page)

    assert "<h1>Run 1 · checkout</h1>" in html
    assert "50 users, 10/s spawned, for 2 min 00 s" in html
    assert ">All requests</td>" in html
    assert ">GET /orders/{id}</td>" in html
    assert ">Service Unavailable</td>" in html
    assert "the last 200 lines" in html
    assert html.count("all users spawned") == 200
    assert json.loads(chart(page).figure)["data"]


def test_failed_run_says_why() -> None:
    """Status, reason and error message are there."""
    html = shown(refreshed(busy_workspace(), "2"))

    assert '<span class="badge failure">failure</span> <span class="reason">requests failed</span>' in html
    assert "4.1 % of the requests failed" in html


def test_synthetic_data_is_marked() -> None:
    """Results that were made up are called so, measured ones are not."""
    workspace = busy_workspace()
    workspace.add(status=RunStatus.SUCCESS, results=True, end_time=workspace.records[1].end_time)

    assert "synthetic" in shown(refreshed(workspace, "1"))
    assert "synthetic" not in shown(refreshed(workspace, "6"))


def test_run_without_results_says_what_to_do() -> None:
    """A run that ended with nothing measured has no empty tables but a hint."""
    page = refreshed(busy_workspace(), "3")

    assert "This run has no results." in shown(page)
    assert "ator demo" in shown(page)
    assert "<table" not in shown(page)
    assert chart(page).figure == ""


def finished(results: str) -> FakeWorkspace:
    """A workspace with one run that has these results."""
    workspace = FakeWorkspace()
    workspace.add(test="t", status=RunStatus.SUCCESS, results=results, end_time=datetime.now(UTC))
    return workspace


def test_run_of_cases_shows_those_first_that_did_not_pass() -> None:
    """As many as a browser takes; all are counted. There is no word of requests, and what was read is told."""
    page = refreshed(finished("cases"), "1")
    html = shown(page)

    assert "<h1>Run 1 · t</h1>" in html
    assert [re.findall(rf">([^<]*) {status}</span>", html) for status in ("failed", "error", "skipped", "passed")] == [
        ["4"], ["4"], ["4"], ["3\u202f988"],
    ]  # fmt: skip
    assert re.findall(r">(case \d+)</td>", html)[:6] == [
        "case 4", "case 1004", "case 2004", "case 3004", "case 3", "case 1003",
    ]  # fmt: skip
    assert html.count(">case ") == CASES_SHOWN
    assert "3\u202f500 more are not shown" in html
    assert ">message 4</td>" in html
    assert "times without a zone are read as UTC" in html
    assert "All requests" not in html
    assert "No request failed" not in html
    assert chart(page).figure == ""
    assert not page.is_live


def test_run_of_measurements_says_which_there_are() -> None:
    """And that there is nothing else."""
    page = refreshed(finished("metrics"), "1")

    assert "This run has measurements only, and no requests." in shown(page)
    assert "2\u202f000 values of cpu, memory." in shown(page)
    assert "times without a zone are read as UTC" in shown(page)
    assert "<table" not in shown(page)
    assert not page.is_live


def test_run_of_a_summary_does_not_call_its_failures_none() -> None:
    """The tool counted them, and did not say what they were."""
    page = refreshed(finished("summary"), "1")
    html = shown(page)

    assert ">All requests</td>" in html
    assert chart(page).figure == ""
    assert "Requests failed: 37" in html
    assert "The source does not say how." in html
    assert "No request failed" not in html


def test_purged_run_says_why_no_other_interval_is_drawn() -> None:
    """The chart stays as it was, and in place of the choice stands the reason."""
    page = refreshed(finished("purged"), "1")
    before = chart(page).figure

    async def choose() -> None:
        page.choose_interval("10s")
        await page.refresh()

    asyncio.run(choose())

    assert chart(page).figure == before != ""
    assert "the samples of run 1 expired on 2026-03-04" in shown(page)
    assert 'data-choose="10s"' not in shown(page)
    assert "cannot be read" not in shown(page)


class Moved(FakeWorkspace):
    """Its results are another machine's files."""

    def get(self, run_id: int) -> FakeRun:
        run = super().get(run_id)

        def cases() -> NoReturn:
            raise NotFoundError("the results of ingest X are missing here")

        run.cases = cases  # type: ignore[method-assign]
        return run


def test_results_that_are_elsewhere_are_not_called_an_unknown_run() -> None:
    """What is missing is said as it is."""
    workspace = Moved()
    workspace.add(status=RunStatus.SUCCESS, results=True)

    html = shown(refreshed(workspace, "1"))

    assert "The data cannot be read: the results of ingest X are missing here" in html
    assert "No such run" not in html


@pytest.mark.parametrize("run_id", ["", "abc", "-1", "1.5", "77", "9" * 30, "<script>alert(1)</script>", "１"])
def test_unknown_run_has_a_friendly_page(run_id: str) -> None:
    """Whatever the address says, the page explains and leads back."""
    page = refreshed(busy_workspace(), run_id)

    assert 'href="/overview"' in shown(page)
    assert "<script" not in shown(page)
    assert not page.is_live


def test_running_run_refreshes_until_it_ends() -> None:
    """Progress is shown while the run runs, then the results, and then nothing is read any more."""
    workspace = FakeWorkspace()
    run = workspace.add(progress=Progress(elapsed_s=10, requests=100, users=7, p95_ms=12.3))
    page = refreshed(workspace, "1")
    while_running = shown(page)
    workspace.change(1, results=True, status=RunStatus.SUCCESS, end_time=run.start_time)
    asyncio.run(page.refresh())
    looks = workspace.looks
    asyncio.run(page.refresh())

    assert "The run is running." in while_running
    assert "12.3" in while_running
    assert "All requests" in shown(page)
    assert "The run is running." not in shown(page)
    assert workspace.looks == looks


def test_interval_is_chosen_by_length_unless_it_is_given() -> None:
    """Two minutes are drawn by the second; another interval of the address wins; nonsense does not."""
    workspace = busy_workspace()

    assert 'data-choose="1s" aria-pressed="true"' in shown(refreshed(workspace, "1"))
    assert 'data-choose="30s" aria-pressed="true"' in shown(refreshed(workspace, "1", "30s"))
    assert 'data-choose="1s" aria-pressed="true"' in shown(refreshed(workspace, "1", "7 parsecs"))


def test_chosen_interval_redraws_the_chart() -> None:
    """Another interval gives another figure; the choice can be kept in the address."""
    page = refreshed(busy_workspace(), "1")
    before = chart(page).figure

    async def choose() -> None:
        page.choose_interval("10s")
        await page.refresh()

    asyncio.run(choose())

    assert page.interval == "10s"
    assert chart(page).figure not in ("", before)


def test_dashboard_link_is_a_link_for_web_addresses_only() -> None:
    """A ``javascript:`` address is not offered."""
    workspace = FakeWorkspace()
    workspace.add(dashboard_url="https://grafana.example/d/1")
    workspace.add(dashboard_url="javascript:alert(1)")

    assert 'href="https://grafana.example/d/1" target="_blank" rel="noopener noreferrer"' in shown(
        refreshed(workspace, "1")
    )
    assert "javascript" not in shown(refreshed(workspace, "2"))


def test_texts_are_escaped() -> None:
    """Names, reasons, errors and the log are shown as they were written."""
    workspace = FakeWorkspace()
    evil = "<img src=x onerror=alert(1)>"
    workspace.add(test=evil, stream=evil, status_reason=evil, error=evil, environment=evil, log=evil)

    html = shown(refreshed(workspace, "1"))

    assert html.count("&lt;img src=x onerror=alert(1)&gt;") == 6
    assert "<img" not in html
