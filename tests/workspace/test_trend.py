"""Trends and marks as users ask for them, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ator_lib as ator
from ator_lib.errors import ConflictError, NotFoundError, UsageError
from tests.analysis.trend.histories import noisy
from tests.support.histories import add_history, add_run

STEP = noisy((100, 12), (140, 10))


@pytest.fixture
def ws(database_url: str, tmp_path: Path) -> Iterator[ator.Workspace]:
    """Return a workspace on a fresh database of each kind."""
    workspace = ator.connect(tmp_path / "data", database_url=database_url)
    yield workspace
    workspace.parts.engine.dispose()


def history(ws: ator.Workspace, **run: Any) -> list[int]:
    return add_history(ws.parts.engine, STEP, **run)


def test_a_change_names_the_commit(ws: ator.Workspace) -> None:
    """And all else that the registry knows to differ; what ATOR itself keeps with a run is not told."""
    commits = ["0f3c"] * 12 + ["91ab"] * 10
    attributes = [{"git_commit": commit, "ingested_from": str(n)} for n, commit in enumerate(commits)]
    ids = history(ws, attributes=attributes, tool=["jmeter"] * 12 + ["locust"] * 10)
    trend = ws.trend("checkout")
    (change,) = trend.changes.to_dict("records")
    assert (change["series"], change["run_id"], change["verdict"]) == ("GET /a", ids[12], "regressed")
    assert change["what"] == "tool jmeter → locust; git_commit 0f3c → 91ab"
    assert (trend.verdict, len(trend.table)) == ("regressed", 22)
    assert any("2 tools" in note for note in trend.notes)


def test_runs_that_were_cut_short_are_left_out(ws: ator.Workspace) -> None:
    """Failed ones are results, too."""
    ids = history(ws, status=["success", "failure"] * 11)
    for status in ("cancelled", "abandoned"):
        add_run(ws.parts.engine, {("/a", "GET"): 9999.0}, 30, status=status)
    assert ws.trend("checkout").table["run_id"].tolist() == ids


def test_a_mark_takes_the_alarm_away(ws: ator.Workspace) -> None:
    """Until it is removed; the run cannot be deleted as long."""
    ids = history(ws)
    mark = ws.annotate(ids[12], "new server")
    trend = ws.trend("checkout")
    assert trend.changes[["kind", "text"]].to_numpy().tolist() == [["marked", "new server"]]
    assert trend.marks["run_id"].tolist() == ws.annotations.list()["run_id"].tolist() == [ids[12]]
    assert mark.created_by is not None
    with pytest.raises(ConflictError, match=f"mark {mark.annotation_id}"):
        ws.delete(ids[12])
    ws.annotations.remove(mark.annotation_id)
    assert ws.trend("checkout").changes["kind"].tolist() == ["change"]
    ws.delete(ids[12])
    assert ids[12] not in ws.trend("checkout").table["run_id"].tolist()


def test_another_unit_is_found_out(ws: ator.Workspace) -> None:
    """By the other latencies of the same runs."""
    add_history(ws.parts.engine, noisy((10, 10), (10_000, 8)))
    assert ws.trend("checkout", by="total").changes["kind"].tolist() == ["unit fault"]


def test_parameters_ask_for_the_same_again(ws: ator.Workspace) -> None:
    """After JSON, too."""
    history(ws, stream="main")
    trend = ws.trend("checkout", by="stream", stream=["main"], since="2026-01-05", last=15)
    again = ws.trend(**json.loads(json.dumps(trend.parameters)))
    assert again.to_dict() == trend.to_dict()
    assert len(trend.table) == 15


def test_series_are_drawn_by_name(ws: ator.Workspace) -> None:
    """One that there is not is an error, with those that are like it."""
    history(ws)
    trend = ws.trend("checkout")
    assert "p95 of checkout" in trend.figure("GET /a").layout.title.text
    with pytest.raises(UsageError, match="no series 'GET /b' in this trend: did you mean 'GET /a'"):
        trend.figure(["GET /b"])
    with pytest.raises(UsageError, match="no series 5"):
        trend.figure(5)  # type: ignore[arg-type]


def test_it_shows_itself(ws: ator.Workspace) -> None:
    """With its changes and what differs; names are no markup."""
    history(ws, attributes=[{"commit": "<b>1</b>"}] * 12 + [{"commit": "2"}] * 10)
    shown = ws.trend("checkout")._repr_html_()
    assert "commit &lt;b&gt;1&lt;/b&gt; → 2" in shown
    assert "regressed" in shown
    assert "<table>" in ws.trend("checkout").changes._repr_html_()


UNANSWERED: dict[str, dict[str, Any]] = {
    "no run of a test 'chekout': did you mean 'checkout'?": {"test": "chekout"},
    "has test='checkout', stream='dev'; its streams are main: ask for fewer of these": {"stream": "dev"},
    "by='git_comit' tells no runs apart: did you mean 'git_commit'?": {"by": "git_comit"},
    "of 22 runs none has a figure p99_9_ms": {"metric": "p99_9_ms"},
    "no metric 'p95': did you mean 'p95_ms'": {"metric": "p95"},
    "since='soon' is no time": {"since": "soon"},
    "a trend has no option streams: it has test, metric, by": {"streams": "main"},
    "last=0": {"last": 0},
}


def test_what_cannot_be_answered(ws: ator.Workspace) -> None:
    """A sentence says what is missing, and what there is."""
    history(ws, stream="main", attributes={"git_commit": "1"})
    for words, options in UNANSWERED.items():
        with pytest.raises(UsageError) as error:
            ws.trend(**{"test": "checkout", **options})
        assert words in str(error.value)


def test_a_column_that_no_run_has(ws: ator.Workspace) -> None:
    """All runs are one series, and its name says so."""
    history(ws)
    assert ws.trend("checkout", by="environment").table["series"].unique().tolist() == ["no environment"]


def test_a_workspace_without_runs(ws: ator.Workspace) -> None:
    """There is nothing to suggest."""
    with pytest.raises(NotFoundError, match=r"no run of a test 'checkout'$"):
        ws.trend("checkout")


def test_runs_without_endpoints(ws: ator.Workspace) -> None:
    """Their totals can be looked at."""
    for number in range(3):
        add_run(ws.parts.engine, {(None, None): 5.0}, number)
    with pytest.raises(NotFoundError, match="by='total' looks at whole runs"):
        ws.trend("checkout")
    assert len(ws.trend("checkout", by="total").table) == 3


def test_a_mark_of_a_metric_that_there_is_not(ws: ator.Workspace) -> None:
    """It would never count."""
    (run_id, *_) = history(ws)
    with pytest.raises(UsageError, match="no metric 'p95'"):
        ws.annotate(run_id, "x", metric="p95")
