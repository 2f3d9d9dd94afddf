"""A change of a total, taken apart exactly: how much each part itself moved, and how much the mix of parts did.

The mean of a run is the sum over its parts (endpoints, statuses, tenths of the run) of share of requests × mean. With
averages of both sides as weights, the change of that sum falls apart with nothing left over::

    own = (share₀ + share₁) / 2 · (mean₁ − mean₀)
    mix = (share₁ − share₀) · ((mean₀ + mean₁) / 2 − centre)

``centre`` changes no sum, as the shares' changes add up to 0. It is the average of the totals of both sides, so that a
part whose share grew counts upwards only if it is slower than the whole. A part that one side alone has moved nothing
itself: all of it is mix. What holds for means holds for shares of requests, such as the error rate.

Source: Kitagawa, "Components of a Difference Between Two Rates", Journal of the American Statistical Association 50
(1955).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

Key = TypeVar("Key")


class Amount(NamedTuple):
    """Of one part on one side: its requests, and the sum of what is averaged over them."""

    requests: float
    total: float

    @property
    def mean(self) -> float:
        """The part's own figure."""
        return self.total / self.requests


class Split(NamedTuple):
    """What one part contributes to the change of the whole: both together."""

    mix: float
    own: float


def requests_of(parts: Mapping[Key, Amount]) -> float:
    """Return the requests of all parts."""
    return sum(part.requests for part in parts.values())


def mean_of(parts: Mapping[Key, Amount]) -> float:
    """Return the figure of the whole, which has requests."""
    return sum(part.total for part in parts.values()) / requests_of(parts)


def decompose(
    baseline: Mapping[Key, Amount], contender: Mapping[Key, Amount], *, centre: float | None = None
) -> dict[Key, Split]:
    """Take the change of the mean apart; the splits of all parts add up to it. Each part has requests.

    Examples
    --------
    >>> before = {"fast": Amount(50, 500.0), "slow": Amount(50, 5000.0)}
    >>> decompose(before, {"fast": Amount(50, 500.0), "slow": Amount(50, 6000.0)})["slow"]
    Split(mix=0.0, own=10.0)
    """
    requests = requests_of(baseline), requests_of(contender)
    middle = (mean_of(baseline) + mean_of(contender)) / 2 if centre is None else centre
    splits = {}
    for key in dict.fromkeys((*baseline, *contender)):
        before, after = baseline.get(key), contender.get(key)
        share_before = before.requests / requests[0] if before else 0.0
        share_after = after.requests / requests[1] if after else 0.0
        mean_before, mean_after = (part.mean for part in (before or contender[key], after or baseline[key]))
        splits[key] = Split(
            mix=(share_after - share_before) * ((mean_before + mean_after) / 2 - middle),
            own=(share_after + share_before) / 2 * (mean_after - mean_before),
        )
    return splits
