"""The dashboard on PostgreSQL: the pages show what they show on the embedded store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

import ator_lib as ator
from ator_lib.model import Progress, RunRequest
from tests.support.dashboard import Dashboard, Seen, dashboard_of, seen_tab
from tests.support.postgres import migrated
from tests.support.samples import ingest_samples

VIEWS = [
    "/overview",
    "/runs?test=check%25&order=-p95_ms",
    "/run?run_id=2",
    "/compare?run=2&baseline=1",
    "/trends?test=checkout",
]

STARTED = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)


def filled(workspace: ator.Workspace, folder: Path) -> ator.Workspace:
    """Ingest two runs, of which the second one is slower, and judge them; there is an idle location, too."""
    for number, median_ms in enumerate((20.0, 80.0)):
        ingest_samples(
            workspace,
            folder / f"{number}.csv",
            {"/orders": median_ms, "/products": 20.0},
            start=STARTED + timedelta(hours=number),
            seed=number,
            failing="/orders",
            test="checkout",
            location="lab-1",
        )
    workspace.locations.add("lab-2")
    workspace.judge()
    return workspace


@pytest.fixture(scope="module")
def dashboards(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Dashboard]]:
    """Serve the same runs from both stores."""
    folder = tmp_path_factory.mktemp("postgres")
    embedded = filled(ator.connect(folder / "embedded"), folder)
    with migrated("postgres", request, folder) as url:
        central = filled(ator.connect(folder / "central", database_url=url), folder)
        with dashboard_of(embedded) as one, dashboard_of(central) as other:
            yield {"embedded": one, "postgres": other}
        central.parts.engine.dispose()


@pytest.fixture
def dashboard(dashboards: dict[str, Dashboard]) -> Dashboard:
    """Look at the one on PostgreSQL."""
    return dashboards["postgres"]


@pytest.mark.parametrize("view", VIEWS)
def test_a_page_shows_the_same(dashboards: dict[str, Dashboard], profile: BrowserContext, view: str) -> None:
    """Whatever is read, drawn and judged does not depend on where it is kept."""
    shown = {}
    for name, dashboard in dashboards.items():
        with seen_tab(profile, dashboard.url) as seen:
            shown[name] = seen.open(view).locator("main").aria_snapshot()
            assert seen.troubles == []

    assert "checkout" in shown["embedded"]
    assert shown["postgres"] == shown["embedded"]


def test_a_running_run_is_followed(dashboard: Dashboard, seen: Seen) -> None:
    """A heartbeat is on the open page soon after it came."""
    registry = dashboard.workspace.parts.registry
    page = seen.open("/overview")
    run = registry.register(RunRequest(test="soak", location="lab-2"), lease_s=600)
    told = Progress(elapsed_s=30, users=50, requests=3000, failures=3, throughput_rps=104.2, p95_ms=83.4)
    registry.renew(run.run_id, run.lease_id or "", lease_s=600, progress=told)

    expect(page.get_by_role("row", name=re.compile("soak .* 104 83.4 0.10 %"))).to_be_visible()
    dashboard.workspace.complete(run.run_id, "success")
    dashboard.workspace.delete(run.run_id)
