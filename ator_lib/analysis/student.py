"""Student's t distribution: the two functions that a comparison needs."""

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
