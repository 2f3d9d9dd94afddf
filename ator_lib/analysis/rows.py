"""Every endpoint × metric of a comparison: figures, interval, p value, and verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ator_lib.analysis.bootstrap import MINIMUM_BLOCKS
from ator_lib.analysis.evidence import Evidence, weigh
from ator_lib.analysis.metrics import METRICS, Metric
from ator_lib.analysis.multiplicity import q_values
from ator_lib.analysis.options import CompareOptions
from ator_lib.analysis.result import ComparisonRow
from ator_lib.analysis.run_data import TOTAL, Endpoint
from ator_lib.analysis.sides import SideEndpoint
from ator_lib.analysis.verdicts import Verdict, judge

MINIMUM_TAIL = 10
"""Expected requests above (and below) a percentile: a p99 needs 1,000 requests, as it rests on ten of them."""


def judged_rows(
    contender: Mapping[Endpoint, SideEndpoint],
    baseline: Mapping[Endpoint, SideEndpoint],
    *,
    judges_throughput: bool,
    options: CompareOptions,
) -> tuple[ComparisonRow, ...]:
    """Return all rows, the total's first, then by name and method.

    The total's rows and the endpoints' rows are two families: each is corrected for its own number of rows. With an
    endpoint on one side only, the totals are of other requests and so not comparable, unless that check is waived.
    """
    other_mix = contender.keys() != baseline.keys() and "endpoints" not in options.waive
    rows = []
    for endpoint in sorted(contender.keys() | baseline.keys(), key=_place):
        for metric in METRICS.values():
            row = _row(endpoint, metric, contender.get(endpoint), baseline.get(endpoint), options)
            row = _of_another_mix(row) if endpoint == TOTAL and other_mix else row
            rows.append(row if judges_throughput else _not_judging_throughput(row))
    families = ([row for row in rows if row.scope == scope] for scope in ("total", "name"))
    return tuple(row for family in families for row in _judge_family(family, options))


def _place(endpoint: Endpoint) -> tuple[bool, str, str]:
    return (endpoint != TOTAL, endpoint.name or "", endpoint.method or "")


def _row(
    endpoint: Endpoint,
    metric: Metric,
    contender: SideEndpoint | None,
    baseline: SideEndpoint | None,
    options: CompareOptions,
) -> ComparisonRow:
    """One row with its figures, and its interval and p value where it can be judged; the verdict where not."""
    row = _figures(endpoint, metric, contender, baseline)
    if contender is None or baseline is None:
        return replace(row, verdict=Verdict.NOT_COMPARABLE, reason="on one side only")
    if row.contender is None and row.baseline is None:
        return replace(row, reason="not measured on either side")
    reason = _why_not(metric, contender, baseline)
    if reason is not None:
        return replace(row, verdict=Verdict.NOT_ENOUGH_EVIDENCE, reason=reason)
    evidence = _evidence(metric, contender, baseline, options)
    low, high = (_unlogged(bound) if metric.relative else bound for bound in (evidence.low, evidence.high))
    return replace(row, low=low, high=high, p_value=evidence.p_value)


def _figures(
    endpoint: Endpoint, metric: Metric, contender: SideEndpoint | None, baseline: SideEndpoint | None
) -> ComparisonRow:
    after = contender.points[metric.name] if contender else None
    before = baseline.points[metric.name] if baseline else None
    return ComparisonRow(
        scope=endpoint.scope,
        name=endpoint.name,
        method=endpoint.method,
        metric=metric.name,
        baseline=before,
        contender=after,
        difference=None if after is None or before is None else after - before,
        change=None if after is None or not before else after / before - 1,
        interval_of="change" if metric.relative else "difference",
    )


def _of_another_mix(row: ComparisonRow) -> ComparisonRow:
    reason = "an endpoint is on one side only, so the totals are of other requests"
    return replace(row, p_value=None, verdict=Verdict.NOT_COMPARABLE, reason=reason)


def _not_judging_throughput(row: ComparisonRow) -> ComparisonRow:
    if row.metric != "throughput_rps" or row.verdict is Verdict.NOT_COMPARABLE:
        return row
    return replace(row, p_value=None, verdict=None, reason="an outcome of a closed load model: not judged")


def _why_not(metric: Metric, contender: SideEndpoint, baseline: SideEndpoint) -> str | None:
    """Say why there is no interval; ``None`` if there can be one."""
    if metric.quantile is not None:
        needed = round(MINIMUM_TAIL / min(metric.quantile, 1 - metric.quantile))
        fewest = min(contender.requests, baseline.requests)
        if fewest < needed:
            return f"{fewest} requests on a side, and {metric.label} needs {needed}"
    for side, words in ((contender, "contender"), (baseline, "baseline")):
        point = side.points[metric.name]
        if point is None:
            return f"not measured in the {words}"
        if metric.relative and point <= 0:
            return f"not above 0 in the {words}"
        if not side.estimates[metric.name]:
            return f"a {words} run has requests in fewer than {MINIMUM_BLOCKS} time blocks"
    return None


def _evidence(metric: Metric, contender: SideEndpoint, baseline: SideEndpoint, options: CompareOptions) -> Evidence:
    after, before = contender.points[metric.name] or 0.0, baseline.points[metric.name] or 0.0
    return weigh(
        point=math.log(after / before) if metric.relative else after - before,
        contender=contender.estimates[metric.name],
        baseline=baseline.estimates[metric.name],
        run_noise=options.run_noise_of(metric.name),
        confidence=options.confidence,
    )


def _unlogged(bound: float) -> float:
    return math.expm1(min(bound, 700.0))  # a float ends near e^709


def _judge_family(rows: Sequence[ComparisonRow], options: CompareOptions) -> list[ComparisonRow]:
    corrected = iter(q_values([row.p_value for row in rows if row.p_value is not None]))
    return [row if row.p_value is None else _judge(row, next(corrected), options) for row in rows]


def _judge(row: ComparisonRow, q_value: float, options: CompareOptions) -> ComparisonRow:
    if row.effect is None or row.low is None or row.high is None:
        return row
    verdict = judge(
        change=row.effect,
        low=row.low,
        high=row.high,
        q_value=q_value,
        level=options.false_discovery_rate,
        minimum_effect=options.minimum_effect_of(row.metric),
        higher_is_better=METRICS[row.metric].higher_is_better,
    )
    unclear = verdict is Verdict.NOT_ENOUGH_EVIDENCE
    return replace(row, q_value=q_value, verdict=verdict, reason=_UNCLEAR if unclear else None)


_UNCLEAR = "the interval reaches beyond the minimum effect, or the change is not significant"
