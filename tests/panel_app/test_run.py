"""The page of a run that has ended: what it was judged to be, and its figures."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pandas as pd
import panel as pn
import pytest

import ator_lib as ator
from panel_app.pages.run import RunPage
from tests.panel_app.conftest import RUNNER, refreshed, shown
from tests.panel_app.run_pages import (
    ALL,
    CASES,
    MEASURED,
    NAMES,
    NOTHING,
    SLOWER,
    START,
    SUMMARY,
    charts,
    filled,
    opened,
    tile,
    told,
    write_samples,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ator.Workspace]:
    """Return a workspace with a run of each kind."""
    ws = filled(tmp_path_factory.mktemp("runs"))
    yield ws
    ws.parts.engine.dispose()


@pytest.fixture(autouse=True, scope="module")
def nothing_shared() -> Iterator[None]:
    """Let these tests share what was read and drawn, as sessions do."""
    yield
    pn.state.cache.clear()


# --- what it is judged to be ---


def test_the_verdict_comes_first_and_names_the_baseline(store: ator.Workspace) -> None:
    """With what speaks most for it, the way to the comparison, and other baselines to choose."""
    html = shown(opened(store, SLOWER))

    assert html.index('class="badge regressed"') < html.index("Requests</div>")
    assert "GET /search" in html.split('class="headline"')[1].split("</strong>")[0]
    assert f'href="/compare?run={SLOWER}&amp;baseline={ALL}"' in html
    assert f'<option value="{ALL}" selected>run 1, main, success</option>' in html


def test_a_long_comparison_holds_nothing_else_up(tmp_path: Path, ws: ator.Workspace) -> None:
    """The rest is shown at once, and then the verdict."""
    for number in range(2):
        ws.ingest(write_samples(tmp_path / f"{number}.csv", start=START + timedelta(days=number)), test="t")
    page = RunPage(ws, RUNNER)
    page.go("?run_id=2")
    page.display(page.read())
    before = shown(page)
    asyncio.run(page.refresh())

    assert "Comparing with its baseline …" in before
    assert ">All requests</td>" in before
    assert "Comparing with" not in shown(page)
    assert 'Compared with <a href="/run?run_id=1">Run 1</a>' in shown(page)


def test_the_first_run_of_a_test_is_told_to_be_that(store: ator.Workspace) -> None:
    """It is no failure to have nothing to be compared with."""
    html = shown(opened(store, ALL))

    assert "No earlier run to compare with." in html
    assert "is compared with this one" in html


# --- its figures ---


def test_all_of_a_run_is_shown(store: ator.Workspace) -> None:
    """Title, figures, summary, courses, charts, errors, facts and what was read."""
    page = opened(store, ALL)
    html = shown(page)

    assert "<h1>Run 1 · checkout</h1>" in html
    assert "made up for a demonstration or a test" in html
    assert tile(html, "Requests") == "1,500"
    assert html.count('aria-label="p95 of GET /') == len(NAMES)
    assert ">&lt;b&gt;too busy&lt;/b&gt;</td>" in html
    assert '<a class="chip" href="/runs?tag=nightly">nightly</a>' in html
    assert "<dt>ci</dt><dd>{&#34;job&#34;: 7}</dd>" in html
    assert [len(figure.data) > 0 for figure in charts(page)] == [True, True]
    assert not page.is_live


def test_a_zoomed_page_has_the_exact_figures_of_the_part(store: ator.Workspace) -> None:
    """Tiles, summary and chart; and the way back to the whole run."""
    since, until = START + timedelta(seconds=10), START + timedelta(seconds=20)
    page = opened(store, ALL, since="2026-03-01T12:00:10Z", until="2026-03-01T12:00:20Z")
    html = shown(page)
    total = told(store.get(ALL), since=since, until=until)

    assert tile(html, "Requests") == f"{total.requests}"
    assert tile(html, "p95") == f"{total.p95_ms:.1f}"
    assert 'Zoomed to <time datetime="2026-03-01T12:00:10Z">' in html
    assert f'<a href="?run_id={ALL}" data-view>Whole run</a>' in html
    assert "p95 over time" not in html  # that is of the whole run
    times = pd.to_datetime(charts(page)[0].data[0].x, utc=True)
    assert since <= times.min()
    assert times.max() < until


def test_a_part_may_be_open_at_one_end(store: ator.Workspace) -> None:
    """It goes on to the end of the run."""
    html = shown(opened(store, ALL, since="2026-03-01T12:00:45Z"))

    assert tile(html, "Requests") == f"{told(store.get(ALL), since=45).requests}"


def test_a_part_without_a_request_says_so(store: ator.Workspace) -> None:
    """There is nothing to be read, and a way back."""
    html = shown(opened(store, ALL, since="2026-04-01T00:00:00Z"))

    assert "No request started then." in html
    assert "Whole run</a>" in html
    assert "cannot be read" not in html


def test_a_time_that_is_none_is_told(store: ator.Workspace) -> None:
    """The rest of the address counts."""
    html = shown(opened(store, ALL, since="noon"))

    assert "The address asks for since=noon" in html
    assert tile(html, "Requests") == "1,500"


def test_intervals_are_offered_that_suit_the_length(store: ator.Workspace) -> None:
    """One of them is drawn when it is asked for; others of the address are not."""
    fine, coarse = opened(store, ALL), opened(store, ALL, interval="10s")
    odd = opened(store, ALL, interval="15min")

    assert re.findall(r"&amp;interval=(\w+)", shown(fine)) == ["1s", "5s", "10s"]
    assert 'interval=10s" data-view aria-current="true"' in shown(coarse)
    assert len(charts(coarse)[0].data[0].x) == 6
    assert charts(odd)[0].data[0].x == charts(fine)[0].data[0].x


def test_a_purged_run_says_why_it_has_no_parts(tmp_path: Path, ws: ator.Workspace) -> None:
    """Its figures are those of the whole run; the chart shows what is left."""
    ws.ingest(write_samples(tmp_path / "a.csv"), test="t")
    ws.purge("1d")
    html = shown(opened(ws, 1, since="2026-03-01T12:00:10Z", until="2026-03-01T12:00:20Z", interval="5s"))

    assert "These figures are of the whole run:</strong> the samples of run 1 expired" in html
    assert tile(html, "Requests") == "1,500"
    assert "interval=" not in html.split('aria-label="Interval"')[-1][:200] or "Interval" not in html


# --- closer looks ---


@pytest.mark.parametrize(
    ("view", "kind"), [("distribution", "scatter"), ("heatmap", "heatmap"), ("endpoints", "scatter")]
)
def test_a_closer_look_is_drawn_when_it_is_wanted(store: ator.Workspace, view: str, kind: str) -> None:
    """One of them at a time."""
    page = opened(store, ALL, view=view)

    assert charts(page)[1].data[0].type == kind
    assert f'view={view}" data-view aria-current="true"' in shown(page) or view == "distribution"


def test_the_distribution_may_be_of_an_endpoint(store: ator.Workspace) -> None:
    """One that is unknown leaves that of all requests."""
    whole, one, unknown = (opened(store, ALL, endpoint=name) for name in ("", "GET+/cart", "GET+/none"))

    assert '<option value="GET /cart" selected>' in shown(one)
    assert charts(one)[1].to_json() != charts(whole)[1].to_json() == charts(unknown)[1].to_json()


def test_measurements_are_a_table(store: ator.Workspace) -> None:
    """A row for each of a source; a run that has nothing else says so."""
    page = opened(store, MEASURED)
    html = shown(page)
    metrics = store.get(MEASURED).metrics()

    assert "measurements only, and no requests" in html
    assert f"There are {len(metrics)} values." in html
    assert len(re.findall('data-label="Measurement"', html)) == len(
        metrics.groupby(["metric", "unit", "source"], dropna=False)
    )
    assert charts(page) == []


# --- runs of other kinds ---


def test_a_functional_run_shows_its_cases(store: ator.Workspace) -> None:
    """Those first that did not pass; no word of requests."""
    html = shown(opened(store, CASES))
    statuses = re.findall(r'data-label="Status" class="[^"]*">(\w+)<', html)

    assert statuses == sorted(statuses, key=["failed", "error", "skipped", "passed"].index)
    assert len(statuses) == len(store.get(CASES).cases())
    assert "All requests" not in html
    assert "No request failed" not in html


def test_a_summary_of_a_tool_is_shown_as_far_as_it_goes(store: ator.Workspace) -> None:
    """Without a chart over time; zoomed, it says that it cannot be cut."""
    whole, part = opened(store, SUMMARY), opened(store, SUMMARY, since="2026-03-01T12:00:10Z")

    assert tile(shown(whole), "Requests") == f"{told(store.get(SUMMARY)).requests:,}"
    assert "Over time" not in shown(whole)
    assert "has no samples" in shown(part)


def test_a_run_without_results_says_what_to_do(store: ator.Workspace) -> None:
    """And why there are none."""
    page = opened(store, NOTHING)
    html = shown(page)

    assert "This run has no results." in html
    assert f"ator ingest --run {NOTHING}" in html
    assert '<span class="reason">capture failed</span>' in html
    assert charts(page) == []
    assert not page.is_live


@pytest.mark.parametrize("run_id", ["", "abc", "-1", "1.5", "77", "9" * 30, "<script>alert(1)</script>", "１"])
def test_an_unknown_run_has_a_friendly_page(store: ator.Workspace, run_id: str) -> None:
    """Whatever the address says, the page explains and leads back."""
    page = refreshed(RunPage(store, RUNNER), f"?run_id={run_id}")

    assert shown(page).count("<section") == 1
    assert 'href="/runs"' in shown(page)
    assert "<script" not in shown(page)
    assert not page.is_live


def test_nothing_is_left_of_the_run_before(store: ator.Workspace) -> None:
    """As when the address is changed to one that names no run."""
    page = refreshed(opened(store, ALL), "?run_id=77")

    assert shown(page).count("<section") == 1
    assert charts(page) == []


def test_results_that_are_elsewhere_are_not_called_an_unknown_run(tmp_path: Path, ws: ator.Workspace) -> None:
    """What is missing is said as it is."""
    ws.ingest(write_samples(tmp_path / "a.csv"))
    [results] = (ws.data / "results").iterdir()
    results.rename(tmp_path / "elsewhere")

    html = shown(opened(ws, 1))

    assert "The data cannot be read" in html
    assert "No such run" not in html
