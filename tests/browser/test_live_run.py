"""The page of a run that is running or waits: followed, stopped, and then a page of results."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

import ator_lib as ator
from ator_lib import written
from ator_lib.model import RunRequest
from tests.support.dashboard import Dashboard, Seen, dashboard_of
from tests.support.served import wait_until
from tests.support.target import LOCUSTFILE

POINTS = "plot => plot.data.map(trace => trace.x.length)"


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """Serve an empty workspace."""
    with dashboard_of(ator.connect(tmp_path_factory.mktemp("live") / "data")) as dashboard:
        yield dashboard


@pytest.fixture
def live(dashboard: Dashboard, target: str, tmp_path: Path) -> Iterator[ator.LiveRun]:
    """Start a load that nobody stops for minutes; it has ended when the test is over."""
    locustfile = tmp_path / "locustfile.py"
    locustfile.write_text(LOCUSTFILE)
    load = ator.Locust(locustfile, host=target, users=3, spawn_rate=3, run_time="5m")
    live = dashboard.workspace.submit(load, test="browse", stream="main", location="lab-1", factor="0.6")
    try:
        yield live
    finally:
        live.stop()
        live.result()


def least_points(chart: Locator) -> int:
    """Say how many points each line of a chart has at least."""
    drawn: list[int] = chart.locator(".js-plotly-plot").evaluate(POINTS)
    return min(drawn)


def test_a_run_is_followed_stopped_and_read(seen: Seen, live: ator.LiveRun, tmp_path: Path) -> None:
    """Figures, chart and tables grow while it runs; a click stops it, and the same page then shows its results.

    What the tool wrote stands there, too, and is a file to download.
    """
    page = seen.open(f"/run?run_id={live.run_id}")
    now = page.get_by_role("group", name="Now")
    expect(now).to_contain_text("of 5 min")
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()
    expect(page.get_by_label("Endpoints now")).to_contain_text("GET /products")
    chart = page.get_by_role("img", name="Throughput, users, p95 and errors so far")
    expect(chart.locator(".main-svg").first).to_be_visible()
    known = least_points(chart)
    wait_until(lambda: least_points(chart) >= known + 2)

    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Stop the run").click()
    expect(page.get_by_text("The run is asked to stop.")).to_be_visible()
    expect(page.get_by_role("button", name="Stop the run")).to_have_count(0)
    expect(page.locator(".heading .badge").first).to_have_text("cancelled")
    total = live.result().summary().query("scope == 'total'").iloc[0]
    tiles = page.get_by_role("group", name="All requests")
    expect(tiles.locator(".value").first).to_have_text(written.count(total["requests"]))
    expect(page.get_by_role("img", name="Throughput, users and latency over time")).to_be_visible()
    expect(page.get_by_label("Summary")).to_contain_text("GET /products")
    expect(chart).to_have_count(0)
    expect(page.get_by_label("Endpoints now")).to_have_count(0)

    expect(page.get_by_label("Log").locator("pre")).to_contain_text("Starting Locust")
    with page.expect_download() as coming:
        page.get_by_label("Artifacts").get_by_role("link", name="tool.log").click()
    coming.value.save_as(tmp_path / "log")
    assert (tmp_path / "log").read_text() == live.result().log()


def test_a_run_that_waits_is_taken_out_of_the_queue(dashboard: Dashboard, seen: Seen) -> None:
    """It says behind whom it waits; a click cancels it, and the page says so by itself."""
    registry = dashboard.workspace.parts.registry
    request = RunRequest(test="soak", location="lab-2", factor=Decimal("0.9"))
    holder = registry.register(request)
    waiting = registry.enqueue(request, queue_lease_s=600).run
    page = seen.open(f"/run?run_id={waiting.run_id}")
    queue = page.get_by_label("Queue")
    expect(queue).to_contain_text("Position")
    expect(queue.get_by_role("link", name=f"Run {holder.run_id}")).to_be_visible()

    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".heading .badge").first).to_have_text("cancelled")
    expect(queue).to_have_count(0)
    expect(page.get_by_text("This run has no results.")).to_be_visible()
