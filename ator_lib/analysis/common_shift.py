"""The shift that all endpoints share, told from what each did of its own.

Identical runs differ, and mostly they differ as a whole: another host, a warmer cache, a busier network. That part of
the noise between runs is in every endpoint, so it can be seen in all of them together and taken out of each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri, polygamma

from ator_lib.analysis.blocks import FloatArray
from ator_lib.analysis.bootstrap import variance
from ator_lib.analysis.evidence import ASSUMED_NOISE_DF, Change
from ator_lib.analysis.sides import RunEstimate

MINIMUM_ENDPOINTS = 8
"""Below this many endpoints a shift of several cannot be told from a shift of all."""
_LEAST = 1e-8
"""Variance that every figure has (0.01 %): endpoints without any noise must not outvote the others."""
_NOISE_DF = (4.0, 40.0)
"""Bounds of what typical noise may weigh: a dozen endpoints cannot show that it is nothing, or everything."""


@dataclass(frozen=True, kw_only=True)
class SplitChanges:
    """Changes of many endpoints, split: what is common to all of them, and what is each endpoint's own."""

    common: Change
    own: tuple[Change, ...]


def split(changes: Sequence[Change]) -> SplitChanges:
    """Take the common shift out of the changes of one metric of ``MINIMUM_ENDPOINTS`` or more endpoints.

    The shift is the weighted median of the endpoints' changes (weights: one over the standard deviation), which a
    minority that changed does not move. Each run's part in it is the weighted median of the endpoints' distances from
    their side's mean, and so in each replicate of the bootstrap; without these parts the endpoints' figures vary by
    their own noise only. How much of that there is from run to run is seen in all endpoints together.

    Source: Huber and Ronchetti, "Robust Statistics" (2009), chapters 3 and 4: the median and its error, whose variance
    is π / 2 times that of the best weighted mean.
    """
    weights = np.array([1 / math.sqrt(change.assumed + _LEAST) for change in changes])
    middle = float(_weighted_median(np.array([[change.point] for change in changes]), weights)[0])
    courses = _run_courses(changes, weights)
    own = _with_own_noise([_without(change, middle, courses) for change in changes])
    error = math.pi / 2 / sum(1 / (change.assumed + _LEAST) for change in own)
    return SplitChanges(
        common=_common(middle, courses, changes),
        own=tuple(replace(change, removed_error=error) for change in own),
    )


def _run_courses(changes: Sequence[Change], weights: FloatArray) -> dict[int, FloatArray]:
    """Return by how much each run as a whole was off its side, and then the same in every replicate of it."""
    found: dict[int, list[tuple[float, FloatArray]]] = {}
    for change, weight in zip(changes, weights, strict=True):
        for side in (change.contender, change.baseline):
            mean = sum(run.value for run in side) / len(side)
            for run in side:
                found.setdefault(run.run_id, []).append((weight, np.append(run.value - mean, run.replicates)))
    return {
        run_id: _weighted_median(np.array([values for _, values in rows]), np.array([weight for weight, _ in rows]))
        for run_id, rows in found.items()
    }


def _without(change: Change, middle: float, courses: Mapping[int, FloatArray]) -> Change:
    contender, baseline = (
        tuple(_own(run, courses[run.run_id]) for run in side) for side in (change.contender, change.baseline)
    )
    return replace(change, point=change.point - middle, contender=contender, baseline=baseline)


def _own(run: RunEstimate, course: FloatArray) -> RunEstimate:
    replicates = run.replicates - course[1:]
    return replace(run, value=run.value - course[0], replicates=replicates, variance=variance(replicates))


