"""When had a run settled? What comes before tells more of its start than of what is tested."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from ator_lib.analysis.blocks import FloatArray
from ator_lib.analysis.student import critical_value
from ator_lib.analysis.timelines import numbers, whole_run

SHORTEST = 10
"""Intervals: with fewer there is nothing to tell a beginning from the rest by."""
MOST_BATCHES = 120
"""Long runs are looked at in about this many steps, whose noise is smaller; that is finer than their time blocks."""
FULL_LOAD = 0.95
"""Share of the users of the second half from which on all are there."""
LEAST_SHIFT = 0.03
"""By how much the mean latency of a beginning must differ from the rest (log scale) to be left out."""
LEAST_RATE_SHIFT = 0.1
"""The same for the rate, where nobody counted the users."""
CONFIDENCE = 0.9999
"""Of the t test that it does: MSER looks for the most different beginning, so a usual confidence would be none."""


def settled_after_s(timeline: pa.Table) -> float | None:
    """Return the seconds until all users were there and latencies were no longer those of the beginning.

    0 for a run that was settled at once, infinity for one that had not settled after half of its time, ``None`` with
    less than ``SHORTEST`` intervals. Only the rows of the whole run in ``timeline`` (``schema.TIMELINE``) are read.

    Latencies (and the rate, where the users are not known) settle at the truncation point of MSER: the one in the first
    half that minimises the squared standard error of the mean of what is left. As MSER finds some point in pure noise,
    too, it counts only if what it leaves out differs from the rest: the medians by ``LEAST_SHIFT``, and by more than
    the interval of a t test at ``CONFIDENCE``, widened for the correlation of neighbours.

    Sources: White, "An effective truncation heuristic for bias reduction in simulation output", Simulation 69 (1997);
    Hoad, Robinson and Davies, "Automating warm-up length estimation", Journal of the Operational Research Society 61
    (2010), who found it the best of 42 methods.
    """
    rows = whole_run(timeline)
    if rows.num_rows < SHORTEST:
        return None
    interval_s = float(rows["interval_s"][0].as_py())
    users = numbers(rows, "users")
    load = _intervals_until_there(users) if np.isfinite(users).any() else _intervals_until_steady_rate(rows)
    return max(load, _intervals_until_steady_latency(rows)) * interval_s


def users_reached(timeline: pa.Table) -> float | None:
    """Return the most users that there were; ``None`` with less than ``SHORTEST`` intervals, or if nobody counted."""
    users = numbers(whole_run(timeline), "users")
    return float(np.nanmax(users)) if len(users) >= SHORTEST and np.isfinite(users).any() else None


def _intervals_until_there(users: FloatArray) -> float:
    later = users[len(users) // 2 :]
    full = float(np.nanmedian(later)) if np.isfinite(later).any() else 0.0  # a spike is not all of them
    first = int(np.argmax(users >= FULL_LOAD * full))  # nan is not
    if first == 0:
        return 0.0
    return first + 1.0 if first < len(users) // 2 else math.inf  # within that interval the last of them came


def _intervals_until_steady_rate(rows: pa.Table) -> float:
    rates = numbers(rows, "requests")[1:-1]  # the first and the last interval may be parts of one
    if not rates.any():
        return 0.0
    found = _intervals_until_steady(rates / rates.mean(), np.ones(len(rates)), LEAST_RATE_SHIFT)
    return found + 1 if found else 0.0


def _intervals_until_steady_latency(rows: pa.Table) -> float:
    means, requests = numbers(rows, "mean_ms"), numbers(rows, "requests")
    told = np.flatnonzero((means > 0) & (requests > 0))
    if len(told) < SHORTEST:
        return 0.0
    found = _intervals_until_steady(np.log(means[told]), requests[told], LEAST_SHIFT)
    return float(told[int(found)]) if 0 < found < len(told) else found


def _intervals_until_steady(values: FloatArray, weights: FloatArray, least_shift: float) -> float:
    """Give the truncation point of a series that differs enough; 0: there is none, infinity: it is too late."""
    length = math.ceil(len(values) / MOST_BATCHES)
    starts = np.arange(0, len(values) - length + 1, length)  # the rest that fills no batch is left out
    sums = np.add.reduceat(weights[: len(starts) * length], starts)
    means = np.add.reduceat((weights * values)[: len(starts) * length], starts) / sums
    cut = _mser(means, sums)
    if cut == 0 or not _differs(means[:cut], means[cut:], least_shift):
        return 0.0
    return float(cut * length) if cut < len(means) // 2 else math.inf


def _mser(values: FloatArray, weights: FloatArray) -> int:
    """Give the number of values at the beginning, at most half of them, without which the rest's mean is surest."""
    left = np.arange(len(values), 0, -1)
    total = _from_the_end(weights)
    mean = _from_the_end(weights * values) / total
    variance = np.maximum(_from_the_end(weights * values**2) / total - mean**2, 0.0)
    return int(np.argmin((variance / left)[: len(values) // 2 + 1]))


def _from_the_end(values: FloatArray) -> FloatArray:
    """Sum of each value and all after it."""
    return values[::-1].cumsum()[::-1]


def _differs(head: FloatArray, rest: FloatArray, least_shift: float) -> bool:
    shift = abs(float(np.median(head) - np.median(rest)))  # one slow interval makes no beginning
    deviations = rest - rest.mean()
    squares = float(deviations @ deviations)
    if squares == 0:
        return shift >= least_shift
    correlation = float(np.clip(deviations[1:] @ deviations[:-1] / squares, 0.0, 0.9))
    widened = squares / (len(rest) - 1) * (1 + correlation) / (1 - correlation)
    error = math.sqrt(widened * (1 / len(head) + 1 / len(rest)))
    return shift >= max(least_shift, critical_value(CONFIDENCE, len(rest) - 1) * error)
