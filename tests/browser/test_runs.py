"""The page of runs in a browser: filters, order, pages, columns, selection, and what a runner can do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, expect

import ator_lib as ator
from tests.support.dashboard import Dashboard, Seen, cells, dashboard_of
from tests.support.histories import add_history, add_run

CHECKOUTS, SEARCHES = 52, 8
"""Runs of the two tests: together more than a page."""

SLOWEST, FAILED, PATCHED = 10, 55, 60
"""Runs that differ: the slowest of all, the one that failed, and the only one of a branch."""


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """Serve 60 runs, a day apart, whose p95 is their number in milliseconds but for the slowest one."""
    workspace = ator.connect(tmp_path_factory.mktemp("runs") / "data")
    engine = workspace.parts.engine
    numbers = range(1, CHECKOUTS + 1)
    slow = [1000.0 if number == SLOWEST else float(number) for number in numbers]
    add_history(engine, slow, test="checkout", stream="main", location="lab-1", environment="staging")
    for number in range(CHECKOUTS + 1, CHECKOUTS + SEARCHES + 1):
        add_run(
            engine,
            {(None, None): float(number)},
            number - 1,
            test="search",
            stream="feature/basket" if number == PATCHED else "main",
            location="lab-2",
            status="failure" if number == FAILED else "success",
            attributes={"tags": ["nightly"], "git_commit": f"c0ffee{number}"} if number % 2 else {},
        )
    with dashboard_of(workspace) as dashboard:
        yield dashboard


@contextmanager
def running(workspace: ator.Workspace, test: str) -> Iterator[int]:
    """Start a run that is gone afterwards, as other tests count the runs; gives its number."""
    run_id = workspace.register(test=test, location="lab-3").run_id
    yield run_id
    if not workspace.get(run_id).status.is_final:
        workspace.complete(run_id, "success")
    workspace.delete(run_id)


def rows_of(page: Page) -> Locator:
    """Give the rows of the table."""
    return page.locator("table.runs tbody tr")


def listed(page: Page) -> list[int]:
    """Give the runs that are shown, from top to bottom."""
    return [int(re.sub(r"\D.*", "", text.removeprefix("Run "))) for text in cells(rows_of(page), "Run")]


def expect_runs(page: Page, *run_ids: int) -> None:
    """Wait until exactly these runs are shown."""
    expect(rows_of(page).locator("td[data-label='Run'] a")).to_have_text([f"Run {run_id}" for run_id in run_ids])


def expect_first(page: Page, run_id: int) -> None:
    """Wait until this run stands on top."""
    expect(rows_of(page).first.locator("td[data-label='Run'] a")).to_have_text(f"Run {run_id}")


def field(page: Page, label: str) -> Locator:
    """Give the field of a filter."""
    return page.get_by_role("form", name="Filters").get_by_label(label, exact=True)


FILTERS: dict[str, tuple[str, list[int]]] = {
    "Test": ("search", [60, 59, 58, 57, 56, 55, 54, 53]),
    "Stream": ("feature/%", [PATCHED]),
    "Tag": ("nightly", [59, 57, 55, 53]),
    "Started since": ("2026-02-28", [60, 59]),
    "Started before": ("2026-01-03", [2, 1]),
}

FOLDED: dict[str, tuple[str, list[int]]] = {
    "Run": ("7, 3", [7, 3]),
    "Attribute": ("git_commit=c0ffee59", [59]),
    "p95, ms": ("1000..", [SLOWEST]),
}


def test_every_kind_of_filter_is_typed_and_taken_back(seen: Seen) -> None:
    """A text, a pattern, a tag, a day, a status, numbers, an attribute, a range: each is a chip; values are offered."""
    page = seen.open("/runs")
    offered = page.locator("#values-test option")
    assert {"checkout", "search"} <= {option.get_attribute("value") for option in offered.all()}
    chips = page.get_by_role("group", name="Filters that are set")
    for label, (value, run_ids) in FILTERS.items():
        field(page, label).fill(value)
        expect_runs(page, *run_ids)
        chips.get_by_role("link", name=f"Remove the filter {label}").click()
        expect(chips).to_have_count(0)

    page.get_by_text("More filters").click()
    for label, (value, run_ids) in FOLDED.items():
        field(page, label).fill(value)
        expect_runs(page, *run_ids)
        chips.get_by_role("link", name=f"Remove the filter {label}").click()
        expect(chips).to_have_count(0)

    field(page, "failure").check()
    expect_runs(page, FAILED)
    field(page, "Test").fill("checkout")
    expect(page.get_by_text("No run matches these filters.")).to_be_visible()
    chips.get_by_role("link", name="Reset all").click()
    expect(rows_of(page)).to_have_count(50)
    assert seen.query == ""


def test_pages_and_orders_are_views_that_the_back_button_knows(seen: Seen) -> None:
    """Pages hold 50 runs; a heading sorts all of them; back, forward, reload and a link give the same view again."""
    page = seen.open("/runs")
    expect(page.get_by_text("1–50 of 60").first).to_be_visible()
    page.get_by_role("link", name="Next page").first.click()
    expect_runs(page, *range(10, 0, -1))
    assert seen.query == "?offset=50"

    slowest = page.get_by_role("columnheader", name="p95, ms")
    slowest.get_by_role("link").click()
    expect(slowest).to_have_attribute("aria-sort", "descending")
    expect_first(page, SLOWEST)
    slowest.get_by_role("link").click()
    expect_first(page, 1)
    first_to_last = listed(page)

    page.go_back()
    expect_first(page, SLOWEST)
    page.go_back()
    expect_runs(page, *range(10, 0, -1))
    page.go_forward()
    page.go_forward()
    expect_first(page, 1)

    page.reload()
    seen.wait_for_content()
    assert listed(page) == first_to_last == [*range(1, SLOWEST), *range(SLOWEST + 1, 52)]


def test_columns_are_chosen(seen: Seen) -> None:
    """A column is shown or not, as the address says."""
    page = seen.open("/runs?test=search&columns=test&columns=p95_ms")
    expect(page.get_by_role("columnheader")).to_have_text(["Selected", "Run", "Status", "Test", "p95, ms", "Actions"])

    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("form", name="Columns").get_by_label("Environment").check()
    expect(page.get_by_role("columnheader", name="Environment")).to_be_visible()
    assert "columns=environment" in seen.query


def test_runs_are_selected_over_pages_and_compared(seen: Seen) -> None:
    """What is selected outlives pages and filters, and leads to a comparison with the oldest as the baseline."""
    page = seen.open("/runs")
    page.get_by_label("Select run 60").check()
    expect(page.get_by_text("1 selected")).to_be_visible()
    page.get_by_role("link", name="Next page").first.click()
    page.get_by_label("Select run 3", exact=True).check()
    field(page, "Stream").fill("feature/%")
    expect_runs(page, PATCHED)

    page.get_by_role("link", name="Compare 2 runs").click()
    seen.wait_for_content()
    assert seen.query == "?run=60&baseline=3"


def test_a_runner_cancels_pins_and_unpins(dashboard: Dashboard, seen: Seen) -> None:
    """Each by a button that asks first; the page shows what came of it by itself."""
    workspace = dashboard.workspace
    with running(workspace, "soak") as run_id:
        page = seen.open(f"/runs?run_id={run_id},{SLOWEST}")
        page.on("dialog", lambda dialog: dialog.accept("release" if dialog.type == "prompt" else ""))

        page.get_by_role("button", name=f"Cancel run {run_id}").click()
        expect(rows_of(page).first).to_contain_text("cancelled")
        assert workspace.get(run_id).status == "cancelled"

        page.get_by_role("button", name=f"Pin run {SLOWEST}").click()
        unpin = page.get_by_role("button", name="Unpin the baseline release")
        expect(unpin).to_be_visible()
        assert workspace.baselines.get("release").run_id == SLOWEST

        unpin.click()
        expect(unpin).to_have_count(0)
        assert workspace.baselines.list().empty


def test_a_runner_who_says_no_changes_nothing(dashboard: Dashboard, seen: Seen) -> None:
    """A question that is answered with no, or a prompt without an answer, is the end of it."""
    with running(dashboard.workspace, "stays") as run_id:
        page = seen.open(f"/runs?run_id={run_id},{SLOWEST}")
        page.on("dialog", lambda dialog: dialog.dismiss())
        page.get_by_role("button", name=f"Cancel run {run_id}").click()
        page.get_by_role("button", name=f"Pin run {SLOWEST}").click()

        expect(rows_of(page).first).to_contain_text("running")
        assert dashboard.workspace.baselines.list().empty


def test_news_come_by_themselves(dashboard: Dashboard, seen: Seen) -> None:
    """The newest page is looked at again as long as it is open."""
    page = seen.open("/runs?test=later")
    expect(page.get_by_text("No run matches these filters.")).to_be_visible()

    with running(dashboard.workspace, "later") as run_id:
        expect_runs(page, run_id)
