"""Did it get worse? Contender runs against baseline runs, endpoint by endpoint.

The method, in its order:

1. **Checks** (``checks``): a failed blocking one makes every verdict ``not comparable``; figures are still shown.
   Endpoints are the same by name and method, or by the caller's mapping (``matching``).
2. **Figures** (``sides``): exact summaries; several runs a side are pooled (percentiles of merged histograms, means of
   all requests, never averages of percentiles; several bare summaries have none). Latencies and
   throughput are worked on as logarithms: changes are ratios.
3. **Noise inside a run** (``bootstrap``): stretches of neighbouring time blocks are drawn with replacement, the same
   for all endpoints of the run, so that correlated requests stay together. A tool's summary shows none: what there is
   counts as noise between runs, and with less than two of them a side there is no interval.
4. **The common shift** (``common_shift``): with eight endpoints or more on both sides, the weighted median of their
   changes of a latency metric is what they have in common. It is judged as rows of scope ``common``, and taken out of
   what each endpoint is judged by (``ComparisonRow.common``), as is each run's part in it, and each replicate's. The
   noise that is left is the endpoint's own, much less than that of whole runs.
5. **Noise between runs** (``evidence``): observed where a side has two runs or more, moderated by an assumption (for an
   endpoint's own part: by what all endpoints together show); assumed where there are none, and ``notes`` say so.
   Intervals and p values are those of Student's t.
6. **Many rows** (``judging``, ``multiplicity``): the run as a whole (total and common shift) and its endpoints are two
   families, and each gets half of the level. In a family the metrics of an endpoint speak together: endpoints are
   selected by Benjamini-Hochberg on their Simes p values, then metrics within the selected (Benjamini-Bogomolov). So
   if nothing has changed, the probability of any ``regressed`` or ``improved`` anywhere is at most the level, 2 %.
7. **Verdict per row** (``verdicts.judge``): significant *and* a change of at least the minimum effect (which an
   endpoint's raw figure must show, too: it may not stand still while the others move); or ``no change``, the whole
   interval within ± the minimum effect; or ``not enough evidence``, with the change that could have been seen and how
   many runs would settle it (``power``). A percentile needs ten expected requests beyond it on either side.
8. **Verdict per endpoint, then of the run** (``verdicts.combine``).

``benchmarks/eval_identical.py``, ``eval_noise.py`` and ``eval_power.py`` measure how often that is wrong where nothing
has changed, also where noise is not as assumed, and how often it finds a change. Each function cites its source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ator_lib.analysis.blocks import block_seconds
from ator_lib.analysis.checks import Check, is_open, run_checks
from ator_lib.analysis.judging import judged
from ator_lib.analysis.matching import matched
from ator_lib.analysis.notes import limits
from ator_lib.analysis.options import CompareOptions
from ator_lib.analysis.result import ComparisonResult, ComparisonRow, EndpointVerdict, RunLabel
from ator_lib.analysis.rows import drafted
from ator_lib.analysis.run_data import Endpoint, RunData
from ator_lib.analysis.sides import MeasuredRun, side_endpoints
from ator_lib.analysis.verdicts import Verdict, combine
from ator_lib.errors import UsageError

__all__ = [
    "Check",
    "CompareOptions",
    "ComparisonResult",
    "ComparisonRow",
    "EndpointVerdict",
    "RunData",
    "Verdict",
    "block_seconds",
    "compare",
]

_DEFAULTS = CompareOptions()


def compare(
    contender: Sequence[RunData], baseline: Sequence[RunData], options: CompareOptions = _DEFAULTS
) -> ComparisonResult:
    """Compare one or more runs with one or more others; the module's text has the method.

    The order of the runs makes no difference, and the same input always gives the same answer.

    Raises
    ------
    UsageError
        A side without a run, a run on both sides, or an option that names what does not exist.
    """
    _require_sides(contender, baseline)
    contender = sorted(contender, key=lambda run: run.run_id)
    baseline = sorted(baseline, key=lambda run: run.run_id)
    baseline = matched(baseline, contender, options)
    checks = run_checks(contender, baseline, options)
    rows = judged_rows(
        [MeasuredRun.of(run) for run in contender],
        [MeasuredRun.of(run) for run in baseline],
        judges_throughput=is_open((*contender, *baseline)),
        options=options,
    )
    blocked = any(check.blocks for check in checks)
    if blocked:
        rows = tuple(replace(row, verdict=Verdict.NOT_COMPARABLE) for row in rows)
    endpoints = _endpoint_verdicts(rows)
    return ComparisonResult(
        verdict=Verdict.NOT_COMPARABLE if blocked else combine(endpoint.verdict for endpoint in endpoints),
        rows=rows,
        endpoints=endpoints,
        checks=checks,
        notes=limits(contender, baseline, rows, options),
        contender=_labels(contender),
        baseline=_labels(baseline),
        options=options,
    )


def judged_rows(
    contender: Sequence[MeasuredRun],
    baseline: Sequence[MeasuredRun],
    *,
    judges_throughput: bool,
    options: CompareOptions,
) -> tuple[ComparisonRow, ...]:
    """Judge every endpoint and metric, and nothing else: no checks, no notes."""
    sides = side_endpoints(contender, options), side_endpoints(baseline, options)
    return judged(drafted(*sides, judges_throughput=judges_throughput, options=options), options)


def _require_sides(contender: Sequence[RunData], baseline: Sequence[RunData]) -> None:
    for side, runs in (("contender", contender), ("baseline", baseline)):
        if not runs:
            raise UsageError(f"there is no {side} run: name at least one.")
    ids = [run.run_id for run in (*contender, *baseline)]
    twice = sorted({run_id for run_id in ids if ids.count(run_id) > 1})
    if twice:
        raise UsageError(f"run {', '.join(map(str, twice))} is named twice: name each run once, on one side.")


def _labels(runs: Sequence[RunData]) -> tuple[RunLabel, ...]:
    return tuple(RunLabel(run_id=run.run_id, label=run.label) for run in runs)


def _endpoint_verdicts(rows: Sequence[ComparisonRow]) -> tuple[EndpointVerdict, ...]:
    said: dict[Endpoint, list[Verdict | None]] = {}
    for row in rows:
        said.setdefault(row.endpoint, []).append(row.verdict)
    return tuple(
        EndpointVerdict(name=endpoint.name, method=endpoint.method, scope=endpoint.scope, verdict=combine(verdicts))
        for endpoint, verdicts in said.items()
    )
