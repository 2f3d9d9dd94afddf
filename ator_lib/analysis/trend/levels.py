"""One series: where its level changes, what its levels are, and which runs are far from theirs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ator_lib.analysis.change_points import ChangePoint, ChangePointOptions, change_points
from ator_lib.analysis.multiplicity import q_values
from ator_lib.analysis.segmentation import NEIGHBOURS
from ator_lib.analysis.trend.data import Floats, Places
from ator_lib.analysis.trend.query import TrendQuery
from ator_lib.analysis.trend.result import TrendSeries
from ator_lib.model import Annotation

FALSE_DISCOVERY_RATE = 0.02
"""Share of false alarms that is expected among those of all series, as in comparisons."""

_FAR_OUT = 3.0
"""Interquartile ranges beyond a quartile: Tukey's "far out" (Exploratory Data Analysis, 1977, section 2D)."""

_MOST_P_VALUE = ChangePointOptions().max_p_value


@dataclass(frozen=True, kw_only=True)
class Step:
    """A new level from a run of a series on: by the data, or because of a mark.

    ``index`` is the run's among those of the series; figures are as in ``LevelChange``.
    """

    index: int
    before: float
    after: float
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    mark: Annotation | None = None

    @property
    def change(self) -> float | None:
        """Relative to ``before``; null if that is 0."""
        return self.after / self.before - 1 if self.before else None


@dataclass(frozen=True, kw_only=True, eq=False)
class Leveled:
    """A series with the steps between its levels, in order."""

    series: TrendSeries
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """A series as it came: ``marks`` are those that begin a new level, by the index of the first run that they hold."""

    label: str
    places: Places
    values: Floats
    marks: Mapping[int, Annotation]

    @property
    def cuts(self) -> list[int]:
        """Where stretches begin that have nothing to do with each other, and where the last one ends."""
        return [0, *sorted(index for index in self.marks if 0 < index < len(self.values)), len(self.values)]


def leveled(lines: Sequence[Line], query: TrendQuery) -> tuple[Leveled, ...]:
    """Find the levels of all series.

    Many series show many changes by chance: those that have one are selected by Benjamini and Hochberg's procedure,
    and hold where the level of significance is as much smaller as fewer of them are selected (Benjamini and Bogomolov,
    JRSS B 76, 2014). A p value is of its whole series already.
    """
    points = [_points(line, query, _MOST_P_VALUE) for line in lines]
    smallest = [min((point.p_value for point in found.values()), default=1.0) for found in points]
    selected = sum(q_value <= FALSE_DISCOVERY_RATE for q_value in q_values(smallest))
    level = min(_MOST_P_VALUE, FALSE_DISCOVERY_RATE * selected / max(len(lines), 1))
    if selected and level < _MOST_P_VALUE:
        points = [_points(line, query, level) if found else found for line, found in zip(lines, points, strict=True)]
    return tuple(_leveled(line, found if selected else {}, query) for line, found in zip(lines, points, strict=True))


def _points(line: Line, query: TrendQuery, max_p_value: float) -> dict[int, ChangePoint]:
    """Find the change points between marks, by the index of the first run of the new level."""
    options = ChangePointOptions(max_p_value=max_p_value, min_magnitude=query.effect)
    return {
        start + point.index: point
        for start, end in pairwise(line.cuts)
        for point in change_points(line.values[start:end] + _offset(query), options)
    }


def _offset(query: TrendQuery) -> float:
    """Give what is added while change points are found: the usual error rate is 0, and 1 + 0 has ratios."""
    return 0.0 if query.is_relative else 1.0


def _leveled(line: Line, points: Mapping[int, ChangePoint], query: TrendQuery) -> Leveled:
    bounds, stretches = _stretches(line, points, query)
    sides = zip(bounds[1:], pairwise(stretches), strict=False)
    steps = [_step(line, index, before, after, points.get(index), query) for index, (before, after) in sides]
    levels = np.repeat(stretches, np.diff(bounds))
    series = TrendSeries(
        label=line.label,
        places=line.places,
        values=line.values,
        levels=levels,
        is_outlier=_outliers(line.values, levels, query),
    )
    return Leveled(series=series, steps=tuple(step for step in steps if math.isfinite(step.before + step.after)))


def _stretches(line: Line, points: Mapping[int, ChangePoint], query: TrendQuery) -> tuple[list[int], list[float]]:
    """Give where stretches begin and the last one ends, and their medians.

    A change whose medians differ by less than the minimum effect is none: outliers or the spread made it.
    """
    bounds = sorted({*line.cuts, *points})
    while True:
        medians = [_median(line.values[start:end]) for start, end in pairwise(bounds)]
        sizes = {
            index: _size(before, after, query)
            for index, (before, after) in zip(bounds[1:], pairwise(medians), strict=False)
            if index not in line.marks
        }
        smallest = min(sizes, key=sizes.__getitem__, default=None)
        if smallest is None or sizes[smallest] >= query.effect:
            return bounds, medians
        bounds.remove(smallest)


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else math.nan


def _size(before: float, after: float, query: TrendQuery) -> float:
    """Give the size of a change as its minimum is given; infinite from 0."""
    if query.is_relative and before:
        return abs(after / before - 1)
    return math.inf if query.is_relative else abs(after - before)


def _step(line: Line, index: int, before: float, after: float, point: ChangePoint | None, query: TrendQuery) -> Step:
    if index in line.marks or point is None:
        return Step(index=index, before=before, after=after, mark=line.marks[index])
    step = Step(index=index, before=before, after=after, p_value=point.p_value)
    if point.low is None or point.high is None or not (before or not query.is_relative):
        return step
    reach = (point.high - point.low) / 2 * abs(point.before)
    middle = after / before - 1 if query.is_relative else after - before
    reach = reach / abs(before) if query.is_relative else reach
    least = -1.0 if min(before, after) >= 0 else -math.inf  # nothing falls by more than all of it
    return replace(step, low=max(least, middle - reach), high=middle + reach)


def _outliers(values: Floats, levels: Floats, query: TrendQuery) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell which values are far out, and by what matters: on the log scale, where a doubling is as far as a halving.

    They are so from their level and from the values around them, whichever is nearer, and the usual distance is that
    from the values around: a change that is not certain yet neither widens it nor makes outliers of its runs.
    """
    is_log = query.is_relative and np.nanmin(np.fmin(values, levels), initial=math.inf) > 0
    known = np.isfinite(values) & np.isfinite(levels)
    if not known.any():
        return known
    figures, centres = (np.log(values[known]), np.log(levels[known])) if is_log else (values[known], levels[known])
    from_level, from_others = figures - centres, figures - _local_medians(figures)
    away = np.full(len(values), math.nan)
    away[known] = np.where(np.abs(from_level) < np.abs(from_others), from_level, from_others)
    first, third = np.quantile(from_others, [0.25, 0.75])
    reach = _FAR_OUT * (third - first)
    matters = np.abs(np.expm1(away)) if is_log else np.abs(away)
    least = query.effect if is_log or not query.is_relative else query.effect * np.abs(levels)
    return np.asarray(((away < first - reach) | (away > third + reach)) & (matters >= least))


def _local_medians(values: Floats) -> Floats:
    """Give the median of each value and of those around it, as many on each side as make a level."""
    padding = np.full(NEIGHBOURS, math.nan)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([padding, values, padding]), 2 * NEIGHBOURS + 1)
    medians: Floats = np.nanmedian(windows, axis=1)
    return medians
