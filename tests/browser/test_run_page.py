"""The page of a run that has ended: a look into a part of it, other views, downloads, and runs that have little."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

import pandas as pd
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

import ator_lib as ator
from ator_lib import written
from tests.support.dashboard import PHONE, Dashboard, Seen, dashboard_of
from tests.support.samples import ingest_samples

RECORDED = Path(__file__).parent.parent / "recorded"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MEDIANS_MS = {"/search": 40.0, "/products": 20.0, "/orders": 60.0}
MANY = 300

EARLIER, LATER, WIDE, FUNCTIONAL, SUMMARY, NOTHING, DELETED = range(1, 8)
"""The runs of the store."""

LITTLE = {
    FUNCTIONAL: "Cases",
    SUMMARY: "Summary",
    NOTHING: "This run has no results.",
    DELETED: "No such run",
}
"""Runs without samples, and what their pages show."""

FIGURES = {
    "Requests": ("requests", written.count),
    "Throughput": ("throughput_rps", written.digits),
    "p50": ("p50_ms", written.digits),
    "p95": ("p95_ms", written.digits),
    "p99": ("p99_ms", written.digits),
}
"""Tile → what it shows, and how that is written."""


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """Serve a run of each kind."""
    folder = tmp_path_factory.mktemp("runs")
    ws = ator.connect(folder / "data")
    for number in range(2):
        ingest_samples(
            ws,
            folder / f"{number}.csv",
            MEDIANS_MS | ({"/search": 70.0} if number else {}),
            start=START + pd.Timedelta(days=number),
            seed=number,
            seconds=60,
            requests=500,
            failing="/orders",
            test="checkout",
            stream="main",
        )
    wide = {f"/resources/{number:03}": 10.0 + number for number in range(MANY)}
    ingest_samples(ws, folder / "wide.csv", wide, start=START, requests=10, test="wide")
    ws.ingest(RECORDED / "junit" / "pytest.xml", test="functional")
    ws.ingest(RECORDED / "wrk" / "wrk.txt", test="wrk")
    ws.complete(ws.register(test="broken"), "failure", reason="capture_failed")
    deleted = ws.register(test="deleted")
    ws.complete(deleted, "success")
    ws.delete(deleted.run_id)
    ws.judge()
    with dashboard_of(ws) as dashboard:
        yield dashboard


@pytest.fixture(scope="module")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """Make a browser profile in Nepal, which is 5 hours and 45 minutes ahead."""
    with closing(browser.new_context(timezone_id="Asia/Kathmandu")) as profile:
        yield profile


def chart(page: Page, label: str) -> Locator:
    """Find a chart that has been drawn."""
    found = page.get_by_role("img", name=label)
    expect(found.locator(".main-svg").first).to_be_visible()
    return found


def mark(place: Locator, first: float, last: float) -> None:
    """Mark a stretch of a chart as with the mouse, from one share of its width to another."""
    page = place.page
    area = place.locator(".nsewdrag").first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * first, height)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * last, height, steps=5)
    page.mouse.up()


def tiles(page: Page) -> Locator:
    """Find the figures of all requests."""
    return page.get_by_role("group", name="All requests")


def expect_figures(page: Page, summary: pd.DataFrame) -> None:
    """Expect the tiles and the summary's rows to be those of a summary."""
    total = summary[summary["scope"] == "total"].iloc[0]
    for label, (column, write) in FIGURES.items():
        tile = tiles(page).locator(".tile", has=page.get_by_text(label, exact=True)).locator(".value")
        expect(tile).to_have_text(re.compile(rf"^{re.escape(write(total[column]))}\b"))
    in_order = [total, *(row for _, row in summary[summary["scope"] == "name"].sort_values("name").iterrows())]
    cells = page.get_by_label("Summary").locator("td[data-label='p95, ms']")
    expect(cells).to_have_text([written.digits(row["p95_ms"]) for row in in_order])


def test_a_marked_stretch_has_its_exact_figures(dashboard: Dashboard, seen: Seen) -> None:
    """Wherever the viewer is: tiles and table are of the requests of that time, and so they are for who gets the link.

    The back button and "Whole run" lead to the whole run again.
    """
    page = seen.open(f"/run?run_id={LATER}")
    expect_figures(page, dashboard.workspace.get(LATER).summary())
    mark(chart(page, "Throughput, users and latency over time"), 0.3, 0.6)

    expect(page.get_by_text("Zoomed to").first).to_be_visible()
    asked = {name: values[0] for name, values in parse_qs(seen.query.removeprefix("?")).items()}
    since, until = (datetime.fromisoformat(asked[name]) for name in ("since", "until"))
    assert 15 < (until - since).total_seconds() < 21
    part = dashboard.workspace.get(LATER).summary(since=since, until=until)
    assert 0 < part["requests"].max() < 700
    expect_figures(page, part)

    page.reload()
    seen.wait_for_content()
    expect_figures(page, part)
    page.go_back()
    expect(page.get_by_text("Zoomed to").first).to_be_hidden()
    page.go_forward()
    expect(page.get_by_text("Zoomed to").first).to_be_visible()
    page.get_by_role("link", name="Whole run").first.click()
    expect(page).to_have_url(re.compile(rf"run_id={LATER}$"))
    expect(page.get_by_text("Zoomed to").first).to_be_hidden()
    expect_figures(page, dashboard.workspace.get(LATER).summary())


def test_times_are_the_viewers_with_utc_on_hover(seen: Seen) -> None:
    """A run that began at noon UTC began at 17:45 in Nepal."""
    page = seen.open(f"/run?run_id={EARLIER}")

    started = page.locator("time").first
    expect(started).to_have_text(re.compile(r"2026-03-01 17:45:\d\d"))
    expect(started).to_have_attribute("title", re.compile(r"2026-03-01 12:00:\d\d UTC"))
    expect(page.locator("#zone")).to_have_text(re.compile("Kat(h)?mandu"))


