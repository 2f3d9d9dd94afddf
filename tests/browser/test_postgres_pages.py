"""The dashboard on PostgreSQL: the pages show what they show on the embedded store."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

import ator_lib as ator
from ator_lib.model import Progress, RunRequest
from tests.support.dashboard import Dashboard, Seen, dashboard_of, seen_tab
from tests.support.postgres import migrated
from tests.support.samples import ingest_samples
from tests.support.served import PATIENCE_S

VIEWS = [
    "/overview",
    "/runs?test=check%25&order=-p95_ms",
    "/run?run_id=2",
    "/compare?run=2&baseline=1",
    "/trends?test=checkout",
]

SAME_LOOKS = 4
BETWEEN_LOOKS_S = 0.3

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
    with ExitStack() as stack:
        tabs = [stack.enter_context(seen_tab(profile, dashboard.url)) for dashboard in dashboards.values()]
        pages = [seen.open(view) for seen in tabs]
        embedded, postgres = once_they_agree(pages)
        assert [seen.troubles for seen in tabs] == [[], []]

    assert "checkout" in embedded
    assert postgres == embedded


def once_they_agree(pages: list[Page]) -> list[str]:
    """Give what pages show when they have shown the same for a while; the last look if they never do.

    A page shows what takes longer to read after the rest, and one server may be ahead of the other.
    """
    looks: list[list[str]] = []
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        looks.append([page.locator("main").aria_snapshot() for page in pages])
        if len(looks) >= SAME_LOOKS and len({text for look in looks[-SAME_LOOKS:] for text in look}) == 1:
            break
        time.sleep(BETWEEN_LOOKS_S)
    return looks[-1]


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
