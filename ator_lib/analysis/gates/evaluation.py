"""Evaluate gates on what is known of a run: pure, so the same in a notebook, in CI and in tests."""

from __future__ import annotations

from collections.abc import Iterable

from ator_lib.analysis.gates.cases import judge_cases
from ator_lib.analysis.gates.data import GateData, Missing
from ator_lib.analysis.gates.document import GateFile
from ator_lib.analysis.gates.findings import Finding
from ator_lib.analysis.gates.limits import judge_requests, judge_score
from ator_lib.analysis.gates.model import NEVER, GateSpec
from ator_lib.analysis.gates.over_time import judge_course
from ator_lib.analysis.gates.relative import judge_change
from ator_lib.analysis.gates.result import GateResult, GateRow, Outcome, Reason
from ator_lib.schema import EXACT


def evaluate(
    file: GateFile, data: GateData, *, title: str, strict: bool = False, allow_no_baseline: bool = False
) -> GateResult:
    """Evaluate every gate; none is passed that could not be looked at.

    Parameters
    ----------
    title
        What the answer is of, for people.
    strict
        Whether "not enough evidence" stops a pipeline, too.
    allow_no_baseline
        Waive gates that have no baseline: the first run of a test has none.
    """
    rows = [_row(number, gate, data, allow_no_baseline) for number, gate in enumerate(file.gates)]
    if data.cut_short is not None:
        words = f"its figures are of a part of the test: {data.cut_short}"
        rows.insert(0, GateRow(gate=WHOLE, outcome=Outcome.UNKNOWN, reason=Reason.CUT_SHORT, message=words))
    return GateResult(title=title, rows=tuple(rows), notes=tuple(_notes(data)), strict=strict)


WHOLE = "the run came to its end"
"""The row that stands before the gates of a run that did not."""


def _row(number: int, gate: GateSpec, data: GateData, allow_no_baseline: bool) -> GateRow:
    found = _judge(number, gate, data)
    row = GateRow(
        gate=gate.title,
        outcome=found.outcome,
        message=found.message,
        metric=None if gate.metric is None else gate.metric.name,
        endpoint=found.endpoint,
        measured=found.measured,
        limit=found.limit,
        unit=found.unit,
        reason=found.reason,
    )
    if gate.waived is not None:
        return row.waived(gate.waived)
    if allow_no_baseline and row.reason is Reason.NO_BASELINE:
        return row.waived("no baseline is needed yet")
    return row


def _judge(number: int, gate: GateSpec, data: GateData) -> Finding:
    if gate.is_relative:
        return judge_change(gate, data, data.comparisons.get(number, Missing(reason="it was not compared")))
    if gate.demand in NEVER:
        return judge_course(gate, data)
    return _BY_SOURCE[gate.measure.source](gate, data)


_BY_SOURCE = {"requests": judge_requests, "apdex": judge_score, "cases": judge_cases}


def _notes(data: GateData) -> Iterable[str]:
    yield from data.remarks
    answers = [answer for answer in data.comparisons.values() if not isinstance(answer, Missing)]
    for answer in answers[:1]:
        yield f"compared with {', '.join(run['label'] for run in answer['baseline'])}"
        for check in answer["checks"]:
            if check["waived"] and check["ok"] is False:
                yield f"waived check {check['name']}: {check['message']}"
    precisions = sorted(set(data.summaries["precision"].to_pylist()) - {EXACT})
    if precisions:
        yield f"precision of durations: {', '.join(precisions)}"