def test_a_closer_look_is_a_link(seen: Seen) -> None:
    """Each view is another chart under an address of its own, also that of one endpoint; the interval is in it, too."""
    page = seen.open(f"/run?run_id={LATER}")
    views = page.get_by_role("group", name="View")
    expect(views.get_by_role("link", name="Distribution")).to_have_attribute("aria-current", "true")
    chart(page, "A closer look")

    page.get_by_label("Latency of").select_option("GET /search")
    expect(views.locator("a[href*='endpoint=GET']")).to_have_count(4)
    every_5_s = page.get_by_role("group", name="Interval").get_by_role("link", name="5 s", exact=True)
    every_5_s.click()
    expect(every_5_s).to_have_attribute("aria-current", "true")
    views.get_by_role("link", name="Heatmap").click()
    expect(page.get_by_role("img", name="A closer look").locator(".heatmaplayer")).to_have_count(1)
    views.get_by_role("link", name="Measurements").click()
    expect(page.get_by_text("Nothing was measured beside the requests.")).to_be_visible()
    assert parse_qs(seen.query.removeprefix("?")) == {
        "run_id": [str(LATER)],
        "endpoint": ["GET /search"],
        "interval": ["5s"],
        "view": ["metrics"],
    }

    page.reload()
    expect(views.get_by_role("link", name="Measurements")).to_have_attribute("aria-current", "true")
    for name in ("Heatmap", "Distribution"):
        page.go_back()
        expect(views.get_by_role("link", name=name)).to_have_attribute("aria-current", "true")
    expect(page.get_by_label("Latency of")).to_have_value("GET /search")


def test_who_is_quick_loses_no_choice(seen: Seen) -> None:
    """Of two choices, the second one made before the page shows the first, both hold."""
    page = seen.open(f"/run?run_id={WIDE}")
    summary = page.get_by_label("Summary")
    p95 = summary.get_by_role("columnheader", name="p95, ms")
    interval = page.get_by_role("group", name="Interval").get_by_role("link", name="5 s", exact=True)
    both = [p95.get_by_role("link").element_handle(), interval.element_handle()]
    page.evaluate("links => links.forEach(link => link.click())", both)
    expect(p95).to_have_attribute("aria-sort", "descending")
    expect(interval).to_have_attribute("aria-current", "true")

    page.get_by_label("Search requests").fill("resources/29")
    p95.get_by_role("link").click()
    expect(summary.locator("tbody tr")).to_have_count(11)
    expect(p95).to_have_attribute("aria-sort", "ascending")


def test_the_verdict_leads_on_and_a_runner_pins(dashboard: Dashboard, seen: Seen) -> None:
    """What got worse comes first, with the way to the comparison; pinning and unpinning show at once."""
    page = seen.open(f"/run?run_id={LATER}")
    verdict = page.get_by_label("Verdict", exact=True)
    expect(verdict).to_contain_text("regressed")
    page.on("dialog", lambda dialog: dialog.accept())

    page.get_by_role("button", name="Pin as the test's baseline").click()
    expect(page.get_by_role("button", name="Unpin checkout")).to_be_visible()
    assert dashboard.workspace.baselines.get("checkout").run_id == LATER
    page.get_by_role("button", name="Unpin checkout").click()
    expect(page.get_by_role("button", name="Pin as the test's baseline")).to_be_visible()

    verdict.get_by_role("link", name="What changed, and why").click()
    expect(page).to_have_url(re.compile(rf"/compare\?run={LATER}&baseline={EARLIER}"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Run {LATER} against run {EARLIER}")


def test_three_hundred_endpoints_are_searched_and_sorted(seen: Seen) -> None:
    """The first of them are shown and all at wish; typing finds one and keeps the focus; headings sort."""
    page = seen.open(f"/run?run_id={WIDE}")
    rows = page.get_by_label("Summary").locator("tbody tr")
    expect(rows).to_have_count(51)  # with the total
    page.get_by_label("Summary").get_by_role("columnheader", name="p95, ms").get_by_role("link").click()
    expect(rows.nth(1)).to_contain_text("/resources/2")  # the slowest

    search = page.get_by_label("Search requests")
    search.press_sequentially("resources/29")
    expect(rows).to_have_count(11)
    expect(search).to_be_focused()
    assert search.input_value() == "resources/29"
    search.fill("nowhere")
    page.get_by_role("link", name="Show all of them").click()
    page.get_by_role("link", name=f"{MANY - 50} more").click()
    expect(rows).to_have_count(MANY + 1)

    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert seen.too_wide_px == 0


def test_the_report_is_a_page_of_its_own(seen: Seen, tmp_path: Path) -> None:
    """The button downloads one file of HTML."""
    page = seen.open(f"/run?run_id={EARLIER}")
    with page.expect_download() as coming:
        page.get_by_role("link", name="Report").click()

    assert coming.value.suggested_filename == f"run-{EARLIER}.html"
    coming.value.save_as(tmp_path / "report.html")
    assert f"Run {EARLIER}" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("run_id", LITTLE)
def test_a_run_that_has_little_says_what_there_is(seen: Seen, run_id: int) -> None:
    """Test cases, a tool's own summary, nothing at all, or no run any more: each has a page, and a way back."""
    page = seen.open(f"/run?run_id={run_id}")
    expect(page.get_by_role("main").get_by_text(LITTLE[run_id]).first).to_be_visible()
    expect(page.get_by_role("main").get_by_role("link", name="Runs").first).to_have_attribute("href", "/runs")
