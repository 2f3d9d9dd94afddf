"""One side of a comparison: its runs pooled for the point estimates, and apart for the noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ator_lib.analysis.blocks import EndpointBlocks, run_blocks
from ator_lib.analysis.bootstrap import block_variances, block_weights
from ator_lib.analysis.histogram import merged_quantile
from ator_lib.analysis.metrics import METRICS, Metric
from ator_lib.analysis.options import CompareOptions
from ator_lib.analysis.run_data import Endpoint, RunData


@dataclass(frozen=True, kw_only=True)
class RunEstimate:
    """A metric of one run: on the log scale for relative metrics.

    ``variance`` is what the run's own time blocks show, ``weight`` the run's share of the side's requests.
    """

    value: float
    variance: float
    weight: float


@dataclass(frozen=True, kw_only=True)
class SideEndpoint:
    """One endpoint (or the total) on one side.

    ``points`` are the pooled figures of all runs (``None``: not measured), ``estimates`` the figures per run, empty
    where the time blocks cannot show their noise.
    """

    requests: int
    failures: int
    points: Mapping[str, float | None]
    estimates: Mapping[str, tuple[RunEstimate, ...]]


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One endpoint in one run."""

    summary: Mapping[str, Any]
    blocks: EndpointBlocks | None
    variances: Mapping[str, float]


def side_endpoints(runs: Sequence[RunData], options: CompareOptions) -> dict[Endpoint, SideEndpoint]:
    """Pool the runs of one side, endpoint by endpoint."""
    parts: dict[Endpoint, list[_Part]] = {}
    for run in runs:
        for endpoint, part in _parts(run, options).items():
            parts.setdefault(endpoint, []).append(part)
    return {endpoint: _pool(found) for endpoint, found in parts.items()}


def _parts(run: RunData, options: CompareOptions) -> dict[Endpoint, _Part]:
    blocks = run_blocks(run)
    weights = {
        count: block_weights(count, options.replicates, options.seed)
        for count in {len(found.counts) for found in blocks.values()}
    }
    parts = {}
    for endpoint, summary in run.summary_rows().items():
        found = blocks.get(endpoint)
        variances = block_variances(found, weights[len(found.counts)]) if found else {}
        parts[endpoint] = _Part(summary=summary, blocks=found, variances=variances)
    return parts


def _pool(parts: Sequence[_Part]) -> SideEndpoint:
    requests = sum(part.summary["requests"] for part in parts)
    return SideEndpoint(
        requests=requests,
        failures=sum(part.summary["failures"] for part in parts),
        points={metric.name: _point(metric, parts) for metric in METRICS.values()},
        estimates={metric.name: _estimates(metric, parts, requests) for metric in METRICS.values()},
    )


def _point(metric: Metric, parts: Sequence[_Part]) -> float | None:
    """One run: its exact summary. Several: rates of the sums, percentiles of the merged histograms."""
    if len(parts) == 1:
        return _number(parts[0].summary[metric.name])
    if metric.quantile is not None:
        found = [part.blocks for part in parts if part.blocks is not None]
        return _number(merged_quantile(found, metric.quantile)) if len(found) == len(parts) else None
    over, under = ("failures", "requests") if metric.name == "error_rate" else ("requests", "duration_s")
    divisor = sum(part.summary[under] or math.nan for part in parts)
    return _number(sum(part.summary[over] for part in parts) / divisor)


def _estimates(metric: Metric, parts: Sequence[_Part], requests: int) -> tuple[RunEstimate, ...]:
    estimates = []
    for part in parts:
        value = _number(part.summary[metric.name])
        if value is None or metric.name not in part.variances or (metric.relative and value <= 0):
            return ()  # a side is judged by all of its runs or not at all
        estimates.append(
            RunEstimate(
                value=math.log(value) if metric.relative else value,
                variance=part.variances[metric.name],
                weight=part.summary["requests"] / requests,
            )
        )
    return tuple(estimates)


def _number(value: Any) -> float | None:
    """Return a finite float, or ``None`` for null, nan and infinity."""
    return float(value) if value is not None and math.isfinite(value) else None
