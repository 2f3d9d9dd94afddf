"""The page of a run that has ended, over real results; the figures are made up."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.io
import pyarrow as pa
import pyarrow.csv as csv
import pytest

import ator_lib as ator
from panel_app.chart import Chart
from panel_app.code import as_script
from panel_app.pages.run import RunPage
from tests.panel_app.conftest import RUNNER, VIEWER, refreshed, shown

RECORDED = Path(__file__).parent.parent / "recorded"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LENGTH_S = 60
NAMES = ("/search", "/orders", "/cart")
ALL, SLOWER, TOGETHER, BESIDE, SUMMARY, CASES, MEASURED, NOTHING = range(1, 9)
"""The runs of the store."""


def write_samples(
    path: Path, *, start: datetime = START, names: Sequence[str] = NAMES, requests: int = 1500, slower: float = 1.0
) -> Path:
    """Write requests over a minute, those of the first name slower, and a few failed ones of the last."""
    generator = np.random.default_rng(7)
    called = np.array(names)[np.arange(requests) % len(names)]
    failed = (called == names[-1]) & (generator.random(requests) < 0.02)
    at_s = np.linspace(0, LENGTH_S - 0.01, requests)
    columns = {
        "started_at": [(start + timedelta(seconds=second)).isoformat() for second in at_s],
        "duration_ms": np.where(called == names[0], slower, 1) * generator.lognormal(3, 0.3, requests),
        "name": called,
        "method": ["GET"] * requests,
        "status_code": np.where(failed, 503, 200),
        "success": ~failed,
        "error": np.where(failed, "<b>too busy</b>", ""),
    }
    csv.write_csv(pa.table(columns), str(path))
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ator.Workspace]:
    """Return a workspace with a run of each kind."""
    folder = tmp_path_factory.mktemp("runs")
    ws = ator.connect(folder / "data")
    same: dict[str, Any] = {"test": "checkout", "stream": "main", "location": "lab-1"}
    same["attributes"] = {"synthetic": True, "ci": {"job": 7}}
    ws.ingest(write_samples(folder / "a.csv"), **same, tags=["nightly"])
    ws.ingest(write_samples(folder / "b.csv", start=START + timedelta(days=1), slower=1.6), **same)
    for number, seconds in enumerate((0, 30)):
        file = write_samples(folder / f"c{number}.csv", start=START + timedelta(days=5, seconds=seconds), requests=99)
        ws.ingest(file, location="lab-2")
    ws.ingest(RECORDED / "wrk" / "wrk.txt", test="wrk")
    ws.ingest(RECORDED / "junit" / "pytest.xml", test="functional")
    ws.ingest(RECORDED / "influx" / "host.csv", test="hosts")
    ws.complete(ws.register(test="broken"), "failure", reason="capture_failed")
    yield ws
    ws.parts.engine.dispose()


def opened(ws: ator.Workspace, run_id: int, visitor: Any = RUNNER, **state: str) -> RunPage:
    """Open the page of a run; it has read the workspace."""
    query = "&".join(f"{name}={value}" for name, value in {"run_id": run_id, **state}.items())
    return refreshed(RunPage(ws, visitor), f"?{query}")


def charts(page: RunPage) -> list[Any]:
    """Give the figures that the page shows, from top to bottom."""
    drawn = [chart.figure for chart in page.__panel__().select(Chart) if chart.visible]  # type: ignore[no-untyped-call]
    return [plotly.io.from_json(figure) for figure in drawn]


def tile(html: str, label: str) -> str:
    """Give what a tile says, without its unit."""
    [value] = re.findall(rf'<div class="label">{label}</div><div class="value">([^<]*?) ?<', html)
    return str(value)


def told(run: ator.RunHandle, **part: Any) -> Any:
    """Give the total of a run or of a part of it."""
    return run.summary(**part).query("scope == 'total'").iloc[0]


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


# --- beside it ---


def test_runs_at_the_same_place_and_time_are_named(store: ator.Workspace) -> None:
    """With how much of this run's time they took part in."""
    html = shown(opened(store, TOGETHER)).split('aria-label="At the same time"')[1]

    assert f'href="/run?run_id={BESIDE}">Run {BESIDE}</a>' in html
    assert "50.0 %" in html.split("</section>")[0]


