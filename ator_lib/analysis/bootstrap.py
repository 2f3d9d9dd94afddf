"""How much a run's own figures vary: a bootstrap over its time blocks."""

from __future__ import annotations

import numpy as np

from ator_lib.analysis.blocks import EndpointBlocks, FloatArray
from ator_lib.analysis.histogram import quantile
from ator_lib.analysis.metrics import METRICS, Metric

MINIMUM_BLOCKS = 5
"""Below this many blocks with requests there is no estimate: five draws of five already miss much of the spread."""


def block_weights(blocks: int, replicates: int, seed: int) -> FloatArray:
    """Return how often each block is drawn in each replicate: replicates × blocks, rows sum to ``blocks``."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(blocks, np.full(blocks, 1 / blocks), size=replicates).astype(np.float64)


def block_variances(blocks: EndpointBlocks, weights: FloatArray) -> dict[str, float]:
    """Return the variance of each metric's estimate from one run, on the metric's own scale.

    Whole blocks are drawn with replacement, so requests that are correlated inside a block stay together (correlation
    that outlasts a block is not seen). Each replicate's cumulated histogram is one row of ``weights`` @ the blocks'
    cumulated counts. The variance over replicates (ddof 1) is multiplied by B / (B - 1), as the bootstrap draws from
    B blocks as if they were all there is. Relative metrics are on the log scale. For the error rate the variance is
    at least that of independent requests with one success and one failure added, so that "no failure seen" is not
    "none possible".

    Needs ``MINIMUM_BLOCKS`` blocks with requests; below that the answer is empty.

    Sources: Künsch, "The jackknife and the bootstrap for general stationary observations", Annals of Statistics 17
    (1989), blocks; Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 5, small-sample factor;
    Agresti and Caffo, The American Statistician 54 (2000), the added success and failure.
    """
    if np.count_nonzero(blocks.counts.sum(axis=1)) < MINIMUM_BLOCKS:
        return {}
    cumulative = weights @ blocks.counts.cumsum(axis=1)
    replicates = {metric.name: _replicates(metric, blocks, weights, cumulative) for metric in METRICS.values()}
    small_sample = len(blocks.counts) / (len(blocks.counts) - 1)
    variances = {name: _variance(values) * small_sample for name, values in replicates.items()}
    variances["error_rate"] = max(variances["error_rate"], _independent_error_variance(blocks))
    return {name: variance for name, variance in variances.items() if np.isfinite(variance)}


def _replicates(metric: Metric, blocks: EndpointBlocks, weights: FloatArray, cumulative: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        if metric.quantile is not None:
            return np.log(quantile(cumulative, blocks.lower_ms, blocks.upper_ms, metric.quantile))
        requests = weights @ blocks.requests
        return np.log(requests) if metric.relative else (weights @ blocks.failures) / requests


def _variance(values: FloatArray) -> float:
    """Variance (ddof 1); a rare endpoint that a replicate missed altogether leaves that replicate out."""
    seen = values[np.isfinite(values)]
    return float(seen.var(ddof=1)) if len(seen) > 1 else float("nan")


def _independent_error_variance(blocks: EndpointBlocks) -> float:
    requests = float(blocks.requests.sum()) + 2
    rate = (float(blocks.failures.sum()) + 1) / requests
    return rate * (1 - rate) / requests
