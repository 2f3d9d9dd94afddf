"""What a design can find, and how many runs would settle the matter."""

from __future__ import annotations

from ator_lib.analysis.evidence import Evidence
from ator_lib.analysis.student import critical_value, quantile

POWER = 0.8
"""Found in four of five cases, the convention of the field (Cohen, "Statistical Power Analysis", 1988)."""
MOST_RUNS = 200
"""Nobody makes more runs on a side; then a longer run or a quieter place is the way."""


def detectable(evidence: Evidence, *, p_limit: float, minimum_effect: float) -> float:
    """Return the true change, on the metric's own scale, that is found with probability ``POWER``.

    Found means: p at most ``p_limit``, and a point change of at least the minimum effect. The estimate's own spread is
    taken as t distributed about the true change, which is close to the noncentral t for such a power.
    """
    limit = max(critical_value(1 - p_limit, evidence.df) * evidence.error, minimum_effect)
    return limit + quantile(POWER, evidence.df) * evidence.error


def runs_needed(evidence: Evidence, *, p_limit: float, confidence: float, minimum_effect: float) -> int | None:
    """Return how many runs a side settle whether there is a change of the minimum effect; ``None`` above ``MOST_RUNS``.

    With that many, each with the noise that the runs now have, a point change of the minimum effect is significant, and
    "no change" is shown with probability ``POWER`` where nothing has changed (both its bounds must hold).
    """
    for runs in range(1 if evidence.noise_df else 2, MOST_RUNS + 1):
        df = evidence.noise_df + 2 * runs - 2
        error = (2 * evidence.run_variance / runs) ** 0.5
        needed = max(critical_value(1 - p_limit, df), critical_value(confidence, df) + quantile((1 + POWER) / 2, df))
        if needed * error <= minimum_effect:
            return runs
    return None
