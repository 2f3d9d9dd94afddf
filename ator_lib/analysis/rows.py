"""Every endpoint × metric of a comparison: figures, and the change with its runs where it can be judged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ator_lib.analysis.bootstrap import MINIMUM_BLOCKS
from ator_lib.analysis.common_shift import MINIMUM_ENDPOINTS, split
from ator_lib.analysis.evidence import ASSUMED_NOISE_DF, SUMMARY_NOISE_DF, Change
from ator_lib.analysis.metrics import METRICS, Metric
from ator_lib.analysis.options import CompareOptions
from ator_lib.analysis.result import ComparisonRow
from ator_lib.analysis.run_data import COMMON, TOTAL, Endpoint
from ator_lib.analysis.sides import SideEndpoint
from ator_lib.analysis.verdicts import Verdict

MINIMUM_TAIL = 10
"""Expected requests above (and below) a percentile: a p99 needs 1,000 requests, as it rests on ten of them."""

MINIMUM_SUMMARIES = 2
"""Runs a side, where they are only summaries: how much they vary shows in how they differ, or nowhere."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A row before it is judged.

    ``change`` is null where there is nothing to estimate an interval from; ``judged`` is false where there is, and it
    still has no say.
    """

    row: ComparisonRow
    change: Change | None = None
    judged: bool = True


def drafted(
    contender: Mapping[Endpoint, SideEndpoint],
    baseline: Mapping[Endpoint, SideEndpoint],
    *,
    judges_throughput: bool,
    options: CompareOptions,
) -> list[Draft]:
    """Return a draft per endpoint and metric: the total's first, the common shift's, then by name and method.

    With an endpoint on one side only, the totals are of other requests and so not comparable, unless that check is
    waived.
    """
    found = [
        _draft(endpoint, metric, contender.get(endpoint), baseline.get(endpoint), options)
        for endpoint in sorted(contender.keys() | baseline.keys(), key=_place)
        for metric in METRICS.values()
    ]
    if contender.keys() != baseline.keys() and "endpoints" not in options.waive:
        found = [_of_another_mix(draft) if draft.row.endpoint == TOTAL else draft for draft in found]
    if not judges_throughput:
        found = [_of_closed_load(draft) if draft.row.metric == "throughput_rps" else draft for draft in found]
    for metric in METRICS.values():
        if metric.is_latency:
            found = _split(found, metric)
    return sorted(found, key=lambda draft: ("total", "common", "name").index(draft.row.scope))  # stable


def _of_another_mix(draft: Draft) -> Draft:
    reason = "an endpoint is on one side only, so the totals are of other requests"
    return replace(draft, row=replace(draft.row, verdict=Verdict.NOT_COMPARABLE, reason=reason), judged=False)


def _of_closed_load(draft: Draft) -> Draft:
    if draft.row.verdict is Verdict.NOT_COMPARABLE:
        return draft
    reason = "an outcome of a closed load model: not judged"
    return replace(draft, row=replace(draft.row, verdict=None, reason=reason), judged=False)


def _place(endpoint: Endpoint) -> tuple[str, str]:
    return (endpoint.name or "", endpoint.method or "")


def _draft(
    endpoint: Endpoint,
    metric: Metric,
    contender: SideEndpoint | None,
    baseline: SideEndpoint | None,
    options: CompareOptions,
) -> Draft:
    row = _figures(endpoint, metric, contender, baseline)
    if contender is None or baseline is None:
        return Draft(row=replace(row, verdict=Verdict.NOT_COMPARABLE, reason="on one side only"))
    if not any(_is_measured(side, metric) for side in (contender, baseline)):
        return Draft(row=replace(row, reason="not measured on either side"))
    reason = _why_not(metric, contender, baseline)
    if reason is not None:
        return Draft(row=replace(row, verdict=Verdict.NOT_ENOUGH_EVIDENCE, reason=reason))
    change = _change(metric, contender, baseline, options)
    if row.change is None and metric.relative:  # there are figures of each run, and none of all their requests
        row = replace(row, change=math.expm1(change.point))
    return Draft(row=row, change=change)


def _is_measured(side: SideEndpoint, metric: Metric) -> bool:
    return side.points[metric.name] is not None or bool(side.estimates[metric.name])


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


def _why_not(metric: Metric, contender: SideEndpoint, baseline: SideEndpoint) -> str | None:
    """Say why there is no interval; ``None`` if there can be one."""
    if metric.quantile is not None:
        needed = round(MINIMUM_TAIL / min(metric.quantile, 1 - metric.quantile))
        fewest = min(contender.requests, baseline.requests)
        if fewest < needed:
            return f"{fewest} requests on a side, and {metric.label} needs {needed}"
    for side, words in ((contender, "contender"), (baseline, "baseline")):
        point = side.points[metric.name]
        if not _is_measured(side, metric):
            return f"not measured, or 0, in a {words} run" if side.has_summaries else f"not measured in the {words}"
        if metric.relative and point is not None and point <= 0:
            return f"not above 0 in the {words}"
        if not side.estimates[metric.name]:
            return f"not measured in every {words} run" if side.has_summaries else _few_blocks(words)
    if _has_summaries(contender, baseline):
        fewest = min(len(side.estimates[metric.name]) for side in (contender, baseline))
        if fewest < MINIMUM_SUMMARIES:
            return (
                "the tool left only its summary (or no times of requests), so nobody can see how much a run varies "
                f"inside: give {MINIMUM_SUMMARIES} or more runs a side"
            )
    return None


def _few_blocks(words: str) -> str:
    return f"a {words} run has requests in fewer than {MINIMUM_BLOCKS} time blocks"


def _has_summaries(contender: SideEndpoint, baseline: SideEndpoint) -> bool:
    return contender.has_summaries or baseline.has_summaries


def _point(metric: Metric, contender: SideEndpoint, baseline: SideEndpoint) -> float:
    """Return the change of the sides' figures; where a side has none as a whole, that of its runs' own."""
    after, before = contender.points[metric.name], baseline.points[metric.name]
    if after is None or before is None:
        sides = (contender.estimates[metric.name], baseline.estimates[metric.name])
        own, theirs = (sum(run.weight * run.value for run in runs) for runs in sides)
        return own - theirs
    return math.log(after / before) if metric.relative else after - before


def _change(metric: Metric, contender: SideEndpoint, baseline: SideEndpoint, options: CompareOptions) -> Change:
    return Change(
        point=_point(metric, contender, baseline),
        contender=contender.estimates[metric.name],
        baseline=baseline.estimates[metric.name],
        run_noise=options.run_noise_of(metric.name),
        noise_df=SUMMARY_NOISE_DF if _has_summaries(contender, baseline) else ASSUMED_NOISE_DF,
    )


def _split(found: Sequence[Draft], metric: Metric) -> list[Draft]:
    """Take the shift common to all endpoints out of theirs, as a draft of its own, where there are enough of them."""
    changes = {
        draft.row.endpoint: draft.change
        for draft in found
        if draft.change is not None and draft.row.scope == "name" and draft.row.metric == metric.name
    }
    if len(changes) < MINIMUM_ENDPOINTS:
        return list(found)
    parts = split(list(changes.values()))
    shift = math.expm1(parts.common.point)
    own = dict(zip(changes, parts.own, strict=True))
    after = [
        Draft(row=replace(draft.row, common=shift), change=own[draft.row.endpoint])
        if draft.row.metric == metric.name and draft.row.endpoint in own
        else draft
        for draft in found
    ]
    row = replace(_figures(COMMON, metric, None, None), change=shift)
    return [*after, Draft(row=row, change=parts.common)]
