"""What a report can be of: a run, a comparison, a trend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ator_lib.analysis.metrics import metric_label
from ator_lib.errors import ConflictError, NotFoundError, UsageError
from ator_lib.registry.lookups import runs_by_id
from ator_lib.reports.comparison import comparison_content
from ator_lib.reports.content import Content
from ator_lib.reports.facts import ReportFacts
from ator_lib.reports.run import RunResults, run_content
from ator_lib.reports.trend import trend_content
from ator_lib.workspace.comparison import Comparison
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.run import RunHandle
from ator_lib.workspace.shown import records
from ator_lib.workspace.trend import Trend

_NAMED_RUNS = 5
"""So many runs of a side stand in a title."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a report is made of.

    Attributes
    ----------
    notebook, parameters
        What makes its page.
    content
        What it says in other formats.
    attributes
        Those of its runs, which may hold secrets, by run.
    """

    about: ReportFacts
    notebook: str
    parameters: Mapping[str, Any]
    content: Callable[[], Content]
    attributes: Mapping[str, Any]


def subject_of(parts: Parts, of: RunHandle | Comparison | Trend, against: Comparison | None) -> Subject:
    """Make the subject of a report; ``against`` is what a run is compared with.

    Raises
    ------
    UsageError
        There is no report of such a thing.
    """
    if isinstance(of, RunHandle):
        return _of_run(of.refresh(), against)
    if isinstance(of, Comparison):
        return _of_comparison(parts, of)
    if isinstance(of, Trend):
        return _of_trend(of)
    raise UsageError(f"there is no report of a {type(of).__name__}: give a run, a comparison or a trend")


def _of_run(run: RunHandle, against: Comparison | None) -> Subject:
    record = run.record
    baseline = against.parameters["baseline"] if against else None
    about = ReportFacts(
        kind="run",
        title=f"Run {run.run_id} · {record.test or 'no test name'}",
        verdict=against.verdict if against else record.status.value,
        headline=against.headline if against else record.error,
        run_ids=(run.run_id,),
        test=record.test,
    )
    return Subject(
        about=about,
        notebook="analyze_run",
        parameters={"run_id": run.run_id, "baseline": baseline[0] if baseline and len(baseline) == 1 else baseline},
        content=lambda: run_content(record, _results(run, against), about),
        attributes={str(run.run_id): record.attributes},
    )


def _results(run: RunHandle, against: Comparison | None) -> RunResults:
    compared = against.to_dict() if against else None
    try:
        return RunResults(
            summary=run.summary_table(),
            errors=records(run.errors()),
            cases=records(run.cases()),
            comparison=compared,
        )
    except (NotFoundError, ConflictError):  # it ended before its first request, or has not ended yet
        return RunResults(comparison=compared)


def _of_comparison(parts: Parts, comparison: Comparison) -> Subject:
    parameters = comparison.parameters
    sides = [parameters["contender"], parameters["baseline"]]
    runs = runs_by_id(parts.engine, [run_id for side in sides for run_id in side])
    tests = dict.fromkeys(runs[run_id].test for run_id in parameters["contender"] if run_id in runs)
    about = ReportFacts(
        kind="comparison",
        title=" against ".join(map(_named, sides)).capitalize(),
        verdict=comparison.verdict,
        headline=comparison.headline,
        run_ids=tuple(parameters["contender"]),
        test=", ".join(test for test in tests if test) or None,
    )
    return Subject(
        about=about,
        notebook="compare_runs",
        parameters=parameters,
        content=lambda: comparison_content(comparison.to_dict(), about),
        attributes={str(run_id): run.attributes for run_id, run in runs.items()},
    )


def _named(run_ids: list[int]) -> str:
    if len(run_ids) > _NAMED_RUNS:
        return f"{len(run_ids)} runs"
    return f"run{'s' * (len(run_ids) > 1)} {', '.join(map(str, run_ids))}"


def _of_trend(trend: Trend) -> Subject:
    parameters = trend.parameters
    test = parameters["test"] if isinstance(parameters["test"], str) else ", ".join(parameters["test"])
    about = ReportFacts(
        kind="trend",
        title=f"Trend of {metric_label(parameters['metric'])} · {test}",
        verdict=trend.verdict,
        headline=trend.headline,
        test=test,
    )
    return Subject(
        about=about,
        notebook="trend",
        parameters=parameters,
        content=lambda: trend_content(trend.to_dict(), records(trend.changes), about),
        attributes={},
    )
