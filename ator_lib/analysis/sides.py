"""One side of a comparison: its runs pooled for the point estimates, and apart for the noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ator_lib.analysis.blocks import EndpointBlocks, FloatArray, run_blocks
from ator_lib.analysis.bootstrap import block_replicates, block_weights, independent_error_variance, variance
from ator_lib.analysis.histogram import Histogram
from ator_lib.analysis.metrics import METRICS, Metric
from ator_lib.analysis.options import CompareOptions
from ator_lib.analysis.run_data import Endpoint, RunData


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredRun:
    """One run in numbers: each endpoint's row of the summaries, and its time blocks where there are any.

    ``is_summary``: there are none, as the tool left only its summary (and a histogram of the whole run at most).
    """

    run_id: int
    summaries: Mapping[Endpoint, Mapping[str, Any]]
    blocks: Mapping[Endpoint, EndpointBlocks]
    is_summary: bool = False

    @classmethod
    def of(cls, run: RunData) -> MeasuredRun:
        """Read the tables of a run."""
        return cls(run_id=run.run_id, summaries=run.summary_rows(), blocks=run_blocks(run), is_summary=run.is_summary)


@dataclass(frozen=True, kw_only=True, eq=False)
class RunEstimate:
    """A metric of one run: on the log scale for relative metrics.

    ``variance`` is what the run's own time blocks show, and ``replicates`` how (see ``bootstrap``), both 0 where there
    is only a summary; ``weight`` is the run's share of the side's requests.
    """

    run_id: int
    value: float
    variance: float
    weight: float
    replicates: FloatArray


@dataclass(frozen=True, kw_only=True)
class SideEndpoint:
    """One endpoint (or the total) on one side.

    ``points`` are the pooled figures of all runs (``None``: not measured), ``estimates`` the figures per run, empty
    where the time blocks cannot show their noise. ``has_summaries``: some of the runs are only summaries, which show
    their noise to each other at most.
    """

    requests: int
    failures: int
    points: Mapping[str, float | None]
    estimates: Mapping[str, tuple[RunEstimate, ...]]
    has_summaries: bool = False


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One endpoint in one run."""

    run_id: int
    summary: Mapping[str, Any]
    blocks: EndpointBlocks | None
    replicates: Mapping[str, FloatArray]
    is_summary: bool


def side_endpoints(runs: Sequence[MeasuredRun], options: CompareOptions) -> dict[Endpoint, SideEndpoint]:
    """Pool the runs of one side, endpoint by endpoint."""
    parts: dict[Endpoint, list[_Part]] = {}
    for run in runs:
        for endpoint, part in _parts(run, options).items():
            parts.setdefault(endpoint, []).append(part)
    return {endpoint: _pool(found) for endpoint, found in parts.items()}


def _parts(run: MeasuredRun, options: CompareOptions) -> dict[Endpoint, _Part]:
    weights = {
        count: block_weights(count, options.replicates, options.seed)
        for count in {len(found.counts) for found in run.blocks.values()}
    }
    parts = {}
    for endpoint, summary in run.summaries.items():
        found = run.blocks.get(endpoint)
        if run.is_summary:
            replicates = dict.fromkeys(METRICS, np.zeros(options.replicates))
        else:
            replicates = block_replicates(found, weights[len(found.counts)]) if found else {}
        parts[endpoint] = _Part(
            run_id=run.run_id, summary=summary, blocks=found, replicates=replicates, is_summary=run.is_summary
        )
    return parts


def _pool(parts: Sequence[_Part]) -> SideEndpoint:
    requests = sum(part.summary["requests"] for part in parts)
    return SideEndpoint(
        requests=requests,
        failures=sum(part.summary["failures"] for part in parts),
        points=_points(parts),
        estimates={metric.name: _estimates(metric, parts, requests) for metric in METRICS.values()},
        has_summaries=any(part.is_summary for part in parts),
    )


def _points(parts: Sequence[_Part]) -> dict[str, float | None]:
    """One run: its exact summary. Several: means and rates of the sums, percentiles of the merged histograms.

    Where a summary came without a histogram there are no percentiles of all requests.
    """
    if len(parts) == 1:
        return {name: _number(parts[0].summary[name]) for name in METRICS}
    blocks = [part.blocks for part in parts if part.blocks is not None]
    histogram = Histogram.merged(blocks) if len(blocks) == len(parts) else None
    points = {
        "throughput_rps": _ratio(parts, "requests", "duration_s"),
        "error_rate": _ratio(parts, "failures", "requests"),
        "mean_ms": _mean(parts),
    }
    for metric in METRICS.values():
        if metric.quantile is not None:
            points[metric.name] = None if histogram is None else _number(histogram.quantile(metric.quantile))
    return points


def _ratio(parts: Sequence[_Part], over: str, under: str) -> float | None:
    divisor = sum(part.summary[under] or math.nan for part in parts)
    return _number(sum(part.summary[over] for part in parts) / divisor)


def _mean(parts: Sequence[_Part]) -> float | None:
    """Mean of all requests: the runs' means, weighted by their requests."""
    means = [_number(part.summary["mean_ms"]) for part in parts]
    requests = [part.summary["requests"] for part in parts]
    if not sum(requests):
        return None
    sums = [math.nan if mean is None else mean * count for mean, count in zip(means, requests, strict=True)]
    return _number(sum(sums) / sum(requests))


def _estimates(metric: Metric, parts: Sequence[_Part], requests: int) -> tuple[RunEstimate, ...]:
    """Return an estimate per run; none at all where one of the runs has none."""
    found = [_estimate(metric, part, requests) for part in parts]
    return () if None in found else tuple(estimate for estimate in found if estimate is not None)


def _estimate(metric: Metric, part: _Part, requests: int) -> RunEstimate | None:
    value = _number(part.summary[metric.name])
    replicates = part.replicates.get(metric.name)
    if value is None or replicates is None or (metric.relative and value <= 0):
        return None
    counts = part.summary["requests"], part.summary["failures"]
    least = independent_error_variance(*counts) if metric.name == "error_rate" else 0.0
    return RunEstimate(
        run_id=part.run_id,
        value=math.log(value) if metric.relative else value,
        variance=max(variance(replicates), least),
        weight=part.summary["requests"] / requests,
        replicates=replicates,
    )


def _number(value: Any) -> float | None:
    """Return a finite float, or ``None`` for null, nan and infinity."""
    return float(value) if value is not None and math.isfinite(value) else None
