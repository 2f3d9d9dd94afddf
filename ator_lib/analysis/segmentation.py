"""A series cut into levels: every place where it may change, tested, until those that hold are left.

The test of a split is Student's t between its two levels, with three cautions: the standard deviation is widened by
the lag-1 correlation of the residuals, it is never taken to be below the series' typical one, and the p value is
multiplied by the number of places where the series could have changed. A split that explains less than a straight
line is none.

Sources: Kovács, Bühlmann, Li and Munk, Biometrika 110 (2023), for the stretches; Hampel, Journal of the American
Statistical Association 69 (1974), for outliers as distances from a running median in units of a robust scale; Bayley
and Hammersley, Supplement to the Journal of the Royal Statistical Society 8 (1946), for what correlated values are
worth; Kendall, Biometrika 41 (1954), for the bias of their correlation.
"""

from __future__ import annotations

import functools
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Three values a side, so that two in a row that stand out are outliers, and three are a level.
NEIGHBOURS = 3
# Wide enough for heavy tails and for noise known from few values: what is not far beyond them counts as it is.
_OUTLIER_SCALES = 5.0
# The median of |N(0, 1)|: a median of absolute values divided by it is a standard deviation.
_NORMAL_MEDIAN = 0.6745
# Arithmetic on the way here may have changed the last digits: values are not known better than this.
_RESOLUTION = 1e-9
# Each length is √2 times the last one, and stretches of one length begin a quarter of it apart.
_LENGTH_RATIO = math.sqrt(2)
_STARTS_PER_LENGTH = 4
# Each thing that is fitted, two levels and their place, lowers the lag-1 correlation of n residuals by about 1 / n.
_FITTED = 3
_STRONGEST_CORRELATION = 0.99
_MOST_MOVES = 20


