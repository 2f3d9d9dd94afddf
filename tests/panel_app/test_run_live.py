"""The page of a run that waits or runs, fed by heartbeats as any executor sends them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import plotly.io
import pytest

import ator_lib as ator
from ator_lib.model import EndpointProgress, ErrorProgress, LoadProfile, Progress, Run, RunRequest, RunStatus
from panel_app.chart import Chart
from panel_app.code import as_script
from panel_app.pages.run import RunPage
from tests.panel_app.conftest import RUNNER, VIEWER, refreshed, shown
from tests.panel_app.run_pages import charts, doors, opened, tile, write_samples

HOT = EndpointProgress(name="/search", method="GET", requests=80, failures=4, throughput_rps=9.0, p95_ms=83.4)


def started(ws: ator.Workspace, **request: Any) -> Run:
    """Start a run that holds a lease."""
    return ws.parts.registry.register(RunRequest(test="checkout", **request), lease_s=600)


def beat(ws: ator.Workspace, run: Run, elapsed_s: float, **progress: Any) -> None:
    """Tell how the run is doing."""
    told = Progress(elapsed_s=elapsed_s, users=5, throughput_rps=10.0, p95_ms=40.0, **progress)
    ws.parts.registry.renew(run.run_id, run.lease_id or "", lease_s=600, progress=told)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return what charts send to the browser beside their figures."""
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(Chart, "_send_msg", lambda _, message: messages.append(message["extend"]["points"]))
    return messages


def test_a_running_run_says_how_far_it_is_and_how_it_does(ws: ator.Workspace) -> None:
    """Time, users, throughput, p95 and errors; endpoints and errors so far."""
    run = started(ws, load_profile=LoadProfile(users=5, run_time_s=60))
    failed = ErrorProgress(name="/search", method="GET", error="<b>no</b>", requests=4)
    beat(ws, run, 15, requests=100, failures=4, endpoints=(HOT,), errors=(failed,))
    page = opened(ws, run.run_id)
    html = shown(page)

    assert 'aria-valuenow="25.0"' in html
    assert tile(html, "Elapsed") == "15 s"
    assert tile(html, "Errors") == "4.00 %"
    assert ">GET /search</td>" in html
    assert ">83.4</td>" in html
    assert ">&lt;b&gt;no&lt;/b&gt;</td>" in html
    assert page.is_live


def test_the_live_chart_begins_with_all_and_gets_only_what_is_new(
    ws: ator.Workspace, sent: list[dict[str, Any]]
) -> None:
    """Errors are those since the point before, also where that was drawn already."""
    run = started(ws)
    beat(ws, run, 2, requests=10)
    beat(ws, run, 4, requests=20, failures=1)
    page = opened(ws, run.run_id)
    [drawn] = charts(page)
    beat(ws, run, 6, requests=40, failures=6)
    again = refreshed(page, f"?run_id={run.run_id}")
    refreshed(page, f"?run_id={run.run_id}")

    assert [list(trace.x) for trace in drawn.data] == [[2, 4]] * 4
    assert [list(trace.y) for trace in drawn.data] == [[10, 10], [5, 5], [40, 40], [0, 0.1]]
    assert sent == [{"x": [[6]] * 4, "y": [[10], [5], [40], [0.25]]}]
    assert charts(again)[0].data == drawn.data


def test_another_run_begins_anew(ws: ator.Workspace, sent: list[dict[str, Any]]) -> None:
    """As when somebody goes back to it in the same window."""
    first, second = started(ws), started(ws)
    beat(ws, first, 2, requests=10)
    beat(ws, second, 3, requests=10)
    page = opened(ws, first.run_id)
    [figure] = charts(refreshed(page, f"?run_id={second.run_id}"))

    assert list(figure.data[0].x) == [3]
    assert sent == []


def test_the_page_of_a_run_that_ends_becomes_that_of_its_results(tmp_path: Path, ws: ator.Workspace) -> None:
    """By itself; then there is nothing more to look for."""
    run = started(ws)
    beat(ws, run, 2, requests=10)
    page = opened(ws, run.run_id)
    while_running = shown(page)
    ws.complete(run.run_id, "success")
    ws.ingest(write_samples(tmp_path / "a.csv", requests=90), run=run.run_id)
    html = shown(refreshed(page, f"?run_id={run.run_id}"))

    assert "So far" in while_running
    assert "So far" not in html
    assert tile(html, "Requests") == "90"
    assert len(charts(page)) == 2
    assert not page.is_live


def test_a_run_that_ended_without_results_keeps_its_course(ws: ator.Workspace) -> None:
    """It is all that is known of it."""
    run = started(ws)
    beat(ws, run, 2, requests=10)
    ws.complete(run.run_id, "failure", reason="capture_failed")
    page = opened(ws, run.run_id)

    assert "This run has no results." in shown(page)
    assert len(charts(page)) == 1
    assert not page.is_live


def test_a_run_without_heartbeats_says_that_it_runs(ws: ator.Workspace) -> None:
    """There is nothing to draw."""
    ws.register(test="by hand")
    page = opened(ws, 1)

    assert "The run is running." in shown(page)
    assert charts(page) == []


def test_a_queued_run_knows_its_place(ws: ator.Workspace) -> None:
    """Its position, whom it waits for, and when it may start."""
    place: dict[str, Any] = {"location": "lab-1", "factor": Decimal("0.6")}
    first = started(ws, **place)
    waiting = ws.parts.registry.enqueue(RunRequest(test="later", **place), queue_lease_s=600, lease_s=600)
    page = opened(ws, waiting.run.run_id)
    html = shown(page)

    assert "Waiting in the queue of lab-1" in html
    assert "<dt>Position</dt><dd>1</dd>" in html
    assert f'<a href="/run?run_id={first.run_id}">' in html
    assert "no history of" in html
    assert page.is_live
    assert doors(page) == [("POST", "/cancel")]


def test_a_runner_can_stop_a_run_once(ws: ator.Workspace) -> None:
    """After that it is asked to; a viewer sees no button."""
    run = started(ws)
    page = opened(ws, run.run_id)
    before = doors(page)
    ws.cancel(run.run_id)

    assert before == [("POST", "/cancel")]
    assert doors(refreshed(page, f"?run_id={run.run_id}")) == []
    assert "asked to stop" in shown(page)
    assert doors(opened(ws, started(ws).run_id, visitor=VIEWER)) == []


def test_the_code_of_a_running_run_gives_its_course(ws: ator.Workspace) -> None:
    """As it is drawn."""
    run = started(ws)
    beat(ws, run, 2, requests=10)
    page = opened(ws, run.run_id)
    names: dict[str, Any] = {}
    exec(as_script(ws, page.code(page.read())), names)

    assert names["run"].status is RunStatus.RUNNING
    assert names["progress"].elapsed_s.tolist() == [2]
    assert plotly.io.from_json(names["course"].to_json()).data == charts(page)[0].data
    names["ws"].parts.engine.dispose()


def test_a_run_that_is_deleted_meanwhile_is_no_run_any_more(ws: ator.Workspace) -> None:
    """The page says so, and stops looking."""
    run = ws.register(test="t")
    page = RunPage(ws, RUNNER)
    refreshed(page, f"?run_id={run.run_id}")
    ws.complete(run, "cancelled")
    ws.delete(run.run_id)
    html = shown(refreshed(page, f"?run_id={run.run_id}"))

    assert "No such run" in html
    assert not page.is_live
