"""Measures over time, and Apdex scores, made of the tables that a run left."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.analysis.blocks import EndpointBlocks, FloatArray, rows_by_endpoint
from ator_lib.analysis.gates.data import Course, Intervals, Score
from ator_lib.analysis.histogram import quantile
from ator_lib.analysis.run_data import Endpoint

THROUGHPUT = "throughput_rps"
TOLERATED = 4
"""Apdex: up to so many times the target an answer is tolerated. Source: Apdex Technical Specification 1.1, 2007."""


def course_of(intervals: pa.Table, metric: str, *, precision: str | None = None) -> Course:
    """Take a column of ``schema.TIMELINE``, or of a table like it, as a course.

    The rate of an endpoint is 0 in intervals that others have and it has not. Those at both ends are left out for
    rates: the load began and ended within them.
    """
    starts = intervals["interval_start"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy() / 1e6
    grid, first_rows, places = np.unique(starts, return_index=True, return_inverse=True)
    lengths = intervals["interval_s"].to_numpy()[first_rows]
    values = _values(intervals, metric)
    by_endpoint = {}
    for endpoint, rows in rows_by_endpoint(intervals).items():
        filled = np.full(len(grid), 0.0 if metric == THROUGHPUT else np.nan)
        filled[places[rows]] = values[rows]
        kept = ~np.isnan(filled)
        if metric == THROUGHPUT:
            kept[[0, -1]] = False
        start_s = grid - grid[0]
        by_endpoint[endpoint] = Intervals(start_s=start_s[kept], length_s=lengths[kept], value=filled[kept])
    return Course(by_endpoint=by_endpoint, precision=precision)


def _values(intervals: pa.Table, metric: str) -> FloatArray:
    if metric == "error_rate":
        with np.errstate(invalid="ignore"):
            rates: FloatArray = intervals["failures"].to_numpy() / intervals["requests"].to_numpy()
        return rates
    column = pc.fill_null(intervals[metric].cast(pa.float64()), float("nan"))
    values: FloatArray = column.to_numpy()
    return values


def course_of_blocks(blocks: Mapping[Endpoint, EndpointBlocks], block_s: float, q: float) -> Course:
    """Take a percentile of the histograms of time blocks: what is left of samples that have expired."""
    by_endpoint = {}
    for endpoint, block in blocks.items():
        value = quantile(block.counts.cumsum(axis=1), block.lower_ms, block.upper_ms, q)
        kept = ~np.isnan(value)
        start_s = np.arange(len(value), dtype=np.float64) * block_s
        length_s = np.full(int(kept.sum()), block_s)
        by_endpoint[endpoint] = Intervals(start_s=start_s[kept], length_s=length_s, value=value[kept])
    return Course(by_endpoint=by_endpoint, precision=f"percentiles to 1 %, in blocks of {block_s:g} s")


def scores_of_counts(counts: pa.Table) -> dict[Endpoint, Score]:
    """Score satisfied and tolerated requests, counted in samples: (satisfied + tolerated / 2) / requests."""
    scores = {}
    for row in counts.to_pylist():
        score = (row["satisfied"] + row["tolerated"] / 2) / row["requests"]
        scores[Endpoint.named(row["name"], row["method"])] = Score(low=score, high=score)
    return scores


def scores_of_histogram(bins: pa.Table, summaries: pa.Table, target_ms: float) -> dict[Endpoint, Score]:
    """Say between what the scores lie, by histograms in which nobody sees where the failed requests are."""
    found = {}
    rows = {Endpoint.named(row["name"], row["method"]): row for row in summaries.to_pylist()}
    for endpoint, numbers in rows_by_endpoint(bins).items():
        row = rows.get(endpoint)
        if row is not None and row["requests"]:
            found[endpoint] = _score_between(bins.take(pa.array(numbers)), row["requests"], row["failures"], target_ms)
    return found


def _score_between(bins: pa.Table, requests: int, failures: int, target_ms: float) -> Score:
    lower, upper, count = (bins[name].to_numpy() for name in ("lower_ms", "upper_ms", "count"))
    whole = max(requests, int(count.sum()))
    least, most = (
        [int(count[edge <= limit].sum()) for limit in (target_ms, TOLERATED * target_ms)] for edge in (upper, lower)
    )
    # at worst all failed requests were quick, at best they were the slowest
    satisfied = max(least[0] - failures, 0)
    tolerated = max(least[1] - failures, 0) - satisfied
    low = (satisfied + tolerated / 2) / whole
    within = min(most[1], whole - failures)
    satisfied = min(most[0], within)
    return Score(low=low, high=(satisfied + (within - satisfied) / 2) / whole)