@dataclass(frozen=True, kw_only=True)
class Split:
    """The best split of a stretch of a series, which ends before ``end``.

    Attributes
    ----------
    start, index, end
        Where the level before begins, where the level after begins, and where that has ended.
    before, after
        The two levels: means.
    spread
        Standard deviation around the two levels, widened by the correlation.
    p_value
        Of the change, times the places where the series could have changed, so it may exceed 1. Infinite where a
        straight line explains as much: a drift.
    """

    start: int
    index: int
    end: int
    before: float
    after: float
    spread: float
    p_value: float

    @property
    def change(self) -> float:
        """Return the relative change; infinite from a level of 0."""
        return (self.after - self.before) / abs(self.before) if self.before else math.inf


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """Values without outliers (see ``stand_out``).

    Attributes
    ----------
    values
        In order of time and in units of ``unit``, a power of two: within ±1, so that no square overflows or vanishes.
    noise
        The least standard deviation that they are taken to have around a level.
    min_segment
        Fewest values of a level.
    """

    values: FloatArray
    unit: float
    noise: float
    min_segment: int

    @classmethod
    def scaled(cls, values: FloatArray, min_segment: int) -> Series | None:
        """Make a series; None if it is too short for two levels, or does not vary."""
        if len(values) < 2 * min_segment or values.max() == values.min():
            return None
        noise = _typical_noise(values)
        unit = 2.0 ** math.frexp(float(np.abs(values).max()))[1]
        return cls(values=values / unit, unit=unit, noise=max(noise / unit, _RESOLUTION), min_segment=min_segment)

    def changes(self, max_p_value: float, min_magnitude: float) -> list[Split]:
        """Find the changes of level that are significant and large enough, each at the best place for it."""
        found = [split for length, starts in self._stretches() for split in self._splits(starts, length, max_p_value)]
        found.sort(key=lambda split: split.p_value)
        best = functools.cache(self._best_within(found, max_p_value))
        points = self._divided(_apart(found, len(self.values)), max_p_value)
        while points:
            splits = _settled(points, len(self.values), best)
            points = [split.index for split in splits]
            weakest = _weakest(splits, max_p_value, min_magnitude)
            if weakest is None:
                return splits
            del points[weakest]
        return []

    def _divided(self, points: Sequence[int], max_p_value: float) -> list[int]:
        """Add what can be told once its neighbours are known: split what lies between points, again and again."""
        done, ahead = [0], [*points, len(self.values)]
        while ahead:
            start, end = done[-1], ahead[0]
            split = self._whole(start, end) if end - start >= 2 * self.min_segment else None
            if split and split.p_value <= max_p_value:
                ahead.insert(0, split.index)
            else:
                done.append(ahead.pop(0))
        return done[1:-1]

    def _whole(self, start: int, end: int) -> Split:
        return self._splits(np.array([start]), end - start)[0]

    def _best_within(self, found: Sequence[Split], max_p_value: float) -> Callable[[int, int], Split]:
        """Return how to split what lies between two points.

        A change that nobody could tell would hide its neighbours, too. So if the whole is neither significant nor a
        drift, the best of the stretches within that are at least half as long speaks for it.
        """
        starts = np.array([split.start for split in found])
        ends = np.array([split.end for split in found])

        def best(start: int, end: int) -> Split:
            whole = self._whole(start, end)
            within = np.flatnonzero((starts >= start) & (ends <= end) & (2 * (ends - starts) >= end - start))
            clear = whole.p_value <= max_p_value or math.isinf(whole.p_value)
            return whole if clear or not len(within) else found[within[0]]

        return best

    def _stretches(self) -> Iterator[tuple[int, IntArray]]:
        """Give lengths, from the shortest that can be split to the whole series, and where their stretches begin."""
        count = len(self.values)
        length = 2.0 * self.min_segment
        while round(length) < count:
            size = round(length)
            starts = np.arange(0, count - size, max(1, size // _STARTS_PER_LENGTH))
            yield size, np.append(starts, count - size)
            length *= _LENGTH_RATIO
        yield count, np.array([0])

    def _splits(self, starts: IntArray, length: int, max_p_value: float = math.inf) -> list[Split]:
        """Split stretches of one length where their two levels differ most; give those that are significant."""
        rows = self.values[starts[:, None] + np.arange(length)]
        centred = rows - rows.mean(axis=1, keepdims=True)
        sizes, explained = _best_sizes(centred, self.min_segment)
        first = np.arange(length) < sizes[:, None]
        before, after = rows.mean(axis=1, where=first), rows.mean(axis=1, where=~first)
        spread = self._spread(rows - np.where(first, before[:, None], after[:, None]))
        columns = {
            "start": starts,
            "index": starts + sizes,
            "end": starts + length,
            "before": self.unit * before,
            "after": self.unit * after,
            "spread": self.unit * spread,
            "p_value": np.where(
                explained > _by_line(centred), self._p_values(np.sqrt(explained) / spread, length), math.inf
            ),
        }
        kept = columns["p_value"] <= max_p_value
        found = zip(*(column[kept].tolist() for column in columns.values()), strict=True)
        return [Split(**dict(zip(columns, row, strict=True))) for row in found]

    def _p_values(self, t: FloatArray, length: int) -> FloatArray:
        places = len(self.values) - 2 * self.min_segment + 1
        p_values: FloatArray = 2 * stdtr(length - 2, -t) * places
        return p_values

    def _spread(self, rest: FloatArray) -> FloatArray:
        """Return the standard deviation of each row of residuals of two levels, ddof 2, as if they were independent.

        A positive lag-1 correlation r, corrected for what was fitted, makes n values worth n (1 - r) / (1 + r).
        """
        length = rest.shape[1]
        squares = (rest**2).sum(axis=1)
        products = (rest[:, 1:] * rest[:, :-1]).sum(axis=1)
        correlation = np.divide(products, squares, out=np.zeros_like(squares), where=squares > 0) + _FITTED / length
        correlation = correlation.clip(0, _STRONGEST_CORRELATION)
        variance = np.maximum(squares / (length - 2), self.noise**2)
        spread: FloatArray = np.sqrt(variance * (1 + correlation) / (1 - correlation))
        return spread


def _apart(found: Sequence[Split], count: int) -> list[int]:
    """Take splits in their order, wherever no earlier one lies within the stretch."""
    points = [0, count]
    for split in found:
        place = bisect_right(points, split.start)
        if split.end <= points[place]:
            points.insert(place, split.index)
    return points[1:-1]


def _settled(points: list[int], count: int, best: Callable[[int, int], Split]) -> list[Split]:
    """Move each point to the best place between its neighbours, until none moves any more."""
    for _ in range(_MOST_MOVES):
        splits: list[Split] = []
        for after in (*points[1:], count):
            splits.append(best(splits[-1].index if splits else 0, after))
        moved = [split.index for split in splits]
        if moved == points:
            break
        points = moved
    return splits


def _weakest(splits: Sequence[Split], max_p_value: float, min_magnitude: float) -> int | None:
    """Return the place of the least significant split, else of the smallest, that is not enough of a change."""
    least = max(range(len(splits)), key=lambda place: splits[place].p_value)
    if splits[least].p_value > max_p_value:
        return least
    smallest = min(range(len(splits)), key=lambda place: abs(splits[place].change))
    return smallest if abs(splits[smallest].change) < min_magnitude else None


def _best_sizes(rows: FloatArray, least: int) -> tuple[IntArray, FloatArray]:
    """Return how long the first part of each centred row is best, and the sum of squares that its two means explain."""
    length = rows.shape[1]
    sizes = np.arange(least, length - least + 1)
    sums = rows.cumsum(axis=1)[:, least - 1 : length - least]
    explained = sums**2 * (length / (sizes * (length - sizes)))
    chosen = explained.argmax(axis=1)
    return sizes[chosen], explained[np.arange(len(rows)), chosen]


def _by_line(rows: FloatArray) -> FloatArray:
    """Return the sum of squares of each centred row that a straight line explains."""
    times = np.arange(rows.shape[1]) - (rows.shape[1] - 1) / 2
    explained: FloatArray = (rows @ times) ** 2 / (times @ times)
    return explained


def _typical_noise(values: FloatArray) -> float:
    """Return a standard deviation that steps and outliers do not move, from the differences between neighbours.

    Where most neighbours are equal, as in rounded values, their median says nothing: then it is the root mean square
    of all differences but the largest tenth, and never less than the three that a step and an outlier can make.
    """
    moves = np.abs(np.diff(values))
    middle = float(np.median(moves))
    if middle > 0:
        return middle / _NORMAL_MEDIAN / math.sqrt(2)
    kept = np.sort(moves)[: -max(3, len(moves) // 10)]
    return float(np.sqrt((kept**2).mean() / 2))


def stand_out(values: FloatArray) -> BoolArray:
    """Tell which values are beyond the medians of both of their sides, by more than five times the noise.

    The noise is that of the series or of a side, whichever is more. Positive values are on the log scale: their noise
    usually grows with their level. As few as two levels need are all levels.
    """
    if len(values) <= 2 * NEIGHBOURS:
        return np.zeros(len(values), bool)
    if values.min() > 0:
        values = np.log(values)
    padding = np.full(NEIGHBOURS, math.nan)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([padding, values, padding]), NEIGHBOURS)
    medians = _medians(windows)
    scales = _medians(np.abs(windows - medians[:, None])) / _NORMAL_MEDIAN
    (before, after), sides = ((side[: len(values)], side[NEIGHBOURS + 1 :]) for side in (medians, scales))
    reach = _OUTLIER_SCALES * np.maximum(_typical_noise(values), np.fmax(*sides))
    return np.asarray((values < np.fmin(before, after) - reach) | (values > np.fmax(before, after) + reach))


def _medians(windows: FloatArray) -> FloatArray:
    """Return each row's median without its NaN, which sorting puts last; NaN for a row that has nothing else."""
    ordered = np.sort(windows, axis=1)
    counts = np.isfinite(windows).sum(axis=1)
    every = np.arange(len(windows))
    medians: FloatArray = (ordered[every, np.maximum(counts - 1, 0) // 2] + ordered[every, counts // 2]) / 2
    return medians
