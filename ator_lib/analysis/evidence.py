"""Two sides' estimates of one metric become a change with its interval and p value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import fdtri

from ator_lib.analysis.sides import RunEstimate
from ator_lib.analysis.student import critical_value, two_sided_p

ASSUMED_NOISE_DF = 10.0
"""How much the assumed run-to-run noise weighs: as much as ten degrees of freedom of repeated runs.

It keeps two or three runs that agree by luck from looking noiseless, and it widens the intervals of single runs a
little (t with 10 degrees of freedom), because the assumption may be off."""
SUMMARY_NOISE_DF = 2.0
"""The same where runs are only summaries: what they vary by inside is in the noise between them and in no assumption,
so this one speaks mostly against runs that agree by luck."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A metric on two sides, on the metric's own scale (log for relative metrics).

    Attributes
    ----------
    point
        Contender − baseline.
    run_noise
        The standard deviation from run to run that is assumed beyond what the runs show inside themselves.
    noise_df
        How much that assumption weighs, in degrees of freedom.
    noise_is_seen
        The two come from repeated runs of many endpoints, not from a convention.
    removed_error
        Variance of what has been taken out of ``point`` (the shift common to all endpoints).
    """

    point: float
    contender: tuple[RunEstimate, ...]
    baseline: tuple[RunEstimate, ...]
    run_noise: float
    noise_df: float = ASSUMED_NOISE_DF
    noise_is_seen: bool = False
    removed_error: float = 0.0

    @property
    def runs(self) -> tuple[RunEstimate, ...]:
        """The runs of both sides."""
        return (*self.contender, *self.baseline)

    @property
    def df(self) -> int:
        """Degrees of freedom that repeated runs give."""
        return len(self.runs) - 2

    @property
    def shares(self) -> float:
        """By what the variance of one run is multiplied in that of ``point``."""
        return sum(run.weight**2 for run in self.runs)

    @property
    def assumed(self) -> float:
        """Variance of ``point`` by the runs' time blocks and the assumed run noise."""
        return sum(run.weight**2 * (run.variance + self.run_noise**2) for run in self.runs)

    @property
    def between_runs(self) -> float:
        """Observed variance of one run about its side's mean (pooled, ddof 1 a side); 0 without repeated runs."""
        return (squares(self.contender) + squares(self.baseline)) / self.df if self.df else 0.0


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The interval of a change, on the metric's own scale, and its two-sided p value.

    ``error`` is the standard error of the point, ``run_variance`` the variance of one run behind it; ``df`` are the
    degrees of freedom, and ``noise_df`` those of them that do not come from the runs.
    """

    low: float
    high: float
    p_value: float
    error: float
    run_variance: float
    noise_df: float
    df: float


def weigh(change: Change, *, confidence: float) -> Evidence:
    """Put a two-sided t interval around a change.

    Each run's variance is what its time blocks show plus the assumed ``run_noise``². With d = runs − 2 > 0 degrees of
    freedom there is also the observed variance between the runs of a side, and the two are averaged, the assumption
    counting ``noise_df`` degrees of freedom (moderated variance). Noisy places must not be talked quiet: an observed
    variance above what chance would make of the assumed one in one of a hundred cases stands alone, with its own d
    degrees of freedom; and where the assumption is only that, no observed variance is averaged down. A side's variance
    is that of the runs' mean, weighted by requests.

    Source: Smyth, "Linear models and empirical Bayes methods", Statistical Applications in Genetics 3 (2004);
    Phipson et al., "Robust hyperparameter estimation protects against hypervariable genes", Annals of Applied
    Statistics 10 (2016), for cases far above the typical.
    """
    variance, df = _variance(change)
    error = math.sqrt(variance + change.removed_error)
    half = critical_value(confidence, df) * error
    return Evidence(
        low=change.point - half,
        high=change.point + half,
        p_value=two_sided_p(change.point / error, df) if error else float(change.point == 0),
        error=error,
        run_variance=variance / change.shares,
        noise_df=df - change.df,
        df=df,
    )


def _variance(change: Change) -> tuple[float, float]:
    """Return the variance of a change's point, and its degrees of freedom."""
    observed = change.between_runs * change.shares
    if change.df and observed > fdtri(change.df, change.noise_df, 0.99) * change.assumed:
        return observed, change.df
    df = change.noise_df + change.df
    moderated = (change.noise_df * change.assumed + change.df * observed) / df
    return (moderated if change.noise_is_seen else max(moderated, observed)), df


def squares(side: Sequence[RunEstimate]) -> float:
    """Sum of squared distances of the runs from their side's mean."""
    mean = sum(run.value for run in side) / len(side)
    return sum((run.value - mean) ** 2 for run in side)
