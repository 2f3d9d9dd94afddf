"""Change points: where the level of a series of results changed.

Three steps, with the same answer every time:

1. A value that stands out from both of its sides is left out, as if it were missing: an outlier can neither make a
   change point nor widen the spread until it hides one, and a step stays what it is.
2. Stretches of many lengths are laid over the series, each is split where its two levels differ most, and the most
   significant splits are taken, as long as the stretch holds no other one: so a short visit to another level is seen,
   too, which disappears in the whole series (seeded binary segmentation).
3. Each point moves to the best place between its neighbours and is tested there; the weakest one goes, until all hold.

A steady drift has no point where it changed, and gets none; nor has a level that wanders all the time. ``segmentation``
has the test and the sources.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ator_lib.analysis.segmentation import NEIGHBOURS, FloatArray, Series, Split, stand_out
from ator_lib.analysis.student import critical_value
from ator_lib.errors import UsageError

# Nothing that was measured is beyond it, and sums and differences of what is not cannot overflow.
_INFINITE = 1e300


@dataclass(frozen=True, kw_only=True)
class ChangePointOptions:
    """What counts as a change point.

    Attributes
    ----------
    max_p_value
        Chance that a series without any change shows one: for the whole series, whatever its length. Where its values
        are correlated, and too few to tell, it is more: 2 to 4 % for 20 values with a correlation of 0.3.
    min_magnitude
        Smallest relative change: 0.05 leaves out changes below 5 %.
    min_segment
        Fewest values at a level, at least 3: shorter visits are outliers.
    confidence
        Of the intervals of the change.

    Raises
    ------
    UsageError
        A value out of its range.
    """

    max_p_value: float = 0.01
    min_magnitude: float = 0.0
    min_segment: int = 3
    confidence: float = 0.95

    def __post_init__(self) -> None:
        for name in ("max_p_value", "confidence"):
            if not 0 < getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}: give a number between 0 and 1.")
        if not (math.isfinite(self.min_magnitude) and self.min_magnitude >= 0):
            raise UsageError(f"min_magnitude is {self.min_magnitude}: give a number of at least 0 (0.05 is 5 %).")
        if self.min_segment < NEIGHBOURS:
            raise UsageError(f"min_segment is {self.min_segment}: a level needs {NEIGHBOURS} values or more.")


@dataclass(frozen=True, kw_only=True)
class ChangePoint:
    """One change of level.

    Attributes
    ----------
    index
        Place of the first value of the new level that is no outlier; missing values and outliers count as places.
    before, after
        The levels on its two sides, at most up to the next change point: means without outliers.
    change
        Relative change, 0.2 for 20 % more; null if ``before`` is 0.
    low, high
        Confidence interval of ``change``; null where that is. It takes the place of the change as given.
    p_value
        Chance of such a change anywhere in a series of this length that has none.
    """

    index: int
    before: float
    after: float
    change: float | None
    low: float | None
    high: float | None
    p_value: float


def change_points(
    values: Sequence[float | None] | FloatArray, options: ChangePointOptions | None = None
) -> tuple[ChangePoint, ...]:
    """Find where a series changes its level, in order of the series.

    Fewer than ``2 * min_segment`` values (6 at the default) have no change points; outliers do not count.

    Parameters
    ----------
    values
        In order of time. None, NaN and infinite values are missing: they are passed over, and indexes still count them.
    options
        Null for the defaults.

    Examples
    --------
    >>> [(point.index, round(point.change, 2)) for point in change_points([200, 201, 199, 240, 242, 239])]
    [(3, 0.2)]
    >>> change_points([200, 201, 199, 5000, 200, 202, 201])
    ()
    """
    options = options or ChangePointOptions()
    numbers = np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    present = np.flatnonzero(np.abs(numbers) < _INFINITE)
    present = present[~stand_out(numbers[present])]
    series = Series.scaled(numbers[present], options.min_segment)
    splits = series.changes(options.max_p_value, options.min_magnitude) if series else ()
    return tuple(_described(split, int(present[split.index]), options.confidence) for split in splits)


def _described(split: Split, index: int, confidence: float) -> ChangePoint:
    """Add the interval of the change: the standard error of a ratio by the delta method."""
    change = low = high = None
    if split.before:
        change, ratio = split.change, split.after / split.before
        sizes = split.index - split.start, split.end - split.index
        error = split.spread / abs(split.before) * math.sqrt(ratio**2 / sizes[0] + 1 / sizes[1])
        reach = critical_value(confidence, sum(sizes) - 2) * error
        low, high = change - reach, change + reach
    return ChangePoint(
        index=index,
        before=split.before,
        after=split.after,
        change=change,
        low=low,
        high=high,
        p_value=split.p_value,
    )
