"""Limits: whether a figure of the run is on the right side."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ator_lib.analysis.gates.data import GateData, Score, endpoints_of
from ator_lib.analysis.gates.findings import Finding, of_each, unknown
from ator_lib.analysis.gates.model import GateSpec
from ator_lib.analysis.gates.result import Outcome
from ator_lib.schema import EXACT

HOLDS: Mapping[str, Callable[[Any, float], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}
"""Sign → whether a figure, or each of an array, is on that side."""

SPOKEN = {"<": "below ", "<=": "at most ", "=": "", ">=": "at least ", ">": "above "}


_WRONG = {sign: f" is not {spoken}".rstrip() for sign, spoken in SPOKEN.items()} | {"=": ", not"}


def judge_requests(gate: GateSpec, data: GateData) -> Finding:
    """Judge a column of the summaries."""
    limit = gate.bound.value
    if gate.bound.of_planned:
        if data.planned_rps is None:
            return unknown("nobody knows what rate was planned: keep it with the run as the attribute planned_rps")
        limit *= data.planned_rps
    rows = data.rows()
    return of_each(endpoints_of(gate.of, list(rows)), lambda endpoint: _judge_row(gate, rows[endpoint], limit))


def _judge_row(gate: GateSpec, row: Mapping[str, Any], limit: float) -> Finding:
    measure = gate.measure
    value = row[measure.name]
    if measure.is_latency and row["requests"] and row["failures"] == row["requests"]:
        return unknown(f"all {row['requests']:,} requests failed, so their latencies are those of errors")
    if value is None or math.isnan(value):
        return unknown(f"{measure.name} was not measured")
    found = judge_figure(gate, float(value), limit)
    is_exact = row["precision"] == EXACT or not measure.is_latency
    return found if is_exact else replace(found, message=f"{found.message} (precision: {row['precision']})")


def judge_score(gate: GateSpec, data: GateData) -> Finding:
    """Judge Apdex."""
    scores = data.apdex[gate.target or 0.0]
    endpoints = endpoints_of(gate.of, list(data.rows()))
    return of_each(endpoints, lambda endpoint: _judge_score(gate, scores.get(endpoint)))


def _judge_score(gate: GateSpec, score: Score | None) -> Finding:
    """Judge one score; what is known to lie in a range is judged if both its ends agree."""
    if score is None:
        return unknown("there are neither samples nor a histogram to take it from")
    low, high = (judge_figure(gate, end, gate.bound.value) for end in (score.low, score.high))
    if score.low == score.high:
        return low
    span = f"between {score.low:.3g} and {score.high:.3g} by the histogram alone"
    if low.outcome is not high.outcome:
        return unknown(f"{span}, and {gate.bound.value:g} lies in between")
    return replace(low, message=span)


def judge_figure(gate: GateSpec, value: float, limit: float) -> Finding:
    """Judge one figure against a limit in the same unit."""
    unit, holds = gate.measure.unit, bool(HOLDS[gate.sign](value, limit))
    found = unit.write(value, beside=limit)
    distance = limit - value if gate.sign in (">", ">=") else value - limit
    return Finding(
        outcome=Outcome.PASSED if holds else Outcome.FAILED,
        message=found if holds else f"{found}{_WRONG[gate.sign]} {unit.write(limit, beside=value)}",
        measured=value * unit.scale,
        limit=limit * unit.scale,
        unit=unit.shown or None,
        severity=distance,
    )
