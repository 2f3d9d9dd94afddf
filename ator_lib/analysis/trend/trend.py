"""Where did a metric's level change, and what changed there? Series by series, then all of them together.

The method, in its order:

1. Marks that reset cut each series; between them change points are found (``change_points``) that are as large as the
   minimum effect, and significant among all series (``levels``). What is far from its level is an outlier: shown, and
   moving nothing.
2. A change by the factor of a unit, in all latencies at once, is a unit fault; one that most endpoints have at the same
   run is a common shift (``kinds``). Neither is explained away: a common shift has its verdict.
3. What differs between the two runs around a change is named beside it (``attributes``), and never called its cause.

It takes two steps, as only the changes say which runs have to be looked up: ``find``, then ``conclude``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ator_lib.analysis.trend.attributes import changed
from ator_lib.analysis.trend.data import History, Places, places_of
from ator_lib.analysis.trend.kinds import Evidence, UnitFaults, common_shifts, may_be_a_unit
from ator_lib.analysis.trend.levels import Leveled, Line, Step, leveled
from ator_lib.analysis.trend.notes import notes_of
from ator_lib.analysis.trend.query import TrendQuery
from ator_lib.analysis.trend.result import ChangeKind, LevelChange, TrendResult, is_about
from ator_lib.analysis.trend.words import headline_of, verdict_of
from ator_lib.analysis.verdicts import Verdict
from ator_lib.model import Annotation

__all__ = ["Evidence", "Found", "History", "TrendQuery", "TrendResult", "conclude", "find"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """The series of a history with their levels."""

    query: TrendQuery
    history: History
    leveled: tuple[Leveled, ...]

    @property
    def beside_changes(self) -> list[int]:
        """Ids of the runs on both sides of each change: what is known of them says what differs there."""
        return sorted({run_id for one, step in self._steps() for run_id in self.runs_beside(one, step)})

    @property
    def beside_unit_changes(self) -> list[int]:
        """Ids of the runs around a change by the factor of a unit: their other latencies tell whether it is one."""
        suspects = ((one, step) for one, step in self._steps() if may_be_a_unit(step, self.query))
        return sorted({run_id for one, step in suspects for run_id in self.runs_beside(one, step)})

    def runs_beside(self, one: Leveled, step: Step) -> tuple[int, int]:
        """Give the ids of the last run of the old level and the first of the new one."""
        ids = self.history.runs["run_id"]
        previous, first = one.series.places[step.index - 1 : step.index + 1]
        return ids[int(previous)].as_py(), ids[int(first)].as_py()

    def _steps(self) -> Iterator[tuple[Leveled, Step]]:
        return ((one, step) for one in self.leveled for step in one.steps)


def find(history: History, query: TrendQuery) -> Found:
    """Find the levels of every series."""
    places = places_of(history.runs, [mark.run_id for mark in history.annotations])
    resets = [(int(p), m) for p, m in zip(places, history.annotations, strict=True) if p >= 0 and m.resets]
    lines = [
        Line(label=label, places=mine, values=values, marks=_marks(resets, label, mine, query))
        for label, mine, values in history.series(query.by)
    ]
    return Found(query=query, history=history, leveled=leveled(lines, query))


def conclude(found: Found, evidence: Evidence) -> TrendResult:
    """Say of each change what it seems to be and what differs there; the headline and notes follow from that."""
    faults, shifts = UnitFaults(evidence, found.query), common_shifts(found.leveled, found.query)
    changes = [_change(found, one, step, evidence, faults, shifts) for one in found.leveled for step in one.steps]
    runs, series = found.history.runs, tuple(one.series for one in found.leveled)
    order = {run_id: place for place, run_id in enumerate(runs["run_id"].to_pylist())}
    changes.sort(key=lambda change: (order[change.run_id], change.series))
    known = [mark for mark in found.history.annotations if mark.run_id in order]
    return TrendResult(
        query=found.query,
        runs=runs,
        series=series,
        changes=tuple(changes),
        marks=tuple(mark for mark in known if mark.metric in (None, found.query.metric)),
        verdict=verdict_of(series, changes),
        headline=headline_of(found.query, series, changes, runs.num_rows),
        notes=tuple(notes_of(found.query, runs, series, changes)),
    )


def _marks(
    resets: list[tuple[int, Annotation]], label: str, places: Places, query: TrendQuery
) -> dict[int, Annotation]:
    """Give the marks of a series, each at its first run from the marked one on."""
    mine = ((place, mark) for place, mark in resets if is_about(mark, query, label))
    return {int(np.searchsorted(places, place)): mark for place, mark in mine}


def _change(
    found: Found,
    one: Leveled,
    step: Step,
    evidence: Evidence,
    faults: UnitFaults,
    shifts: dict[tuple[int, bool], int],
) -> LevelChange:
    previous, first = found.runs_beside(one, step)
    place = int(one.series.places[step.index])
    started_at: pa.Scalar = found.history.runs["started_at"][place]
    kind = ChangeKind.CHANGE
    if step.mark is not None:
        kind = ChangeKind.MARKED
    elif faults.is_one(step, one.series.label, first, previous):
        kind = ChangeKind.UNIT_FAULT
    elif (place, step.after > step.before) in shifts:
        kind = ChangeKind.COMMON_SHIFT
    is_fault = kind is ChangeKind.UNIT_FAULT
    return LevelChange(
        series=one.series.label,
        run_id=first,
        started_at=started_at.as_py(),
        previous_run_id=previous,
        before=step.before,
        after=step.after,
        change=step.change,
        low=None if is_fault else step.low,
        high=None if is_fault else step.high,
        p_value=step.p_value,
        verdict=_verdict(step, kind, found.query),
        kind=kind,
        what=changed(evidence.facts.get(previous, {}), evidence.facts.get(first, {})),
        text=None if step.mark is None else step.mark.text,
    )


def _verdict(step: Step, kind: ChangeKind, query: TrendQuery) -> Verdict | None:
    if kind in (ChangeKind.MARKED, ChangeKind.UNIT_FAULT) or query.higher_is_better is None:
        return None
    return Verdict.IMPROVED if (step.after > step.before) == query.higher_is_better else Verdict.REGRESSED
