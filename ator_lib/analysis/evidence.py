"""Two sides' estimates of one metric become a change with its interval and p value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ator_lib.analysis.sides import RunEstimate
from ator_lib.analysis.student import critical_value, two_sided_p

ASSUMED_NOISE_DF = 10
"""How much the assumed run-to-run noise weighs: as much as ten degrees of freedom of repeated runs.

It keeps two or three runs that agree by luck from looking noiseless, and it widens the intervals of single runs a
little (t with 10 degrees of freedom), because the assumption may be off."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The interval of a change, on the metric's own scale (log for relative metrics), and its two-sided p value."""

    low: float
    high: float
    p_value: float


def weigh(
    *,
    point: float,
    contender: Sequence[RunEstimate],
    baseline: Sequence[RunEstimate],
    run_noise: float,
    confidence: float,
) -> Evidence:
    """Put a two-sided t interval around ``point``, the change on the metric's own scale.

    Each run's variance is what its time blocks show plus the assumed ``run_noise``². With d = runs − 2 > 0 degrees of
    freedom there is also the observed variance between the runs of a side (pooled, ddof 1 a side), and the two are
    averaged, the assumption counting ``ASSUMED_NOISE_DF`` degrees of freedom (moderated variance). An observed
    variance above that average is believed in full: noisy places must not be talked quiet. A side's variance is that
    of the runs' mean, weighted by requests.

    Source: Smyth, "Linear models and empirical Bayes methods", Statistical Applications in Genetics 3 (2004), with a
    fixed prior.
    """
    runs = [*contender, *baseline]
    df = len(runs) - 2
    shares = sum(run.weight**2 for run in runs)
    assumed = sum(run.weight**2 * (run.variance + run_noise**2) for run in runs)
    observed = (_squares(contender) + _squares(baseline)) / df * shares if df else 0.0
    moderated = (ASSUMED_NOISE_DF * assumed + df * observed) / (ASSUMED_NOISE_DF + df)
    error = math.sqrt(max(moderated, observed))
    half = critical_value(confidence, ASSUMED_NOISE_DF + df) * error
    p_value = two_sided_p(point / error, ASSUMED_NOISE_DF + df) if error else float(point == 0)
    return Evidence(low=point - half, high=point + half, p_value=p_value)


def _squares(side: Sequence[RunEstimate]) -> float:
    """Sum of squared distances of the runs from their side's mean."""
    mean = sum(run.value for run in side) / len(side)
    return sum((run.value - mean) ** 2 for run in side)
