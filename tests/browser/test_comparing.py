"""Comparisons and trends: chosen, read, taken apart, marked, and handed on as links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

import ator_lib as ator
from tests.support.dashboard import PHONE, Dashboard, Seen, dashboard_of
from tests.support.samples import ingest_samples
from tests.support.shop_runs import RUNS, SLOWER_FROM, TEST, ingest_shop_runs

GOOD = list(range(1, SLOWER_FROM + 1))
SLOWER = list(range(SLOWER_FROM + 1, RUNS + 1))
"""Runs of the shop before and after its search became slower."""

WIDE, WIDER, OTHER = RUNS + 1, RUNS + 2, RUNS + 3
"""Two runs of 300 endpoints, and one of another test."""

MANY = 300


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """Serve eight runs of a shop, judged, two of many endpoints, and one of another test."""
    folder = tmp_path_factory.mktemp("shop")
    ws = ator.connect(folder / "data")
    ingest_shop_runs(ws, folder)
    for number in range(2):
        medians = {f"/resources/{name:03}": 10.0 + name * (1 + number) for name in range(MANY)}
        start = datetime(2026, 4, 1 + number, tzinfo=UTC)
        ingest_samples(ws, folder / f"wide_{number}.csv", medians, start=start, seed=number, requests=12, test="wide")
    ingest_samples(ws, folder / "other.csv", {"/search": 40.0}, start=datetime(2026, 4, 3, tzinfo=UTC), test="other")
    ws.judge()
    with dashboard_of(ws) as dashboard:
        yield dashboard


def query_of(page: Page) -> dict[str, list[str]]:
    """Read the state in the address."""
    return parse_qs(urlsplit(page.url).query)


def chart(page: Page, label: str) -> Locator:
    """Find a chart that has been drawn."""
    found = page.get_by_role("img", name=label)
    expect(found.locator(".main-svg").first).to_be_visible()
    return found


def click(point: Locator) -> None:
    """Click on a point of a chart; plotly takes the mouse above its points."""
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box is not None
    point.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_runs_are_chosen_and_compared(seen: Seen) -> None:
    """Ticks lead to the answer: verdict, checks with the passed ones folded, the table with what got worse first."""
    page = seen.open("/compare")
    page.get_by_label("Test", exact=True).fill(TEST)
    expect(page.get_by_label("Runs to compare").locator("tbody tr")).to_have_count(RUNS)
    for role, runs in (("contender", SLOWER), ("baseline", GOOD)):
        for run_id in runs:
            page.get_by_label(f"Run {run_id} is a {role}").check()
    page.get_by_role("button", name="Compare").click()

    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("against")
    expect(heading.locator("xpath=..").locator(".badge")).to_have_text("regressed")
    asked = query_of(page)
    assert (sorted(asked["run"]), sorted(asked["baseline"])) == ([str(n) for n in SLOWER], [str(n) for n in GOOD])
    checks = page.get_by_label("Comparability")
    expect(checks.get_by_text("Synthetic data", exact=False)).to_be_visible()
    passed = checks.locator("#fine-checks")
    expect(passed.get_by_role("listitem").first).to_be_hidden()
    passed.locator("summary").click()
    expect(passed.get_by_role("listitem").first).to_be_visible()
    worst = page.get_by_label("Verdicts").locator("tbody tr:not(.total)").first
    expect(worst).to_contain_text("GET /search")
    expect(worst.locator(".badge")).to_have_text("regressed")


def test_the_table_is_filtered_and_sorted_as_the_address_says(seen: Seen) -> None:
    """Verdict, metric and a part of a name narrow it, headings sort it; back and reload give the same view."""
    page = seen.open(f"/compare?run={SLOWER[0]}&baseline={GOOD[-1]}")
    table = page.get_by_label("Verdicts")
    rows = table.locator("tbody tr:not(.total)")
    expect(rows).to_have_count(3)

    table.get_by_label("Metric").select_option("p50_ms")
    expect(table.get_by_role("columnheader", name="Interval, 95 %")).to_be_visible()
    table.get_by_role("columnheader", name="Change").get_by_role("link").click()
    expect(table.get_by_role("columnheader", name="Change")).to_have_attribute("aria-sort", re.compile("ending"))
    table.get_by_label("Verdict", exact=True).select_option("regressed")
    expect(rows).to_have_count(1)
    table.get_by_label("Endpoint", exact=True).fill("nothing like that")
    table.get_by_role("link", name="Show all").click()
    expect(rows).to_have_count(3)

    asked = query_of(page)
    assert (asked["metric"], asked["order"]) == (["p50_ms"], [asked["order"][0]])
    page.reload()
    expect(rows).to_have_count(3)
    expect(table.get_by_label("Metric")).to_have_value("p50_ms")
    page.go_back()
    expect(page.get_by_text("No endpoint matches.")).to_be_visible()
    expect(table.get_by_label("Endpoint", exact=True)).to_have_value("nothing like that")


def test_distributions_and_what_the_change_is_made_of(seen: Seen) -> None:
    """Both are drawn, of chosen endpoints, and of a chosen figure; taking apart begins when somebody asks for it."""
    page = seen.open(f"/compare?run={SLOWER[0]}&baseline={GOOD[-1]}")
    distributions = chart(page, "Latency distributions of both sides")
    subplots = distributions.locator(".cartesianlayer > .subplot")
    expect(subplots).to_have_count(4)
    page.get_by_text("Choose endpoints").click()
    page.locator("#endpoints").get_by_label("GET /orders").check()
    expect(subplots).to_have_count(1)

    page.get_by_role("link", name="Take the change apart").click()
    chart(page, "What the change is made of")
    expect(page.locator("summary", has_text="By endpoint").first).to_be_visible()
    assert {"endpoint": ["GET /orders"], "explain": ["1"]}.items() <= query_of(page).items()
    page.get_by_role("link", name="Close").click()
    expect(page.get_by_role("link", name="Take the change apart")).to_be_visible()


def test_a_link_for_others_names_the_runs(seen: Seen) -> None:
    """Copied where no baseline was named, it names the one that was found, so that it says the same tomorrow."""
    seen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = seen.open(f"/compare?run={RUNS}")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Copied.")).to_be_visible()

    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{seen.url}/compare?run={RUNS}&baseline={RUNS - 1}"
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Run {RUNS} against run {RUNS - 1}")


def test_each_run_has_a_column_of_its_own(seen: Seen) -> None:
    """Of several runs, together or each by itself; the regressed cells say so in words, too."""
    page = seen.open(f"/compare?{'&'.join(f'run={run}' for run in [GOOD[1], *SLOWER])}&baseline={GOOD[0]}")
    page.get_by_role("link", name="Each by itself").click()

    search = page.get_by_label("Changes by run").locator("tbody tr", has_text="GET /search")
    expect(search.locator("td")).to_have_count(5)
    expect(search.locator("td.regressed")).to_have_count(len(SLOWER))
    expect(search.locator("td.regressed").first).to_contain_text("regressed")
    page.get_by_label("Runs", exact=True).get_by_role("link", name="Compare").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Run {SLOWER[-1]} against run {GOOD[0]}")


def test_what_cannot_be_compared_is_told(seen: Seen) -> None:
    """Other tests need a waiver, which is a link; runs that are not there leave a choice of others."""
    page = seen.open(f"/compare?run={OTHER}&baseline={RUNS}")
    expect(page.locator("h1 + span .badge")).to_have_text("not comparable")
    page.get_by_role("link", name="Compare all the same").first.click()
    expect(page.get_by_role("link", name="Let it count again").first).to_be_visible()

    seen.open("/compare?run=4711&baseline=1")
    expect(page.get_by_role("alert").filter(has_text="4711")).to_be_visible()
    expect(page.get_by_label("Runs to compare")).to_be_visible()


def test_three_hundred_endpoints_are_compared(seen: Seen) -> None:
    """A row for each, filtered by typing; a phone scrolls one way."""
    page = seen.open(f"/compare?run={WIDER}&baseline={WIDE}")
    rows = page.get_by_label("Verdicts").locator("tbody tr:not(.total)")
    expect(rows).to_have_count(MANY)
    page.get_by_label("Endpoint", exact=True).press_sequentially("resources/29")
    expect(rows).to_have_count(10)
    expect(page.get_by_label("Endpoint", exact=True)).to_be_focused()

    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert seen.too_wide_px == 0


def test_a_change_of_a_trend_leads_to_its_cause(seen: Seen) -> None:
    """From the tests to a trend; a click on the change shows its run, which leads on to the comparison with before."""
    page = seen.open("/trends")
    page.get_by_label("Tests").get_by_role("link", name=TEST).click()
    trend = chart(page, "The metric over runs")
    click(trend.locator(".subplot.xy .point").last)  # changes are drawn upon the runs

    chosen = page.get_by_label("Chosen run")
    expect(chosen.get_by_role("heading")).to_contain_text(f"Run {SLOWER[0]}")
    expect(chosen).to_contain_text("git_commit c0ffee4 → c0ffee5")
    assert query_of(page)["point"] == [str(SLOWER[0])]
    chosen.get_by_role("link", name=f"Open run {SLOWER[0]}").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Run {SLOWER[0]}")
    page.go_back()
    page.get_by_label("Chosen run").get_by_role("link", name=f"Compare with run {GOOD[-1]}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Run {SLOWER[0]} against run {GOOD[-1]}")


def test_a_trend_is_asked_for_by_its_form(seen: Seen) -> None:
    """Metric, grouping, range and lines are in the address; a range without runs says so; back undoes it."""
    page = seen.open(f"/trends?test={TEST}")
    trend = chart(page, "The metric over runs")
    subplots = trend.locator(".cartesianlayer > .subplot")
    expect(subplots).to_have_count(3)
    page.get_by_label("Metric", exact=True).select_option("throughput_rps")
    expect(page.get_by_role("heading", name=f"Throughput over {RUNS} runs")).to_be_visible()
    page.get_by_label("A line per").fill("total")
    expect(subplots).to_have_count(1)
    page.get_by_label("From (UTC)").fill("2026-03-04")
    expect(page.get_by_role("heading", name=f"Throughput over {RUNS - 3} runs")).to_be_visible()
    page.get_by_role("group", name="Range").get_by_role("link", name="7 days").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no trend to show.")

    page.go_back()
    expect(page.get_by_role("heading", name=f"Throughput over {RUNS - 3} runs")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name=f"Throughput over {RUNS - 3} runs")).to_be_visible()
    assert query_of(page) == {
        "test": [TEST],
        "metric": ["throughput_rps"],
        "by": ["total"],
        "since": ["2026-03-04"],
    }


def test_a_run_of_a_trend_is_marked_and_the_mark_removed(dashboard: Dashboard, seen: Seen) -> None:
    """What is known of a run stands in the chart and below it, as soon as it is said; it can be taken back."""
    page = seen.open(f"/trends?test={TEST}&by=total&point={GOOD[2]}")
    points = chart(page, "The metric over runs").locator(".subplot.xy .point")
    before, text = points.count(), "the cache was emptied"
    page.get_by_text("Mark this run").click()
    page.get_by_label("What is known of it").fill(text)
    page.get_by_role("button", name="Mark", exact=True).click()

    marks = page.get_by_label("Marks")
    expect(marks).to_contain_text(text)
    expect(points).to_have_count(before + 1)
    (mark,) = dashboard.workspace.annotations.list().to_dict("records")
    assert (mark["run_id"], mark["text"], mark["resets"]) == (GOOD[2], text, True)

    page.on("dialog", lambda dialog: dialog.accept())
    marks.get_by_role("button", name=f"Remove the mark of run {GOOD[2]}").click()
    expect(marks).not_to_contain_text(text)
    assert dashboard.workspace.annotations.list().empty
