"""The page of a run that has ended: what is known beside its figures, what can be done with it, and its code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import panel as pn
import pytest

import ator_lib as ator
from panel_app.code import as_script
from tests.panel_app.conftest import VIEWER, refreshed, shown
from tests.panel_app.run_pages import (
    ALL,
    BESIDE,
    CASES,
    MEASURED,
    NOTHING,
    RECORDED,
    SUMMARY,
    TOGETHER,
    charts,
    doors,
    filled,
    opened,
    tile,
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


def test_a_viewer_can_change_nothing(store: ator.Workspace) -> None:
    """There is no button; the report is for everybody."""
    page = opened(store, ALL, visitor=VIEWER)

    assert "data-post" not in shown(page)
    assert 'href="/runs/1/report"' in shown(page)


def test_a_runner_can_pin_and_unpin(ws: ator.Workspace) -> None:
    """Under the test's name, which is where later runs look for their baseline."""
    ws.ingest(RECORDED / "junit" / "pytest.xml", test="a/b c")
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
