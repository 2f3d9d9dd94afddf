"""What moved between the sides of a comparison, as users hold it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.compute as pc

from ator_lib.results import index
from ator_lib.results.breakdown import breakdown
from ator_lib.workspace.location_moves import location_moves
from ator_lib.workspace.parts import Parts

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from ator_lib.analysis.explain.data import ExplainData
    from ator_lib.analysis.explain.result import ExplanationResult
    from ator_lib.analysis.result import ComparisonResult
    from ator_lib.analysis.run_data import RunData

_CONNECT_BEFORE = frozenset({"k6"})
"""Tools whose durations begin when the request is sent: they connect before."""


class Explanation:
    """What moved the total, ranked: figures that add up, and no word on why. Shows itself in a notebook."""

    def __init__(self, result: ExplanationResult) -> None:
        self._result = result

    @property
    def headline(self) -> str:
        """What moved, and the largest part of it, in one sentence."""
        return self._result.headline

    @property
    def table(self) -> pd.DataFrame:
        """A row per measure, kind and part: those of a measure and kind add up to the whole change.

        measure (``mean_ms``, ``beyond_p95``, ``error_rate``), kind (``endpoint``, ``phase``, ``endpoint phase``,
        ``status``, ``time``, ``shift``), part, name, method, phase, its own figures and shares of requests on
        either side, own, mix and contribution (own + mix), share (of the whole change), verdict (of endpoints).
        """
        return self._frame("rows", list(_columns()))

    @property
    def moved(self) -> pd.DataFrame:
        """The figures of the whole run that are taken apart: measure, baseline, contender, difference, change."""
        return self._frame("moved", ["measure", "baseline", "contender", "difference", "change"])

    @property
    def overlaps(self) -> pd.DataFrame:
        """Other runs that were at a run's location while it ran: side, run_id, and the other's facts."""
        columns = ["side", "run_id", "location", "other_run_id", "test", "factor", "seconds"]
        return self._frame("overlaps", columns)

    @property
    def moves(self) -> pd.DataFrame:
        """Other tests at the contender's location: their p50 (``before``, ``after``) in the last run on either side."""
        return self._frame("moves", ["test", "location", "previous_run_id", "run_id", "before", "after", "change"])

    @property
    def notes(self) -> tuple[str, ...]:
        """What else to look at, and how far the figures carry."""
        return self._result.notes

    def figure(self, measure: str | None = None) -> Figure:
        """Draw what the change of one measure is made of: bars from the baseline's figure to the contender's.

        Parameters
        ----------
        measure
            ``mean_ms``, ``beyond_p95`` or ``error_rate``; by default the first that is known.
        """
        from ator_lib.figures.contributions import contributions_figure

        return contributions_figure(self._result, measure)

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return self._result.to_dict()

    def __repr__(self) -> str:
        return f"Explanation({self.headline!r})"

    def _repr_html_(self) -> str:
        from ator_lib.figures.explanation import explanation_html

        return explanation_html(self._result)

    def _frame(self, name: str, columns: list[str]) -> pd.DataFrame:
        return pd.DataFrame(self.to_dict()[name], columns=columns)


def _columns() -> Iterator[str]:
    from ator_lib.analysis.explain.result import Contribution

    yield from (*Contribution.__dataclass_fields__, "contribution")


def explain_comparison(
    parts: Parts, comparison: ComparisonResult, contender: Sequence[RunData], baseline: Sequence[RunData]
) -> Explanation:
    """Count the requests of every run once more, by what they have in common, and take the change apart."""
    from ator_lib.analysis.explain.explanation import beyond_limit, explain

    limit = beyond_limit(comparison)
    sides = [[_counted(parts, run, limit) for run in side] for side in (contender, baseline)]
    return Explanation(explain(sides[0], sides[1], comparison, location_moves(parts, contender, baseline)))


def _counted(parts: Parts, run: RunData, limit: float | None) -> ExplainData:
    from ator_lib.analysis.explain.data import ExplainData

    ingest_id = index.ingest_of(parts.engine, run.run_id)
    if ingest_id is None:  # its results went meanwhile
        return ExplainData(run=run, cells=None)
    since = run.started_at + timedelta(seconds=run.warm_up_s) if run.started_at and run.warm_up_s else None
    is_part = run.tool not in _CONNECT_BEFORE
    cells = breakdown(parts.store, ingest_id, since=since, beyond_ms=limit, connect_is_part=is_part)
    if cells is not None:
        return ExplainData(run=run, cells=cells)
    timeline = parts.store.timeline(ingest_id)
    return ExplainData(
        run=run, cells=None, timeline=timeline.filter(pc.field("interval_start") >= since) if since else timeline
    )