def test_artifacts_can_be_downloaded(ws: ator.Workspace) -> None:
    """By the server's doors, with their sizes."""
    run = ws.register(test="t")
    folder = ws.parts.run_folder(run.run_id)
    (folder / "artifacts" / "a b").mkdir(parents=True)
    (folder / "artifacts" / "a b" / "ü?.csv").write_bytes(b"x" * 1234)
    (folder / "tool.log").write_text("line\n" * 300)
    html = shown(opened(ws, run.run_id))

    assert '<a href="/runs/1/artifacts/a%20b/%C3%BC%3F.csv" download>a b/ü?.csv</a>' in html
    assert ">1.23 kB</td>" in html
    assert '<a href="/runs/1/artifacts/tool.log" download>' in html
    assert "the last 200 lines" in html
    assert html.split("<pre>")[1].count("line") == 200


def test_a_dashboard_is_a_link_for_web_addresses_only(ws: ator.Workspace) -> None:
    """A ``javascript:`` address is not offered."""
    ws.register(dashboard_url="https://grafana.example/d/1")
    ws.register(dashboard_url="javascript:alert(1)")

    assert 'href="https://grafana.example/d/1" target="_blank" rel="noopener noreferrer"' in shown(opened(ws, 1))
    assert "javascript" not in shown(opened(ws, 2))


def test_texts_are_escaped(ws: ator.Workspace) -> None:
    """Names, tags and attributes are shown as they were written, however long."""
    evil = "<img src=x onerror=alert(1)>"
    ws.register(test=evil, stream=evil, environment="😀" * 480, tags=[evil], attributes={evil: evil})

    html = shown(opened(ws, 1))

    assert html.count("&lt;img src=x onerror=alert(1)&gt;") >= 5
    assert "<img" not in html


# --- what can be done ---


def doors(page: RunPage) -> list[tuple[str, str]]:
    """Give what the page asks the server's doors for: method and door."""
    return [(method, door) for door, method in re.findall(r'data-post="([^"]*)" data-method="(\w+)"', shown(page))]


def test_a_viewer_can_change_nothing(store: ator.Workspace) -> None:
    """There is no button; the report is for everybody."""
    page = opened(store, ALL, visitor=VIEWER)

    assert "data-post" not in shown(page)
    assert 'href="/runs/1/report"' in shown(page)


def test_a_runner_can_pin_and_unpin(tmp_path: Path, ws: ator.Workspace) -> None:
    """Under the test's name, which is where later runs look for their baseline."""
    ws.ingest(write_samples(tmp_path / "a.csv"), test="a/b c")
    page = opened(ws, 1)
    before = doors(page)
    ws.baselines.pin("a/b c", 1)

    assert before == [("PUT", "/baselines/a%2Fb%20c")]
    assert doors(refreshed(page, "?run_id=1")) == [("DELETE", "/baselines/a%2Fb%20c")]
    assert "<dt>Pinned as baseline</dt><dd>a/b c</dd>" in shown(page)


# --- its code ---


def test_the_code_gives_the_same(store: ator.Workspace) -> None:
    """The tables and figures that are shown, as zoomed."""
    page = opened(
        store, ALL, since="2026-03-01T12:00:10Z", until="2026-03-01T12:00:40Z", interval="10s", view="heatmap"
    )
    names: dict[str, Any] = {}
    exec(as_script(store, page.code(page.read())), names)

    assert tile(shown(page), "Requests") == str(names["summary"].query("scope == 'total'").requests.iloc[0])
    for figure, drawn in zip((names["over_time"], names["closer"]), charts(page), strict=True):
        assert json.loads(figure.to_json())["data"] == json.loads(drawn.to_json())["data"]
    assert len(names["errors"]) == shown(page).split('aria-label="Errors"')[1].count("503</td>")
    assert names["verdict"].verdict is None
    assert list(names["overlaps"].run_id) == []
    names["ws"].parts.engine.dispose()


@pytest.mark.parametrize("run_id", [SUMMARY, CASES, MEASURED, NOTHING])
def test_the_code_runs_for_other_kinds_of_runs(store: ator.Workspace, run_id: int) -> None:
    """As it stands there."""
    page = opened(store, run_id)
    names: dict[str, Any] = {}
    exec(as_script(store, page.code(page.read())), names)

    assert names["run"].run_id == run_id
    names["ws"].parts.engine.dispose()
