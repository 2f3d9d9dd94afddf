"""The frozen answer of a trend; JSON-ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa

from ator_lib.analysis.plain import plain
from ator_lib.analysis.trend.attributes import AttributeChange, spoken
from ator_lib.analysis.trend.data import Floats, Places, places_of
from ator_lib.analysis.trend.query import TrendQuery
from ator_lib.analysis.verdicts import Verdict
from ator_lib.model import Annotation


class ChangeKind(StrEnum):
    """What a change of a level seems to be."""

    CHANGE = "change"
    """Of this series."""
    COMMON_SHIFT = "common shift"
    """Most series changed at the same run: a shared layer, or the environment."""
    UNIT_FAULT = "unit fault"
    """All figures of a kind became 60, 1,000 or 1,000,000 times what they were: another unit."""
    MARKED = "marked"
    """Somebody said why a new level begins here."""


@dataclass(frozen=True, kw_only=True)
class LevelChange:
    """A series goes on at another level from a run on.

    Attributes
    ----------
    run_id, started_at
        The first run of the new level.
    previous_run_id
        The series' run before it.
    before, after
        The levels, in the metric's unit.
    change
        after ÷ before - 1; null if ``before`` is 0.
    low, high
        The interval of ``change``, of ``after - before`` for the error rate; null where there is none.
    p_value
        Against "no change"; null for a mark.
    verdict
        ``regressed`` or ``improved``; null for what is not judged: a unit fault, a mark, a metric that has no good
        direction.
    what
        Attributes of the two runs that differ, as far as they were looked at.
    text
        What the mark says.
    """

    series: str
    run_id: int
    started_at: datetime | None
    previous_run_id: int
    before: float
    after: float
    change: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    verdict: Verdict | None = None
    kind: ChangeKind = ChangeKind.CHANGE
    what: tuple[AttributeChange, ...] = ()
    text: str | None = None

    def to_row(self) -> dict[str, Any]:
        """Return a row of a table: ``what`` is a text."""
        kinds = {"verdict": self.verdict and str(self.verdict), "kind": str(self.kind)}
        return {**vars(self), **kinds, "what": spoken(self.what)}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        whole: dict[str, Any] = plain({**self.to_row(), "what": [asdict(one) for one in self.what]})
        return whole


@dataclass(frozen=True, kw_only=True, eq=False)
class TrendSeries:
    """One line of a trend: arrays of the same length, a run each.

    Attributes
    ----------
    places
        Of its runs among those of the result, in order.
    values
        nan where the run has no such figure.
    levels
        The median of the stretch that the run is in; nan where it has no value.
    is_outlier
        Far from its level, which it does not move.
    """

    label: str
    places: Places
    values: Floats
    levels: Floats
    is_outlier: np.ndarray[Any, np.dtype[np.bool_]]

    @property
    def known(self) -> int:
        """How many of the runs have a value."""
        return int(np.isfinite(self.values).sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class TrendResult:
    """A trend: series, the changes of their levels by run, the marks on the runs, and what limits the answer."""

    query: TrendQuery
    runs: pa.Table
    series: tuple[TrendSeries, ...]
    changes: tuple[LevelChange, ...]
    marks: tuple[Annotation, ...]
    verdict: Verdict | None
    headline: str
    notes: tuple[str, ...]

    @property
    def run_ids(self) -> Places:
        """The run of each place."""
        return np.asarray(self.runs["run_id"], dtype=np.int64)

    def places_of(self, run_ids: Sequence[int]) -> Places:
        """Give the place of each of these runs; -1 where it is not in this trend."""
        return places_of(self.runs, run_ids)

    def table(self) -> pa.Table:
        """Give a row per run and series: series, run_id, started_at, value, is_outlier, level."""
        lengths = [len(one.places) for one in self.series]
        labels = pa.DictionaryArray.from_arrays(
            pa.array(np.repeat(np.arange(len(self.series), dtype=np.int32), lengths)),
            pa.array([one.label for one in self.series], pa.string()),
        )
        runs = self.runs.take(pa.array(_joined(self.series, "places", np.int64)))
        return pa.table(
            {
                "series": labels,
                "run_id": runs["run_id"],
                "started_at": runs["started_at"],
                "value": pa.array(_joined(self.series, "values", np.float64), from_pandas=True),
                "is_outlier": pa.array(_joined(self.series, "is_outlier", np.bool_)),
                "level": pa.array(_joined(self.series, "levels", np.float64), from_pandas=True),
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, strings and finite numbers."""
        rows = self.table()
        columns = [plain(column.to_pylist()) for column in rows.columns]
        return {
            "verdict": self.verdict and str(self.verdict),
            "headline": self.headline,
            "parameters": self.query.to_dict(),
            "runs": self.runs.num_rows,
            "changes": [change.to_dict() for change in self.changes],
            "marks": [plain(asdict(mark)) for mark in self.marks],
            "notes": list(self.notes),
            "rows": [dict(zip(rows.column_names, row, strict=True)) for row in zip(*columns, strict=True)],
        }


def is_about(mark: Annotation, query: TrendQuery, label: str) -> bool:
    """Whether a mark is about a series; an endpoint may be named with or without its method."""
    is_named = mark.name is None or mark.name == label or label.endswith(f" {mark.name}")
    return is_named and mark.metric in (None, query.metric)


def _joined(series: Sequence[TrendSeries], field: str, kind: Any) -> np.ndarray[Any, Any]:
    return np.concatenate([getattr(one, field) for one in series]) if series else np.array([], kind)