def _with_own_noise(own: Sequence[Change]) -> list[Change]:
    """Put what the endpoints show of their own noise in the place of the assumption.

    Without repeated runs it shows in how far the endpoints' changes are apart, most of them having not changed; as some
    may have, that is used only to assume less.
    """
    assumed = own[0].run_noise
    repeated = [change for change in own if change.df]
    if len(repeated) < MINIMUM_ENDPOINTS:
        surpluses = [_surplus(change, change.point**2 / change.shares, df=1) for change in own]
        noise = min(assumed, _typical_noise(surpluses, len(own), assumed))
        return [replace(change, run_noise=noise) for change in own]
    surpluses = [_surplus(change, change.between_runs, df=change.df) for change in repeated]
    noise = _typical_noise(surpluses, sum(change.df for change in repeated), assumed)
    with_noise = [replace(change, run_noise=noise, noise_is_seen=True) for change in own]
    df = _noise_df([change for change in with_noise if change.df])
    return [replace(change, noise_df=df) for change in with_noise]


def _surplus(change: Change, observed: float, *, df: int) -> float:
    """Return what an observed variance of one run has beyond what the runs show inside themselves.

    It is scaled such that its median over many endpoints is right: observed variance has a chi-squared distribution.
    """
    inside = sum(run.variance for run in change.runs) / len(change.runs)
    return observed * df / float(chdtri(df, 0.5)) - inside


def _typical_noise(surpluses: Sequence[float], df: int, assumed: float) -> float:
    """Return the standard deviation from run to run that a typical endpoint has of its own.

    The median is typical and not moved by a few noisy endpoints; it is averaged with the assumption by degrees of
    freedom.
    """
    typical = max(0.0, float(np.median(surpluses)))
    return math.sqrt((ASSUMED_NOISE_DF * assumed**2 + df * typical) / (ASSUMED_NOISE_DF + df))


def _noise_df(own: Sequence[Change]) -> float:
    """Return how much the typical noise weighs for each endpoint: the more, the more alike the endpoints are in it.

    If all had the same, the logarithms of observed over assumed variance would vary by trigamma(d / 2); what they vary
    beyond that is trigamma(d0 / 2) of the d0 degrees of freedom that are sought.

    Source: Smyth, "Linear models and empirical Bayes methods", Statistical Applications in Genetics 3 (2004), 6.2.
    """
    logs = [math.log((change.between_runs + _LEAST) / (change.assumed / change.shares + _LEAST)) for change in own]
    chance = float(np.mean([polygamma(1, change.df / 2) for change in own]))
    excess = float(np.var(logs, ddof=1)) - chance
    least, most = _NOISE_DF
    if excess <= polygamma(1, most / 2):
        return most
    if excess >= polygamma(1, least / 2):
        return least
    return float(brentq(lambda df: float(polygamma(1, df / 2)) - excess, least, most))


def _common(middle: float, courses: Mapping[int, FloatArray], changes: Sequence[Change]) -> Change:
    """Return the common shift as a change between runs of the same weight."""
    sides = []
    for runs in ("contender", "baseline"):
        run_ids = sorted({run.run_id for change in changes for run in getattr(change, runs)})
        sides.append(tuple(_shift(run_id, courses[run_id], 1 / len(run_ids)) for run_id in run_ids))
    return Change(
        point=middle,
        contender=sides[0],
        baseline=sides[1],
        run_noise=changes[0].run_noise,
        noise_df=changes[0].noise_df,
    )


def _shift(run_id: int, course: FloatArray, weight: float) -> RunEstimate:
    return RunEstimate(
        run_id=run_id, value=float(course[0]), variance=variance(course[1:]), weight=weight, replicates=course[1:]
    )


def _weighted_median(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return each column's value with half of the weight on either side; the middle of two where both have it.

    Nan has no weight.

    Examples
    --------
    >>> _weighted_median(np.array([[5.0, 2.0], [1.0, 1.0], [2.0, np.nan]]), np.ones(3)).tolist()
    [2.0, 1.5]
    """
    rows = np.ascontiguousarray(values.T)
    order = rows.argsort(axis=1)
    ranked = np.take_along_axis(rows, order, axis=1)
    reached = np.where(np.isnan(ranked), 0.0, weights[order]).cumsum(axis=1)
    half = reached[:, -1:] / 2
    number = np.arange(len(rows))
    low = (reached >= half * (1 - 1e-9)).argmax(axis=1)
    high = (reached > half * (1 + 1e-9)).argmax(axis=1)
    median: FloatArray = (ranked[number, low] + ranked[number, high]) / 2
    return median
