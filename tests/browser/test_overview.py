"""The overview in a browser: what runs is followed, what got worse is one click from why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import expect

import ator_lib as ator
from ator_lib.model import LoadProfile, Progress, RunRequest
from tests.support.dashboard import Dashboard, Seen, dashboard_of
from tests.support.samples import ingest_samples


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """Serve two runs of which the second one is slower, and has been judged."""
    folder = tmp_path_factory.mktemp("overview")
    workspace = ator.connect(folder / "data")
    for number, median_ms in enumerate((20.0, 80.0)):
        start = datetime.now(UTC) - timedelta(hours=2 - number)
        path = folder / f"{number}.csv"
        ingest_samples(workspace, path, {"/orders": median_ms}, start=start, seed=number, requests=300, test="checkout")
    workspace.judge()
    with dashboard_of(workspace) as dashboard:
        yield dashboard


def test_what_got_worse_is_one_click_from_why(seen: Seen) -> None:
    """A tile counts it and leads to its row: by how much, since which run, and the comparison with its baseline."""
    page = seen.open("/overview")
    page.get_by_role("link", name=re.compile("Regressed this week 1")).click()
    regressed = page.get_by_role("region", name="Regressed this week")
    expect(regressed).to_be_in_viewport()
    expect(regressed).to_contain_text("GET /orders")
    expect(page.get_by_role("region", name="Latest verdicts")).to_contain_text("regressed")

    regressed.get_by_role("link", name="Compare").click()
    seen.wait_for_content()
    assert seen.query == "?run=2&baseline=1"


def test_what_runs_is_followed(dashboard: Dashboard, seen: Seen) -> None:
    """A run comes, tells how it goes, ends: tiles, table, gauge and queue follow; what is the same is left alone."""
    registry = dashboard.workspace.parts.registry
    page = seen.open("/overview")
    verdicts = page.get_by_role("region", name="Latest verdicts").element_handle()
    running, gauge = page.get_by_role("region", name="Running now"), page.get_by_role("meter", name="lab-2")

    load = LoadProfile(users=50, run_time_s=120)
    run = registry.register(
        RunRequest(test="soak", location="lab-2", factor=Decimal("0.4"), load_profile=load), lease_s=600
    )
    waiting = registry.enqueue(RunRequest(test="next", location="lab-2", factor=Decimal("0.7")), queue_lease_s=600).run
    expect(running.get_by_role("link", name=f"Run {run.run_id}")).to_be_visible()
    expect(gauge).to_have_attribute("aria-valuenow", "0.4")
    expect(page.get_by_role("region", name="Queue")).to_contain_text(f"Run {waiting.run_id}")

    told = Progress(elapsed_s=30, users=50, requests=3000, failures=3, throughput_rps=104.2, p95_ms=83.4)
    registry.renew(run.run_id, run.lease_id or "", lease_s=600, progress=told)
    expect(running.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "25.0")
    expect(running.get_by_role("row", name=re.compile("104 83.4 0.10 %"))).to_be_visible()

    dashboard.workspace.cancel(waiting.run_id)
    dashboard.workspace.complete(run.run_id, "success")
    expect(running).to_contain_text("No run is running.")
    expect(gauge).to_have_attribute("aria-valuenow", "0")
    expect(page.get_by_role("region", name="Queue")).to_have_count(0)
    expect(page.get_by_role("region", name="Latest runs")).to_contain_text("soak")
    assert verdicts is not None
    assert verdicts.evaluate("region => region.isConnected")
