"""What a change seems to be: of this series, of most of them at once, of the unit, or one that somebody explained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ator_lib.analysis.run_data import TOTAL as WHOLE_RUN
from ator_lib.analysis.run_data import Endpoint
from ator_lib.analysis.trend.levels import Leveled, Step
from ator_lib.analysis.trend.query import NAMES, TrendQuery

UNIT_FACTORS = (60, 1_000, 1_000_000)
"""Between minutes, seconds, milliseconds, microseconds and nanoseconds."""

_UNIT_TOLERANCE = math.log(1.25)
_SINGLE_RUN_TOLERANCE = math.log(1.6)
_LATENCIES = ("mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms")
_THROUGHPUT = "throughput_rps"
_ALIKE = 2
"""How many figures have to say the same: one alone may have moved so far."""

_Rows = Mapping[str, Mapping[str, Any]]

_TOGETHER = 1
"""Runs that changes may lie apart and still be one shift: noise hides where exactly a series changed."""
_MOST = 0.5
_FEWEST_SERIES = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What is looked up of the runs on both sides of each change.

    Attributes
    ----------
    facts
        What is known of each run: its attributes, tool, place …
    summaries
        ``schema.SUMMARIES`` with run_id, of the runs beside changes by the factor of a unit.
    """

    facts: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    summaries: pa.Table | None = None


def unit_factor(ratio: float, tolerance: float = _UNIT_TOLERANCE) -> float | None:
    """Give the factor between units that a ratio is close to, below 1 for its inverse; ``None``: to none.

    Examples
    --------
    >>> unit_factor(1130.0), unit_factor(0.00095), unit_factor(1.5)
    (1000, 0.001, None)
    """
    if not (ratio > 0 and math.isfinite(ratio)):
        return None
    factors = [*UNIT_FACTORS, *(1 / factor for factor in UNIT_FACTORS)]
    nearest = min(factors, key=lambda factor: abs(math.log(ratio / factor)))
    return nearest if abs(math.log(ratio / nearest)) <= tolerance else None


def may_be_a_unit(step: Step, query: TrendQuery) -> bool:
    """Whether the other figures of the runs should be looked at, too."""
    has_unit = query.metric.endswith("_ms") or query.metric == _THROUGHPUT
    return has_unit and step.mark is None and step.before > 0 and unit_factor(step.after / step.before) is not None


class UnitFaults:
    """Tells whether the figures of a run are the factor of a unit away from those of the run before it.

    Latencies are if all of an endpoint's are; throughput if all endpoints' is, and the latencies are not.
    """

    def __init__(self, evidence: Evidence, query: TrendQuery) -> None:
        self._query = query
        self._runs: dict[int, dict[str, Mapping[str, Any]]] = {}
        for row in evidence.summaries.to_pylist() if evidence.summaries is not None else []:
            label = Endpoint.named(row["name"], row["method"]).label
            self._runs.setdefault(row["run_id"], {})[label] = row

    def is_one(self, step: Step, series: str, run_id: int, previous_run_id: int) -> bool:
        """Whether this step is one, of a series from one run to another."""
        if not may_be_a_unit(step, self._query):
            return False
        before, after = (self._runs.get(run, {}) for run in (previous_run_id, run_id))
        own = [series if self._query.by == NAMES else WHOLE_RUN.label]
        latencies = _ratios(before, after, own, _LATENCIES)
        factor = unit_factor(step.after / step.before)
        if self._query.metric != _THROUGHPUT:
            return _are_alike(latencies, factor)
        return _are_alike(_ratios(before, after, list(after), [_THROUGHPUT]), factor) and not _are_alike(
            latencies, 1 / factor if factor else None, fewest=1
        )


def _ratios(before: _Rows, after: _Rows, labels: Sequence[str], metrics: Sequence[str]) -> list[float]:
    pairs = ((before.get(label, {}).get(m), after.get(label, {}).get(m)) for label in labels for m in metrics)
    return [new / old for old, new in pairs if old and new]


def _are_alike(ratios: Sequence[float], factor: float | None, fewest: int = _ALIKE) -> bool:
    if factor is None or len(ratios) < fewest:
        return False
    return all(ratio > 0 and abs(math.log(ratio / factor)) <= _SINGLE_RUN_TOLERANCE for ratio in ratios)


def common_shifts(found: Sequence[Leveled], query: TrendQuery) -> dict[tuple[int, bool], int]:
    """Find where most endpoints changed in the same direction.

    Returns
    -------
    dict
        Place of the first run of a change, and whether it rises → how many endpoints' changes are one with it. What
        is not in it is no common shift.
    """
    if query.by != NAMES or len(found) < _FEWEST_SERIES:
        return {}
    at: dict[tuple[int, bool], set[int]] = {}
    for number, one in enumerate(found):
        for step in (step for step in one.steps if step.mark is None):
            at.setdefault((int(one.series.places[step.index]), step.after > step.before), set()).add(number)
    shifts: dict[tuple[int, bool], int] = {}
    for place, rises in at:
        near = [(place + offset, rises) for offset in range(-_TOGETHER, _TOGETHER + 1)]
        members = set().union(*(at.get(spot, set()) for spot in near))
        if len(members) >= _FEWEST_SERIES and len(members) > _MOST * _there(found, place):
            shifts |= {spot: max(shifts.get(spot, 0), len(members)) for spot in near}
    return shifts


def _there(found: Sequence[Leveled], place: int) -> int:
    """Count the series that have runs on both sides."""
    return sum(one.series.places[0] < place <= one.series.places[-1] for one in found)
