"""What the report of a run says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ator_lib.figures.rows import busiest_first
from ator_lib.figures.summary import SummaryTable, summary_columns
from ator_lib.figures.tables import ERROR_COLUMNS, ended
from ator_lib.model import Run, RunStatus
from ator_lib.registry.wire import run_to_json
from ator_lib.reports.comparison import comparison_cases, comparison_notes, comparison_sections
from ator_lib.reports.content import MOST_ROWS, Content, Record, Section, section
from ator_lib.reports.facts import ReportFacts
from ator_lib.reports.junit import JUnitCase

_OUTCOMES = {RunStatus.SUCCESS: "passed", RunStatus.FAILURE: "failed"}


@dataclass(frozen=True, kw_only=True)
class RunResults:
    """What was measured; ``errors`` and ``cases`` are rows of the canonical tables.

    ``comparison`` is what ``Comparison.to_dict`` gives, null if the run is compared with nothing.
    """

    summary: SummaryTable | None = None
    errors: Sequence[Record] = ()
    cases: Sequence[Record] = ()
    comparison: Record | None = None


def run_content(run: Run, results: RunResults, about: ReportFacts) -> Content:
    """Say how a run went and, if it is compared, whether it got worse."""
    summaries = results.summary.summaries.to_pylist() if results.summary else []
    compared = results.comparison
    return Content(
        about=about,
        document={
            "run": run_to_json(run),
            "summaries": summaries,
            "errors": results.errors,
            "cases": results.cases,
            "comparison": compared,
        },
        sections=[*_sections(summaries, results), *(comparison_sections(compared) if compared else [])],
        notes=[
            *(results.summary.notes if results.summary and summaries else []),
            *(comparison_notes(compared) if compared else []),
        ],
        cases=[_run_case(run), *map(_case, results.cases), *(comparison_cases(compared) if compared else [])],
    )


def _sections(summaries: Sequence[Record], results: RunResults) -> list[Section]:
    endpoints = sorted((row for row in summaries if row["scope"] == "name"), key=busiest_first)
    shown = [*(row for row in summaries if row["scope"] == "total"), *endpoints][:MOST_ROWS]
    cases = [case for case in results.cases if case["status"] in ("failed", "error")]
    counts = Counter(case["status"] for case in results.cases)
    rows = [[case["suite"], case["case"], case["status"], case["message"]] for case in cases[:MOST_ROWS]]
    return [
        *([section("Summary", summary_columns(0.0), shown)] if shown else []),
        *([section("Errors", ERROR_COLUMNS, results.errors[:MOST_ROWS])] if results.errors else []),
        *(
            [Section(heading="Cases", columns=["Status", "Cases"], rows=[[*row] for row in counts.items()])]
            if counts
            else []
        ),
        *([Section(heading="Failed cases", columns=["Suite", "Case", "Status", "Message"], rows=rows)] if rows else []),
    ]


def _run_case(run: Run) -> JUnitCase:
    """Give the run itself as a case: what did not come to an end is an error."""
    outcome = _OUTCOMES.get(run.status, "error")
    return JUnitCase(
        name=run.test or f"run {run.run_id}",
        classname="run",
        outcome=outcome,
        message=ended(run) or ("" if outcome == "passed" else run.status.value),
        time_s=run.duration_s or 0.0,
    )


def _case(case: Record) -> JUnitCase:
    return JUnitCase(
        name=case["case"],
        classname=case["suite"] or "case",
        outcome=case["status"],
        message=case["message"] or "",
        details=case["details"] or "",
        time_s=(case["duration_ms"] or 0.0) / 1000,
    )
