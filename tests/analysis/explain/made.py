"""Made cells of runs with known truth (synthetic, never mistaken for measurements)."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from ator_lib.analysis.comparison import CompareOptions, compare
from ator_lib.analysis.explain.data import BREAKDOWN, ExplainData
from ator_lib.analysis.result import ComparisonResult
from ator_lib.analysis.run_data import RunData
from tests.analysis.synthetic import Truth, made_run

OPTIONS = CompareOptions(replicates=100)


def cell(name: str = "/a", requests: int = 100, mean_ms: float = 10.0, **values: Any) -> dict[str, Any]:
    """One synthetic cell; its phases are connect 1 ms, first byte, and rest 2 ms a request."""
    row = {
        "name": name,
        "method": "GET",
        "status_code": 200,
        "success": True,
        "segment": 0,
        "requests": requests,
        "duration_ms": requests * mean_ms,
        "beyond": 0,
        "connect_ms": requests * 1.0,
        "first_byte_ms": requests * (mean_ms - 3.0),
        "rest_ms": requests * 2.0,
        "with_connect": requests,
        "with_ttfb": requests,
    }
    return row | values


def data(run: RunData, *cells: dict[str, Any]) -> ExplainData:
    """Give a run these cells."""
    return ExplainData(run=run, cells=pa.Table.from_pylist(list(cells), BREAKDOWN))


def compared(
    contender: dict[str, Truth], baseline: dict[str, Truth], **options: Any
) -> tuple[RunData, RunData, ComparisonResult]:
    """Make a run a side, and compare them."""
    after, before = made_run(contender, seed=2, run_sd=0), made_run(baseline, seed=1, run_sd=0)
    return after, before, compare([after], [before], CompareOptions(replicates=100, **options))


FLAT = {"/a": Truth(requests=400), "/b": Truth(requests=400)}
AFTER, BEFORE, RESULT = compared(FLAT, FLAT)
"""Two runs and their comparison, for cells that are made apart from them."""
