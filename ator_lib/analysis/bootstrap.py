"""How much a run's own figures vary: a bootstrap over its time blocks."""

from __future__ import annotations

import math

import numpy as np

from ator_lib.analysis.blocks import EndpointBlocks, FloatArray, IntArray
from ator_lib.analysis.histogram import quantile
from ator_lib.analysis.metrics import METRICS, Metric

MINIMUM_BLOCKS = 5
"""Below this many blocks with requests there is no estimate: five draws of five already miss much of the spread."""


def block_weights(blocks: int, replicates: int, seed: int) -> FloatArray:
    """Return how often each block is drawn in each replicate: replicates × blocks, rows sum to ``blocks``.

    Neighbours are drawn together, ``stretch(blocks)`` at a time (the last one is the neighbour of the first).
    """
    generator = np.random.default_rng(seed)
    length = stretch(blocks)
    starts = generator.multinomial(-(-blocks // length), np.full(blocks, 1 / blocks), size=replicates)
    drawn: FloatArray = np.sum([np.roll(starts, shift, axis=1) for shift in range(length)], axis=0, dtype=np.float64)
    drawn *= blocks / drawn.sum(axis=1, keepdims=True)
    return drawn


def stretch(blocks: int) -> int:
    """Return how many neighbouring blocks are drawn together: the cube root of their number.

    That is the rate at which the error of a variance from a block bootstrap is least.

    Source: Hall, Horowitz and Jing, "On blocking rules for the bootstrap with dependent data", Biometrika 82 (1995).

    Examples
    --------
    >>> [stretch(blocks) for blocks in (5, 12, 24, 60)]
    [2, 2, 3, 4]
    """
    return round(math.cbrt(blocks))


def block_replicates(blocks: EndpointBlocks, weights: FloatArray) -> dict[str, FloatArray]:
    """Return replicates of each metric's estimate from one run, on the metric's own scale; their variance is its own.

    Stretches of whole blocks are drawn with replacement, so requests that are correlated inside a stretch stay together
    (correlation that outlasts it is not seen). Endpoints of one run are given the same ``weights``: what moves them
    together through the run moves their replicates together. The distances from the mean are stretched by
    √(B / (B - L)) for B blocks in stretches of L, as the bootstrap draws from B blocks as if they were all there is.
    Relative metrics are on the log scale. A replicate that missed a rare endpoint altogether is nan.

    Needs ``MINIMUM_BLOCKS`` blocks with requests; below that the answer is empty.

    Sources: Politis and Romano, "A circular block-resampling procedure for stationary data" (1992); Efron and
    Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 5, small-sample factor.
    """
    if np.count_nonzero(blocks.counts.sum(axis=1)) < MINIMUM_BLOCKS:
        return {}
    cumulative = blocks.counts.cumsum(axis=1)
    number = len(blocks.counts)
    small_sample = np.sqrt(number / (number - stretch(number)))
    found = {name: _replicates(metric, blocks, weights, cumulative) for name, metric in METRICS.items()}
    return {name: _centred(values) * small_sample for name, values in found.items() if np.isfinite(values).sum() > 1}


def variance(replicates: FloatArray) -> float:
    """Variance (ddof 1) of the replicates that are not nan."""
    return float(replicates[np.isfinite(replicates)].var(ddof=1))


def independent_error_variance(requests: float, failures: float) -> float:
    """Return the least variance of an error rate: that of independent requests, one success and one failure added.

    So "no failure seen" is not "none possible".

    Source: Agresti and Caffo, The American Statistician 54 (2000).
    """
    rate = (failures + 1) / (requests + 2)
    return rate * (1 - rate) / (requests + 2)


def _replicates(metric: Metric, blocks: EndpointBlocks, weights: FloatArray, cumulative: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        if metric.quantile is not None:
            columns = _columns_around(metric.quantile, weights, cumulative)
            edges = blocks.lower_ms[columns], blocks.upper_ms[columns]
            return np.log(quantile(weights @ cumulative[:, columns], *edges, metric.quantile))
        if metric.is_latency:
            middles = (blocks.lower_ms + blocks.upper_ms) / 2
            return np.log((weights @ (blocks.counts @ middles)) / (weights @ cumulative[:, -1]))
        requests = weights @ blocks.requests
        return np.log(requests) if metric.relative else (weights @ blocks.failures) / requests


def _columns_around(q: float, weights: FloatArray, cumulative: FloatArray) -> IntArray:
    """Return the bins that the quantile of any replicate may fall in, and the last one, which holds the totals.

    Replicates hold more or fewer requests below the overall quantile than its share; the bins within twice the largest
    such surplus are enough, a tenth of all as a rule.
    """
    together = cumulative.sum(axis=0)
    rank = q * together[-1]
    column = np.searchsorted(together, rank)
    surplus = weights @ (cumulative[:, column] - together[column] / together[-1] * cumulative[:, -1])
    reach = 2 * np.abs(surplus).max() + 2
    first, last = np.searchsorted(together, (rank - reach, rank + reach))
    inside = np.arange(max(first - 1, 0), min(last + 1, len(together) - 1))
    columns: IntArray = np.append(inside, len(together) - 1)
    return columns


def _centred(values: FloatArray) -> FloatArray:
    seen = np.isfinite(values)
    centred: FloatArray = np.where(seen, values, np.nan) - values[seen].mean()
    return centred
