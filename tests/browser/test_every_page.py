"""What holds for every view of the dashboard, of a workspace whose names are as bad as names can be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import BrowserContext, expect

import ator_lib as ator
from ator_lib.model import RunRequest
from panel_app.runs_table import CHOSEN
from tests.support.dashboard import PHONE, Dashboard, Seen, dashboard_of, seen_tab
from tests.support.histories import add_run
from tests.support.samples import ingest_samples
from tests.support.sight import too_pale, unnamed

BAD_NAME = "<img src=x onerror=document.title='hacked'> 🚀 ".ljust(500, "w")
"""HTML, an emoji, and 500 characters, most of them in one word."""

ENDED, RUNNING, QUEUED = (1, 2, 3), 7, 8
"""Runs with results, one that runs, one that waits."""

VIEWS: dict[str, str] = {
    "overview": "/overview",
    "runs": f"/runs?{urlencode([('test', BAD_NAME), ('selected', 3), *(('columns', one.key) for one in CHOSEN)])}",
    "run": "/run?run_id=3",
    "running run": f"/run?run_id={RUNNING}",
    "queued run": f"/run?run_id={QUEUED}",
    "unknown run": "/run?run_id=4711",
    "comparison": "/compare?run=3&baseline=1&baseline=2",
    "comparison of each": "/compare?run=3&run=2&baseline=1&each=1",
    "what to compare": "/compare",
    "trend": f"/trends?{urlencode({'test': BAD_NAME})}",
    "tests": "/trends",
    "upload": "/upload",
    "preview": "/upload?upload={upload_id}",
}

WITHOUT_CHARTS = {"runs", "queued run", "unknown run", "what to compare", "tests", "upload", "preview"}

LAYERS = """plots => plots.map((plot) => {
  const boxes = [...plot.querySelectorAll("svg.main-svg")].map((layer) => layer.getBoundingClientRect())
  return [new Set(boxes.map((box) => JSON.stringify(box))).size, boxes[0].width / plot.parentElement.clientWidth]
})"""


@dataclass(frozen=True, kw_only=True)
class View:
    """A view that is open, and its name."""

    name: str
    seen: Seen


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> ator.Workspace:
    """Make runs of every status, with the bad name wherever a name can be; the third one is slower."""
    folder = tmp_path_factory.mktemp("bad")
    workspace = ator.connect(folder / "data")
    identity: dict[str, Any] = dict.fromkeys(("test", "stream", "environment", "location"), BAD_NAME)
    for number in range(3):
        _ingest(workspace, folder / f"{number}.csv", number, identity)
    workspace.baselines.pin(BAD_NAME, 2)
    workspace.judge()
    for status in ("failure", "cancelled", "abandoned"):
        add_run(workspace.parts.engine, {}, 300, status=status, status_reason="no_heartbeat", **identity)
    request = RunRequest(**identity, factor=Decimal("0.9"))
    workspace.parts.registry.register(request)
    workspace.parts.registry.enqueue(request, queue_lease_s=600)
    return workspace


def _ingest(ws: ator.Workspace, path: Path, number: int, identity: dict[str, Any]) -> None:
    medians = {BAD_NAME: 80.0 if number == 2 else 20.0, "/orders": 60.0}
    start = datetime.now(UTC) - timedelta(hours=3 - number)
    attributes = {BAD_NAME[:100]: BAD_NAME}
    ingest_samples(
        ws,
        path,
        medians,
        start=start,
        seed=number,
        failing="/orders",
        tags=[BAD_NAME[:200]],
        attributes=attributes,
        **identity,
    )


@pytest.fixture(scope="module")
def dashboard(workspace: ator.Workspace) -> Iterator[Dashboard]:
    """Serve them."""
    with dashboard_of(workspace) as dashboard:
        yield dashboard


@pytest.fixture(scope="module")
def addresses(dashboard: Dashboard) -> dict[str, str]:
    """Give the address of each view; for the last one a file is uploaded."""
    samples = f"started_at,duration_ms,name,success\n{datetime.now(UTC).isoformat()},12,{BAD_NAME},true\n"
    answer = httpx.post(f"{dashboard.url}/uploads", params={"file_name": "<b>🚀.csv"}, content=samples.encode())
    upload_id = answer.raise_for_status().json()["upload_id"]
    return {name: address.format(upload_id=upload_id) for name, address in VIEWS.items()}


@pytest.fixture(scope="module", params=VIEWS)
def view(
    request: pytest.FixtureRequest, profile: BrowserContext, dashboard: Dashboard, addresses: dict[str, str]
) -> Iterator[View]:
    """Open one view after the other, once for all who look at it; nothing may go wrong meanwhile."""
    with seen_tab(profile, dashboard.url) as seen:
        seen.open(addresses[request.param])
        seen.page.wait_for_load_state("networkidle")
        assert seen.page.get_by_text("cannot be read").count() == 0
        yield View(name=request.param, seen=seen)
        assert seen.troubles == []


def test_a_screen_reader_can_name_everything(view: View) -> None:
    """There is one main heading, and every field, button, link, picture and gauge has a name."""
    assert view.seen.page.locator("h1").count() == 1
    assert unnamed(view.seen.page) == []


def test_names_are_text(view: View) -> None:
    """HTML in a name is read, not run."""
    page = view.seen.page
    assert page.locator("img").count() == 0
    assert page.title().endswith("· ATOR")
    if view.name not in ("unknown run", "upload"):
        assert page.get_by_text("<img src=x", exact=False).count() > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(view: View, scheme: Literal["light", "dark"]) -> None:
    """Whatever can be seen stands out from its ground, by day and by night."""
    view.seen.page.emulate_media(color_scheme=scheme)

    assert too_pale(view.seen.page) == []


def test_charts_fill_their_places(view: View) -> None:
    """A drawing is as wide as there is room, and its layers lie one upon the other."""
    for layers, share_of_width in view.seen.page.locator(".js-plotly-plot:visible").evaluate_all(LAYERS):
        assert layers == 1
        assert share_of_width > 0.9


def test_a_phone_scrolls_one_way(view: View) -> None:
    """Nothing is wider than a narrow screen."""
    view.seen.page.set_viewport_size(PHONE)  # type: ignore[arg-type]

    assert view.seen.too_wide_px == 0


def test_plotly_comes_with_the_first_chart(view: View) -> None:
    """It is larger than all other scripts together: several charts load it once, a page without them does without."""
    page = view.seen.page
    scripts = page.locator("script[src*=plotly]").count()

    assert scripts <= (view.name not in WITHOUT_CHARTS)
    if scripts:
        expect(page.locator(".js-plotly-plot").first).to_be_attached()
