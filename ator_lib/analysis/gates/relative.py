"""Gates relative to a baseline, decided by the comparison: its significance, its intervals, its checks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ator_lib.analysis.gates.data import GateData, Missing, endpoints_of
from ator_lib.analysis.gates.findings import Finding, of_each, unknown
from ator_lib.analysis.gates.model import GateSpec
from ator_lib.analysis.gates.result import Outcome, Reason
from ator_lib.analysis.gates.units import POINTS, SHARE, Unit
from ator_lib.analysis.metrics import METRICS
from ator_lib.analysis.run_data import COMMON, Endpoint
from ator_lib.analysis.verdicts import Verdict
from ator_lib.written import signed

Effects = dict[str, float]
"""``CompareOptions.minimum_effect``."""


def comparisons_for(gates: Sequence[GateSpec], known: Sequence[Endpoint]) -> list[tuple[Effects, list[int]]]:
    """Say which comparisons the gates need, each with its minimum effects and the numbers of its gates.

    Gates share a comparison unless they ask of the same figure for different effects; "no regression" is that of the
    defaults.
    """
    needed: list[tuple[Effects, list[int]]] = []
    for number, gate in enumerate(gates):
        if gate.without == "regression":
            effects: Effects = {}
            shared = next((have for have in needed if not have[0]), None)
        elif gate.no_worse_than is not None:
            endpoints = endpoints_of(gate.of, known)
            listed = [] if isinstance(endpoints, Missing) else endpoints
            effects = {f"{gate.measure.name} of {endpoint.label}": gate.no_worse_than for endpoint in listed}
            shared = next((have for have in needed if have[0] and _agree(have[0], effects)), None)
        else:
            continue
        if shared is None:
            needed.append((effects, [number]))
        else:
            shared[0].update(effects)
            shared[1].append(number)
    return needed


def _agree(one: Effects, other: Effects) -> bool:
    return all(one.get(name, effect) == effect for name, effect in other.items())


def judge_change(gate: GateSpec, data: GateData, comparison: Mapping[str, Any] | Missing) -> Finding:
    """Judge a change against the baseline, in every endpoint."""
    endpoints = endpoints_of(gate.of, list(data.rows()))
    if isinstance(endpoints, Missing):
        return unknown(endpoints.reason)
    if isinstance(comparison, Missing):
        return unknown(comparison.reason, Reason.NO_BASELINE)
    if comparison["verdict"] == Verdict.NOT_COMPARABLE:
        return unknown(comparison["headline"], Reason.NOT_COMPARABLE)
    if gate.without is not None:
        return _judge_verdicts(gate, endpoints, comparison)
    rows = {_key(row): row for row in comparison["rows"] if row["metric"] == gate.measure.name}
    return of_each(endpoints, lambda endpoint: _judge_row(gate, rows.get(endpoint), rows.get(COMMON)))


def _key(row: Mapping[str, Any]) -> Endpoint:
    return Endpoint(row["name"], row["method"], row["scope"])


def _judge_verdicts(gate: GateSpec, endpoints: Sequence[Endpoint], comparison: Mapping[str, Any]) -> Finding:
    """Judge "no regression": by the run's verdict, or by those of some endpoints and of what all of them share."""
    if gate.of is None:
        return _by_verdict(comparison["verdict"], comparison["headline"])
    said = {_key(row): row["verdict"] for row in comparison["endpoints"]}
    if said.get(COMMON) == Verdict.REGRESSED:
        return _by_verdict(Verdict.REGRESSED, "all endpoints regressed together")
    return of_each(endpoints, lambda e: _by_verdict(said.get(e), said.get(e) or "it is not on both sides"))


def _by_verdict(verdict: str | None, message: str) -> Finding:
    if verdict in (Verdict.IMPROVED, Verdict.NO_CHANGE):
        return Finding(outcome=Outcome.PASSED, message=message)
    if verdict == Verdict.REGRESSED:
        return Finding(outcome=Outcome.FAILED, message=message)
    is_unclear = verdict == Verdict.NOT_ENOUGH_EVIDENCE
    return unknown(message, Reason.NOT_ENOUGH_EVIDENCE if is_unclear else Reason.NOT_COMPARABLE)


def _judge_row(gate: GateSpec, row: Mapping[str, Any] | None, common: Mapping[str, Any] | None) -> Finding:
    """Judge one figure: worse by the verdict; or no worse, because its interval ends before the limit."""
    if row is None:
        return unknown("it is not on both sides", Reason.NOT_COMPARABLE)
    worse, worst, limit = _worse(row), _worst(row, common), gate.no_worse_than or 0.0
    if row["verdict"] in (None, Verdict.NOT_COMPARABLE) or worse is None:
        return unknown(row["reason"] or f"{row['metric']} is shown and not judged", Reason.NOT_COMPARABLE)
    unit = SHARE if METRICS[row["metric"]].relative else POINTS
    finding = Finding(
        outcome=Outcome.PASSED,
        message=_told(worse, row, unit) + (f", {_told(worst, row, unit)} at worst" if worst is not None else ""),
        measured=worse * unit.scale,
        limit=limit * unit.scale,
        unit=unit.shown,
        severity=worse,
    )
    if row["verdict"] == Verdict.REGRESSED:
        return replace(finding, outcome=Outcome.FAILED, message=f"{finding.message}: regressed")
    if _is_shared(row, common) and worse >= limit:
        return replace(finding, outcome=Outcome.FAILED, message=f"{finding.message}: regressed with all endpoints")
    if worst is not None and worst <= limit:
        return finding
    unclear = f"{finding.message}: not enough evidence{_needed(row)}"
    return replace(finding, outcome=Outcome.UNKNOWN, reason=Reason.NOT_ENOUGH_EVIDENCE, message=unclear)


def _is_shared(row: Mapping[str, Any], common: Mapping[str, Any] | None) -> bool:
    """Whether a part of the change is that of all endpoints, which regressed together."""
    return row["common"] is not None and common is not None and common["verdict"] == Verdict.REGRESSED


def _worse(row: Mapping[str, Any]) -> float | None:
    """By how much it got worse, negative if better: the whole change, what all endpoints share included."""
    change: float | None = row["difference"] if row["interval_of"] == "difference" else row["change"]
    return None if change is None else -change if METRICS[row["metric"]].higher_is_better else change


def _worst(row: Mapping[str, Any], common: Mapping[str, Any] | None) -> float | None:
    """By how much it may have got worse at most, by its interval.

    The interval is that of the endpoint's own part of a change; what all endpoints share adds its own uncertainty,
    as the root of the sum of squares on the scale of logarithms.
    """
    end, sign = ("low", -1) if METRICS[row["metric"]].higher_is_better else ("high", 1)
    if row[end] is None:
        return None
    if row["common"] is None:
        return sign * float(row[end])
    if common is None or common[end] is None:
        return None
    whole, shared = math.log1p(row["change"]), math.log1p(row["common"])
    doubt = math.hypot(math.log1p(row[end]) - (whole - shared), math.log1p(common[end]) - shared)
    return sign * math.expm1(whole + sign * doubt)


def _told(worse: float, row: Mapping[str, Any], unit: Unit) -> str:
    """Write a change as it is measured: less throughput is a minus."""
    return f"{signed(-worse if METRICS[row['metric']].higher_is_better else worse)} {unit.shown}"


def _needed(row: Mapping[str, Any]) -> str:
    runs = row.get("runs_needed")
    return f"; about {runs} runs on each side would show it" if runs else ""
