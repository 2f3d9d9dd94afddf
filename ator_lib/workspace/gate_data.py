"""What gates are evaluated on, read from the run and compared with its baseline: only what these gates ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from ator_lib import schema
from ator_lib.analysis.blocks import run_blocks
from ator_lib.analysis.gates.courses import (
    TOLERATED,
    course_of,
    course_of_blocks,
    scores_of_counts,
    scores_of_histogram,
)
from ator_lib.analysis.gates.data import Course, GateData, Missing, Score
from ator_lib.analysis.gates.document import GateFile
from ator_lib.analysis.gates.model import NEVER
from ator_lib.analysis.gates.relative import comparisons_for
from ator_lib.analysis.run_data import TOTAL, Endpoint
from ator_lib.errors import NotFoundError
from ator_lib.model import Run, RunStatus, StatusReason
from ator_lib.results import index
from ator_lib.results.gate_figures import apdex_counts, percentile_course
from ator_lib.workspace.comparison import Comparison
from ator_lib.workspace.database import SYNTHETIC
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.run import RunHandle

PLANNED = "planned_rps"
"""Attribute of a run: the rate that was planned, in requests per second."""

_CUT_SHORT = {
    *(StatusReason.TIMEOUT, StatusReason.TOOL_ERROR, StatusReason.CAPTURE_FAILED, StatusReason.INGEST_FAILED),
    *(StatusReason.EXCEPTION, StatusReason.LEASE_EXPIRED, StatusReason.STOPPED_BY_USER),
}
"""Reasons of a failure that are no results: the test did not come to its end."""


@dataclass(frozen=True, kw_only=True)
class GateReader:
    """Reads for the gates of a file.

    Attributes
    ----------
    find
        Finds the runs to compare with; null if none are named.
    compare
        Compares the run with them, with options of ``CompareOptions``.
    """

    parts: Parts
    run: RunHandle
    file: GateFile
    find: Callable[[], Sequence[RunHandle]] | None
    compare: Callable[[Sequence[RunHandle], Mapping[str, Any]], Comparison]

    def read(self) -> GateData:
        """Read the tables of the run, and compare.

        Raises
        ------
        ConflictError, NotFoundError
            The run has no results, or not yet.
        UsageError
            The options of the comparison do not fit the runs.
        """
        ingest_id = self._ingest_id()
        run_ids = [self.run.run_id]
        summaries = index.summaries(self.parts.engine, run_ids).drop_columns(["run_id"])
        baseline = self._baseline() if any(gate.needs_baseline for gate in self.file.gates) else Missing(reason="")
        data = GateData(
            summaries=summaries,
            cases=index.cases(self.parts.engine, run_ids).drop_columns(["run_id"]),
            cut_short=cut_short(self.run.record),
            remarks=self._remarks(),
            planned_rps=_planned_rps(self.run.record),
            courses=self._courses(ingest_id),
            apdex=self._scores(ingest_id, summaries),
            baseline_cases=self._baseline_cases(baseline),
        )
        return replace(data, comparisons=self._comparisons(list(data.rows()), baseline))

    def _ingest_id(self) -> str:
        ingest_id = index.ingest_of(self.parts.engine, self.run.run_id)
        if ingest_id is None:
            self.run.summary()  # which says why there is none
            raise NotFoundError(f"the results of run {self.run.run_id} went while its gates were looked at")
        return ingest_id

    def _remarks(self) -> list[str]:
        report = index.report_of(self.parts.engine, self.run.run_id)
        told = {
            "the run is synthetic: nothing of it was measured": bool(self.run.record.attributes.get(SYNTHETIC)),
            "the end of the run's files is missing": report is not None and report.truncated,
        }
        return [remark for remark, holds in told.items() if holds]

    def _baseline(self) -> list[RunHandle] | Missing:
        if self.find is None:
            return Missing(reason="no baseline is named: give one, or write such as baseline: last-success in the file")
        try:
            return [*self.find()]
        except NotFoundError as error:
            return Missing(reason=f"no baseline: {error}")

    def _comparisons(
        self, known: Sequence[Endpoint], baseline: list[RunHandle] | Missing
    ) -> dict[int, Mapping[str, Any] | Missing]:
        found: dict[int, Mapping[str, Any] | Missing] = {}
        for effects, numbers in comparisons_for(self.file.gates, known) if TOTAL in known else ():
            answer = baseline if isinstance(baseline, Missing) else self._compared(baseline, effects)
            found |= dict.fromkeys(numbers, answer)
        return found

    def _compared(self, baseline: Sequence[RunHandle], effects: Mapping[str, float]) -> Mapping[str, Any] | Missing:
        options = self.file.compare.options
        wanted = {**options.get("minimum_effect", {}), **effects}
        try:
            return self.compare(baseline, {**options, "minimum_effect": wanted}).to_dict()
        except NotFoundError as error:  # a run without results
            return Missing(reason=f"no baseline: {error}")

    def _baseline_cases(self, baseline: list[RunHandle] | Missing) -> list[pa.Table] | Missing:
        if isinstance(baseline, Missing):
            return baseline
        return [index.cases(self.parts.engine, [run.run_id]).drop_columns(["run_id"]) for run in baseline]

    def _courses(self, ingest_id: str) -> dict[str, Course]:
        return {
            gate.measure.name: self._course(ingest_id, gate.measure.name)
            for gate in self.file.gates
            if gate.demand in NEVER
        }

    def _course(self, ingest_id: str, metric: str) -> Course:
        """Take the stored timeline if it has the metric, else the samples, or what is left of them."""
        store = self.parts.store
        if metric == "error_rate" or metric in schema.TIMELINE.names:
            report = index.report_of(self.parts.engine, self.run.run_id)
            is_taken = report is not None and "timeline" in report.taken
            return course_of(store.timeline(ingest_id), metric, precision="the tool's own" if is_taken else None)
        measured = percentile_course(store, ingest_id, metric)
        if measured is not None:
            return course_of(measured, metric)
        data = self.run.comparable()
        lengths = data.timeline["interval_s"]
        if not len(lengths) or not len(data.distributions):
            return Course(by_endpoint={})
        return course_of_blocks(run_blocks(data), lengths[0].as_py(), schema.PERCENTILES[metric])

    def _scores(self, ingest_id: str, summaries: pa.Table) -> dict[float, dict[Endpoint, Score]]:
        targets = {gate.target for gate in self.file.gates if gate.target is not None}
        return {target_ms: self._scores_at(ingest_id, target_ms, summaries) for target_ms in targets}

    def _scores_at(self, ingest_id: str, target_ms: float, summaries: pa.Table) -> dict[Endpoint, Score]:
        counts = apdex_counts(self.parts.store, ingest_id, target_ms, TOLERATED * target_ms)
        if counts is not None:
            return scores_of_counts(counts)
        return scores_of_histogram(self.parts.store.distributions(ingest_id), summaries, target_ms)


def cut_short(run: Run) -> str | None:
    """Say why the figures of a run are those of a part of its test; ``None`` if they are of all of it."""
    is_cut = run.status is RunStatus.FAILURE and run.status_reason in _CUT_SHORT
    if run.status in (RunStatus.SUCCESS, RunStatus.FAILURE) and not is_cut:
        return None
    return f"it is {run.status.value}" + (f" ({run.status_reason})" if run.status_reason else "")


def _planned_rps(run: Run) -> float | None:
    try:
        planned = float(run.attributes[PLANNED])
    except (KeyError, TypeError, ValueError):
        return None
    return planned if planned > 0 else None
