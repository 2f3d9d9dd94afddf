"""The five verdicts and how rows add up to endpoints, and endpoints to a run."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

METHOD_VERSION = "1"
"""Of the comparison as a whole: it grows with every change that may change a verdict, so that runs are judged anew."""


class Verdict(StrEnum):
    """What a comparison may say."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    NO_CHANGE = "no change"
    NOT_ENOUGH_EVIDENCE = "not enough evidence"
    NOT_COMPARABLE = "not comparable"


def judge(
    *,
    change: float,
    low: float,
    high: float,
    q_value: float,
    level: float,
    minimum_effect: float,
    higher_is_better: bool,
) -> Verdict:
    """Judge one row: statistics and practical meaning must agree.

    ``regressed`` or ``improved`` needs significance against zero (``q_value`` ≤ ``level``) and a point change of at
    least the minimum effect; ``no change`` needs the whole interval within ± the minimum effect. The rest is
    ``not enough evidence``: it may or may not have changed by an amount that matters.
    """
    if q_value <= level and abs(change) >= minimum_effect:
        return Verdict.IMPROVED if (change > 0) == higher_is_better else Verdict.REGRESSED
    if -minimum_effect <= low and high <= minimum_effect:
        return Verdict.NO_CHANGE
    return Verdict.NOT_ENOUGH_EVIDENCE


def combine(verdicts: Iterable[Verdict | None]) -> Verdict:
    """Add up verdicts: the first of regressed, improved, not enough evidence, no change that any of them says.

    A regression is never outweighed by an improvement elsewhere. ``None`` (shown, not judged) has no say. Something
    that could not be compared leaves the others' findings standing, but it rules out "no change".
    """
    said = {verdict for verdict in verdicts if verdict is not None}
    if said == {Verdict.NOT_COMPARABLE}:
        return Verdict.NOT_COMPARABLE
    for verdict in (Verdict.REGRESSED, Verdict.IMPROVED):
        if verdict in said:
            return verdict
    return Verdict.NO_CHANGE if said == {Verdict.NO_CHANGE} else Verdict.NOT_ENOUGH_EVIDENCE
