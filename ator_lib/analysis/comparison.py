"""Did it get worse? Contender runs against baseline runs, endpoint by endpoint.

The method, in its order:

1. **Checks** (``checks``): a failed blocking one makes every verdict ``not comparable``; figures are still shown.
2. **Figures**: exact summaries; several runs a side are pooled (percentiles of merged histograms, never averaged).
3. **Noise inside a run**: bootstrap over its time blocks (``bootstrap``). **Noise between runs**: observed where a
   side has two or more runs, moderated by an assumption; assumed where not, and ``notes`` say so (``evidence``).
   Percentiles and throughput are worked on as logarithms.
4. **Verdict per row** (``rows``, ``verdicts.judge``): significant after Benjamini-Hochberg (``multiplicity``; the
   endpoints' rows are one family, the total's another) *and* at least the minimum effect; or no change; or not enough
   evidence. A percentile needs ten expected requests beyond it on either side.
5. **Verdict per endpoint, then of the run** (``verdicts.combine``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ator_lib.analysis.blocks import block_seconds
from ator_lib.analysis.checks import Check, is_open, run_checks
from ator_lib.analysis.notes import limits
from ator_lib.analysis.options import CompareOptions
from ator_lib.analysis.result import ComparisonResult, ComparisonRow, EndpointVerdict, RunLabel
from ator_lib.analysis.rows import judged_rows
from ator_lib.analysis.run_data import Endpoint, RunData
from ator_lib.analysis.sides import side_endpoints
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
    checks = run_checks(contender, baseline, options)
    rows = judged_rows(
        side_endpoints(contender, options),
        side_endpoints(baseline, options),
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
