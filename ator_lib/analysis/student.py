"""Student's t distribution: what a comparison needs of it."""

from __future__ import annotations

from scipy.special import stdtr, stdtrit


def two_sided_p(t: float, df: float) -> float:
    """Return the probability of a value at least as far from 0 as ``t``, with ``df`` > 0 degrees of freedom.

    Examples
    --------
    >>> round(two_sided_p(2.228, 10), 4)
    0.05
    """
    return float(2 * stdtr(df, -abs(t)))


def critical_value(confidence: float, df: float) -> float:
    """Return the ``t`` that a share ``confidence`` of the values stays within.

    Examples
    --------
    >>> round(critical_value(0.95, 10), 3)
    2.228
    """
    return float(stdtrit(df, (1 + confidence) / 2))


def quantile(probability: float, df: float) -> float:
    """Return the ``t`` that a share ``probability`` of the values stays below.

    Examples
    --------
    >>> round(quantile(0.8, 10), 3)
    0.879
    """
    return float(stdtrit(df, probability))
