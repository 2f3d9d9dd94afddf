"""Change points by energy divergence and Student's t test, as Apache Otava finds them: what ours are compared with.

Written from the published description (Fleming et al., "Hunter", ICPE 2023; Matteson and James, JASA 109, 2014) and
for evaluations only: quadratic in the window, with two weaknesses that ``change_points`` was made without, namely
means that single outliers move and p values that do not count how many places were looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ator_lib.analysis.student import two_sided_p

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Otava's options; the defaults are its own."""

    window_len: int = 50
    max_pvalue: float = 0.001
    min_magnitude: float = 0.0

    @property
    def first_pass(self) -> float:
        """Return the relaxed limit for weak points."""
        if self.max_pvalue < 0.05:
            return 10 * self.max_pvalue
        return 2 * self.max_pvalue if self.max_pvalue < 0.5 else self.max_pvalue


class Judged(NamedTuple):
    """How far the two sides of a point differ."""

    p_value: float
    magnitude: float


def energy_change_points(values: FloatArray, setting: Setting) -> list[int]:
    """Collect the weak points of half overlapping windows, then drop the weakest until all hold.

    After a drop, the two points that follow are judged anew, as in Otava; the one before keeps what was said of it.
    """
    points = sorted(set(_weak_points(values, setting)))
    judged = [_judged(*sides) for sides in _sides(values, points)]
    while points:
        place = _weakest(judged, setting)
        if place is None:
            return points
        del points[place], judged[place]
        sides = list(_sides(values, points))
        for later in range(place, min(place + 2, len(points))):
            judged[later] = _judged(*sides[later])
    return []


def _weak_points(values: FloatArray, setting: Setting) -> Iterator[int]:
    start, step = 0, setting.window_len // 2
    while start < len(values):
        window = values[start : start + setting.window_len]
        found = sorted(start + point for point in _divided(window, setting.first_pass))
        yield from found
        start = max(found[-1] if found else 0, start + step)


def _divided(window: FloatArray, max_p_value: float) -> list[int]:
    """Split a window where the divergence is largest, as long as the two sides differ significantly."""
    points: list[int] = []
    while True:
        bounds = [0, *points, len(window)]
        parts = [(start, end) for start, end in pairwise(bounds) if end - start > 1]
        if not parts:
            return points
        candidates = [(start, end, *_most_divergent(window[start:end])) for start, end in parts]
        start, end, size, _ = max(candidates, key=lambda candidate: candidate[3])
        if not p_value(window[start : start + size], window[start + size : end]) <= max_p_value:
            return points
        points = sorted([*points, start + size])


def _most_divergent(part: FloatArray) -> tuple[int, float]:
    """Return how many values go before, and the energy divergence from those that follow, over all ends of them."""
    distances = np.abs(part[:, None] - part[None, :])
    sums = np.pad(distances.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    before, end = np.meshgrid(np.arange(1, len(part)), np.arange(2, len(part) + 1), indexing="ij")
    valid = before < end
    after = np.where(valid, end - before, 1)
    between = sums[before, end] - sums[before, before]
    within_before = sums[before, before] / 2
    within_after = (sums[end, end] - sums[before, end] - sums[end, before] + sums[before, before]) / 2
    apart_before = np.where(before > 1, after / np.maximum(before - 1, 1) * within_before, 0)
    apart_after = np.where(after > 1, before / np.maximum(after - 1, 1) * within_after, 0)
    divergence = np.where(valid, 2 / (before + after) * (between - apart_before - apart_after), -np.inf)
    row, column = np.unravel_index(divergence.argmax(), divergence.shape)
    return int(row) + 1, float(divergence[row, column])


def _sides(values: FloatArray, points: Sequence[int]) -> Iterator[tuple[FloatArray, FloatArray]]:
    bounds = [0, *points, len(values)]
    for start, point, end in zip(bounds, bounds[1:], bounds[2:], strict=False):
        yield values[start:point], values[point:end]


def _weakest(judged: Sequence[Judged], setting: Setting) -> int | None:
    weakest = max(range(len(judged)), key=lambda place: judged[place].p_value)
    if judged[weakest].p_value >= setting.max_pvalue:
        return weakest
    smallest = min(range(len(judged)), key=lambda place: judged[place].magnitude)
    return smallest if judged[smallest].magnitude <= setting.min_magnitude else None


def _judged(before: FloatArray, after: FloatArray) -> Judged:
    return Judged(p_value(before, after), _magnitude(before.mean(), after.mean()))


def _magnitude(before: float, after: float) -> float:
    return max(abs(after / before - 1) if before else 0, abs(before / after - 1) if after else 0)


def p_value(before: FloatArray, after: FloatArray) -> float:
    """Return the p value of Student's t test, with variances of ddof 0 as Otava has them; 1 for a value a side."""
    sizes = len(before), len(after)
    df = sum(sizes) - 2
    if not df:
        return 1.0
    pooled = ((sizes[0] - 1) * before.var() + (sizes[1] - 1) * after.var()) / df
    distance = abs(before.mean() - after.mean())
    if not pooled:
        return 0.0 if distance else 1.0
    return two_sided_p(float(distance / np.sqrt(pooled * (1 / sizes[0] + 1 / sizes[1]))), df)
