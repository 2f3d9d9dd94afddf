"""Quantiles of histograms, many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ator_lib.analysis.blocks import EndpointBlocks, FloatArray, edge_pairs


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
    column = (cumulative >= (rank + 1)[:, None]).argmax(axis=1)
    before = np.where(column > 0, cumulative[rows, column - 1], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.clip((rank + 0.5 - before) / (cumulative[rows, column] - before), 0, 1)
    values: FloatArray = lower_ms[column] + share * (upper_ms[column] - lower_ms[column])
    return values


@dataclass(frozen=True, kw_only=True, eq=False)
class Histogram:
    """All requests of several runs in one histogram: these are added, percentiles never averaged."""

    lower_ms: FloatArray
    upper_ms: FloatArray
    cumulative: FloatArray

    @classmethod
    def merged(cls, parts: Sequence[EndpointBlocks]) -> Histogram:
        """Add up the blocks of all parts, whose bins may differ."""
        edges = np.concatenate([edge_pairs(part.lower_ms, part.upper_ms) for part in parts])
        counts = np.concatenate([part.counts.sum(axis=0) for part in parts])
        unique_edges, columns = np.unique(edges, return_inverse=True)
        merged = np.bincount(columns, weights=counts, minlength=len(unique_edges))
        return cls(lower_ms=unique_edges.real, upper_ms=unique_edges.imag, cumulative=merged.cumsum()[None, :])

    def quantile(self, q: float) -> float:
        """Return the ``q`` quantile, nan without a request."""
        return float(quantile(self.cumulative, self.lower_ms, self.upper_ms, q)[0])
