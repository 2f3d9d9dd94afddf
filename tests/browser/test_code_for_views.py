"""The code for this view, taken from each page as the browser shows it, and executed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

import ator_lib as ator
from ator_lib import written
from tests.support.dashboard import Dashboard, Seen, dashboard_of
from tests.support.samples import ingest_samples, write_samples

TEST = "it's <b>a</b> test"
MEDIANS_MS = {"/search": 40.0, "/orders": 60.0}


@dataclass(frozen=True, kw_only=True)
class Store:
    """A served workspace, and the folder of the files of its runs."""

    dashboard: Dashboard
    folder: Path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Serve runs of the last days, of which the third one is slower; their test has quotes and HTML in its name."""
    folder = tmp_path_factory.mktemp("code")
    ws = ator.connect(folder / "data")
    for number in range(3):
        medians = MEDIANS_MS | ({"/search": 90.0} if number == 2 else {})
        start = datetime.now(UTC) - timedelta(days=3 - number)
        ingest_samples(ws, folder / f"{number}.csv", medians, start=start, seed=number, requests=400, test=TEST)
    ws.judge()
    with dashboard_of(ws) as dashboard:
        yield Store(dashboard=dashboard, folder=folder)


@pytest.fixture(scope="module")
def dashboard(store: Store) -> Dashboard:
    """Give what is served."""
    return store.dashboard


def run_code(seen: Seen) -> dict[str, Any]:
    """Execute the lines, and close what they have opened."""
    made = seen.run_code()
    made["ws"].parts.engine.dispose()
    return made


def test_of_the_overview(seen: Seen) -> None:
    """It gives what regressed this week."""
    page = seen.open("/overview")
    expect(page.get_by_label("Regressed this week").locator("tbody tr")).to_have_count(1)

    regressed = run_code(seen)["regressed"]
    assert page.get_by_label("Regressed this week").locator("tbody").inner_text().count("GET /search") == len(regressed)


def test_of_the_runs(seen: Seen) -> None:
    """It gives the rows that are shown, in their order."""
    page = seen.open("/runs")
    page.get_by_role("combobox", name="Test").fill("it's%")
    page.get_by_role("columnheader", name="p95, ms").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="p95, ms")).to_have_attribute("aria-sort", "descending")
    shown = page.get_by_label("Runs", exact=True).locator("tbody td[data-label='p95, ms']").all_inner_texts()

    rows = run_code(seen)["_"]
    assert shown == [written.digits(value) for value in rows["p95_ms"]]
    assert len(shown) == 3


def test_of_a_run(store: Store, seen: Seen) -> None:
    """It gives the summary, of the part that is looked at."""
    run = store.dashboard.workspace.get(3)
    assert run.record.start_time is not None
    page = seen.open(f"/run?run_id=3&since={run.record.start_time + timedelta(seconds=5):%Y-%m-%dT%H:%M:%SZ}")

    part = run_code(seen)["summary"]
    shown = page.get_by_label("Summary").locator("tr.total td[data-label='p95, ms']").inner_text()
    assert shown == written.digits(part.query("scope == 'total'")["p95_ms"].item())
    assert part["requests"].max() < run.summary()["requests"].max()


def test_of_a_comparison(seen: Seen) -> None:
    """It gives the verdict."""
    page = seen.open("/compare?run=3&baseline=2")

    comparison = run_code(seen)["comparison"]
    assert page.locator("h1 + span .badge").inner_text() == comparison.verdict == "regressed"


def test_of_a_trend(seen: Seen) -> None:
    """It gives the headline."""
    page = seen.open("/trends")
    page.get_by_label("Tests").get_by_role("link", name=TEST).click()
    headline = page.locator(".headline").first
    expect(headline).not_to_be_empty()

    assert headline.inner_text() == written.sentence(run_code(seen)["trend"].headline)


def test_of_an_upload(store: Store, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads the same file, where that is."""
    path = store.folder / "it's new.csv"
    write_samples(path, MEDIANS_MS, start=datetime.now(UTC))
    page = seen.open("/upload")
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_role("heading", name=path.name)).to_be_visible()

    monkeypatch.chdir(store.folder)
    preview = run_code(seen)["_"]
    total = preview.summary.query("scope == 'total'")
    assert page.locator(".tiles .value").first.inner_text() == written.count(total["requests"].item())
