"""Quantiles of histograms, many at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ator_lib.analysis.blocks import EndpointBlocks, FloatArray


def quantile(cumulative: FloatArray, lower_ms: FloatArray, upper_ms: FloatArray, q: float) -> FloatArray:
    """Return the ``q`` quantile of each row of cumulative counts (R × K bins), nan for a row without a request.

    Hyndman-Fan type 7 between the two order statistics around rank ``q (n - 1)`` (from 0), each taken from its own bin
    with the bin's values spread evenly over it. So the error is at most half the width of a bin, also where the two
    lie far apart in a sparse tail.

    Source: Hyndman and Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996).

    Examples
    --------
    >>> edges = np.array([10.0, 20.0, 30.0])
    >>> quantile(np.array([[100.0, 200.0]]), edges[:-1], edges[1:], 0.25).round(3).tolist()
    [15.025]
    """
    totals = cumulative[:, -1]
    rank = q * np.maximum(totals - 1, 0)
    below = np.floor(rank)
    low = _order_statistic(cumulative, lower_ms, upper_ms, below)
    high = _order_statistic(cumulative, lower_ms, upper_ms, np.minimum(below + 1, np.maximum(totals - 1, 0)))
    return np.where(totals > 0, low + (rank - below) * (high - low), np.nan)


def _order_statistic(
    cumulative: FloatArray, lower_ms: FloatArray, upper_ms: FloatArray, rank: FloatArray
) -> FloatArray:
    """Return each row's value of that rank, a whole number from 0."""
    rows = np.arange(len(cumulative))
    column = _first_reaching(cumulative, rank + 1)
    before = np.where(column > 0, cumulative[rows, column - 1], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.clip((rank + 0.5 - before) / (cumulative[rows, column] - before), 0, 1)
    values: FloatArray = lower_ms[column] + share * (upper_ms[column] - lower_ms[column])
    return values


def _first_reaching(cumulative: FloatArray, rank: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Find each row's first column that is at least its rank: one binary search for all rows (R log K, not R × K)."""
    rows = np.arange(len(cumulative))
    low = np.zeros(len(cumulative), dtype=np.int64)
    high = np.full(len(cumulative), cumulative.shape[1] - 1)
    while (low < high).any():
        middle = (low + high) // 2
        reached = cumulative[rows, middle] >= rank
        low, high = np.where(reached, low, np.minimum(middle + 1, high)), np.where(reached, middle, high)
    return low


def merged_quantile(parts: Sequence[EndpointBlocks], q: float) -> float:
    """Return the ``q`` quantile of all requests of several runs: histograms are added, percentiles never averaged."""
    edges = np.concatenate([np.column_stack([part.lower_ms, part.upper_ms]) for part in parts])
    counts = np.concatenate([part.counts.sum(axis=0) for part in parts])
    unique_edges, columns = np.unique(edges, axis=0, return_inverse=True)
    merged = np.zeros((1, len(unique_edges)))
    np.add.at(merged[0], columns.ravel(), counts)
    return float(quantile(merged.cumsum(axis=1), unique_edges[:, 0], unique_edges[:, 1], q)[0])
