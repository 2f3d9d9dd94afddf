"""Runs of each kind in a store, and their page as it is opened; the figures are made up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import plotly.io
import pyarrow as pa
import pyarrow.csv as csv

import ator_lib as ator
from ator_lib.server.visitors import Visitor
from panel_app.chart import Chart
from panel_app.pages.run import RunPage
from tests.panel_app.conftest import RUNNER, refreshed, shown

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


def filled(folder: Path) -> ator.Workspace:
    """Make a workspace with a run of each kind."""
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
    return ws


def opened(ws: ator.Workspace, run_id: int, visitor: Visitor = RUNNER, **state: str) -> RunPage:
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


def doors(page: RunPage) -> list[tuple[str, str]]:
    """Give what the page asks the server's doors for: method and door."""
    return [(method, door) for door, method in re.findall(r'data-post="([^"]*)" data-method="(\w+)"', shown(page))]
