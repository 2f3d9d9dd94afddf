"""Gates on functional outcomes: how many cases passed, and which of them fail that did not fail before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import pyarrow as pa

from ator_lib.analysis.gates.data import GateData, Missing, fitting
from ator_lib.analysis.gates.findings import Finding, unknown
from ator_lib.analysis.gates.limits import judge_figure
from ator_lib.analysis.gates.model import GateSpec
from ator_lib.analysis.gates.result import Outcome, Reason
from ator_lib.analysis.wording import listed, near

Case: TypeAlias = tuple[str | None, str]
"""Its suite and its own name."""

_BAD = ("failed", "error")
_MOST_NAMES = 5


def judge_cases(gate: GateSpec, data: GateData) -> Finding:
    """Judge a measure of the cases; a run without any has no outcome, unless it is their number that is asked for."""
    rows = _rows_of(data.cases, gate.of)
    name = gate.measure.name
    if not rows and name != "cases":
        return unknown(_nothing(gate.of, data.cases))
    if name == "new_failures":
        return _judge_new(gate, rows, data)
    value = _figures(rows)[name]
    if value is None:
        return unknown(f"all {len(rows)} cases were skipped")
    named = sorted(_bad(rows), key=_label) if name in ("failed_cases", "pass_rate") else []
    return _told(gate, value, named)


def _judge_new(gate: GateSpec, rows: Sequence[dict[str, Any]], data: GateData) -> Finding:
    if isinstance(data.baseline_cases, Missing):
        return unknown(data.baseline_cases.reason, Reason.NO_BASELINE)
    before = [row for cases in data.baseline_cases for row in cases.to_pylist()]
    if not before:
        return unknown("the baseline has no test cases", Reason.NO_BASELINE)
    new = sorted(_bad(rows) - _bad(before), key=_label)
    return _told(gate, len(new), new)


def _figures(rows: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    counted = {status: sum(row["status"] == status for row in rows) for status in ("passed", "skipped", *_BAD)}
    failed, run = counted["failed"] + counted["error"], len(rows) - counted["skipped"]
    return {
        "cases": len(rows),
        "passed_cases": counted["passed"],
        "failed_cases": failed,
        "skipped_cases": counted["skipped"],
        "pass_rate": counted["passed"] / run if run else None,
    }


def _told(gate: GateSpec, value: float, named: Sequence[Case]) -> Finding:
    found = judge_figure(gate, value, gate.bound.value)
    if found.outcome is Outcome.PASSED or not named:
        return found
    return replace(found, message=f"{found.message}: {listed(map(_label, named), _MOST_NAMES)}")


def _rows_of(cases: pa.Table, of: str | None) -> list[dict[str, Any]]:
    """Give the cases of the suites that are meant."""
    rows: list[dict[str, Any]] = cases.to_pylist()
    if of is None:
        return rows
    fits = fitting(of)
    return [row for row in rows if row["suite"] == of] or [row for row in rows if fits(row["suite"] or "")]


def _nothing(of: str | None, cases: pa.Table) -> str:
    if of is None or not cases.num_rows:
        return "the run has no test cases"
    suites = sorted({suite for suite in cases["suite"].to_pylist() if suite is not None})
    return f"no suite is called {of!r}{near(of, suites, most=_MOST_NAMES)}"


def _bad(rows: Iterable[dict[str, Any]]) -> set[Case]:
    return {(row["suite"], row["case"]) for row in rows if row["status"] in _BAD}


def _label(case: Case) -> str:
    return " › ".join(filter(None, case))
