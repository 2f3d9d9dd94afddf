"""Runs made up for gates: measured by no tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ator_lib import schema
from ator_lib.analysis.gates.data import Course, GateData, Intervals
from ator_lib.analysis.gates.document import gates_of
from ator_lib.analysis.gates.evaluation import evaluate
from ator_lib.analysis.gates.result import GateResult, GateRow
from ator_lib.analysis.run_data import TOTAL, Endpoint

GET_A, POST_A, GET_B = Endpoint("/a", "GET"), Endpoint("/a", "POST"), Endpoint("/b%20c", "GET")

_FIGURES: dict[str, Any] = {
    **{column: 100.0 for column in schema.SUMMARIES.names if column.endswith("_ms")},
    "requests": 1000,
    "failures": 0,
    "error_rate": 0.0,
    "duration_s": 60.0,
    "throughput_rps": 16.7,
    "bytes_received": None,
    "precision": schema.EXACT,
}


def summaries(figures: Mapping[Endpoint, Mapping[str, Any]]) -> pa.Table:
    """Make SUMMARIES: what is not given is unremarkable."""
    rows = [
        {"scope": endpoint.scope, "name": endpoint.name, "method": endpoint.method, **_FIGURES, **given}
        for endpoint, given in figures.items()
    ]
    return pa.Table.from_pylist(rows, schema=schema.SUMMARIES)


def cases(*rows: tuple[str | None, str, str]) -> pa.Table:
    """Make CASES of (suite, case, status)."""
    made = [{"suite": suite, "case": case, "status": status} for suite, case, status in rows]
    return pa.Table.from_pylist(made, schema=schema.CASES)


def data(figures: Mapping[Endpoint, Mapping[str, Any]] | None = None, **fields: Any) -> GateData:
    """Make what is known of a run; without figures, three endpoints like the others."""
    known = {GET_A: {}, POST_A: {}, GET_B: {}, TOTAL: {}} if figures is None else figures
    return GateData(**{"summaries": summaries(known), "cases": cases(), **fields})


def course(*values: float | None, length_s: float = 1.0, endpoint: Endpoint = TOTAL) -> Course:
    """Make a course of one endpoint; null is an interval without a request."""
    kept = [place for place, value in enumerate(values) if value is not None]
    made = Intervals(
        start_s=np.array(kept) * length_s,
        length_s=np.full(len(kept), length_s),
        value=np.array([values[place] for place in kept], dtype=np.float64),
    )
    return Course(by_endpoint={endpoint: made})


def result(gates: Sequence[str | Mapping[str, Any]], known: GateData, **options: bool) -> GateResult:
    """Evaluate gates."""
    return evaluate(gates_of(gates), known, title="made up", **options)


def row(gate: str | Mapping[str, Any], known: GateData, **options: bool) -> GateRow:
    """Evaluate one gate."""
    (found,) = result([gate], known, **options).rows
    return found
