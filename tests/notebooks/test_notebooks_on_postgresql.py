"""The notebooks that only read, executed on a team's database, after runs of known truth.

On the embedded store they are what ``tests/browser/test_reports.py`` looks at.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat

import ator_lib as ator
from ator_lib.settings import load_settings
from ator_lib.workspace.connect import open_workspace
from tests.support.shop_runs import ingest_shop_runs

PLOTLY = "application/vnd.plotly.v1+json"


def outputs_of(notebook: Path, cell: str) -> list[dict[str, Any]]:
    """Return what a cell showed, by MIME type."""
    cells = nbformat.read(notebook, as_version=4).cells
    outputs = next(c for c in cells if c.id == cell).outputs
    assert all(output.output_type in ("execute_result", "display_data") for output in outputs), cell
    return [output.data for output in outputs]


def html_of(notebook: Path, cell: str) -> str:
    """Return the HTML that a cell showed."""
    return "".join(data["text/html"] for data in outputs_of(notebook, cell) if "text/html" in data)


def is_drawn(notebook: Path, cell: str) -> bool:
    """Whether a cell showed a figure with something in it."""
    return any(data[PLOTLY]["data"] for data in outputs_of(notebook, cell) if PLOTLY in data)


def test_three_at_once(postgres_url: str, tmp_path: Path) -> None:
    """Analysis, comparison and trend run beside each other, and each finds what is true of the runs."""
    ws = open_workspace(load_settings(data=tmp_path, database_url=postgres_url, results="postgres"))
    runs = ingest_shop_runs(ws, tmp_path)
    before, after = runs[:5], runs[5:]
    given: dict[str, dict[str, Any]] = {
        "analyze_run": {"run_id": after[-1], "baseline": before[0]},
        "compare_runs": {"contender": after, "baseline": before},
        "trend": {"test": "shop", "stream": "main"},
    }

    def execute(name: str) -> Path:
        return ws.notebook(name, tmp_path / f"{name}.ipynb", parameters=given[name])

    with ThreadPoolExecutor(len(given)) as pool:
        done = dict(zip(given, pool.map(execute, given), strict=True))
    check_analysis(done["analyze_run"], after[-1])
    check_comparison(done["compare_runs"])
    check_trend(done["trend"], after[0])


def check_analysis(notebook: Path, run_id: int) -> None:
    """The run, its figures, its errors as text, and the comparison."""
    shown = html_of(notebook, "run")
    assert f"Run {run_id} · shop" in shown
    assert "Started" in shown
    assert ator.PERCENTILE_RULE in shown
    for cell in ("timeline", "endpoints", "heatmap", "errors", "changes"):
        assert is_drawn(notebook, cell), cell
    assert "&lt;b&gt;no such order&lt;/b&gt;" in html_of(notebook, "errors")
    assert "<b>no such order" not in html_of(notebook, "errors")
    assert "ator-banner" in html_of(notebook, "comparison")


def check_comparison(notebook: Path) -> None:
    """The search regressed, and everything that leads there has its place."""
    verdict = html_of(notebook, "verdict")
    assert "regressed" in verdict
    assert "GET /search" in verdict
    for cell in ("changes", "distributions", "contributions"):
        assert is_drawn(notebook, cell), cell
    assert "Remark" in html_of(notebook, "checks")
    assert "/search" in html_of(notebook, "explanation")
    assert "GET /orders" in html_of(notebook, "table")


def check_trend(notebook: Path, first_slow: int) -> None:
    """The level of the search changes at the first slow run."""
    assert is_drawn(notebook, "figure")
    shown = html_of(notebook, "trend")
    assert "ator-banner" in shown
    assert "/search" in shown
    assert f"{first_slow}" in shown
