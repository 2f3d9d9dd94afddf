"""What of a run is a number: runs are ordered by its size, and searched for by a range of it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, cast, literal_column, select

from ator_lib.model import RunFigures
from ator_lib.registry.statements import runs
from ator_lib.sql.tables import summaries, test_executions
from ator_lib.sql.types import SecondsBetween

FIGURES = tuple(field.name for field in fields(RunFigures))
"""Of all requests of a run; null for one without results."""

_OF_RECORDS: dict[str, ColumnElement[float]] = {
    "factor": cast(runs.factor, Float(53)),  # not as text, which it is on SQLite
    "duration_s": SecondsBetween(runs.start_time, runs.end_time),
}

QUANTITIES = (*_OF_RECORDS, *FIGURES)
"""Names of all of them."""

totals = summaries.alias("totals")
"""The rows of runs' figures: one of a run at most."""

# written out and not bound, or SQLite would not see that the index of totals has all that is asked for
_IS_TOTAL = totals.c.scope == literal_column("'total'")

WITH_TOTALS = and_(totals.c.run_id == runs.run_id, _IS_TOTAL)
"""On what ``totals`` is joined to the runs."""


def quantity(name: str) -> ColumnElement[Any]:
    """Give SQL for one of ``QUANTITIES`` of a run."""
    if name in _OF_RECORDS:
        return _OF_RECORDS[name]
    return select(totals.c[name]).where(WITH_TOTALS).correlate(test_executions).scalar_subquery()


def lies_between(name: str, least: float | None, most: float | None) -> ColumnElement[bool]:
    """Give SQL for whether a run's quantity lies between two values, each included; null does not."""
    value = _OF_RECORDS[name] if name in _OF_RECORDS else totals.c[name]
    bounds = [value >= least] if least is not None else []
    bounds += [value <= most] if most is not None else []
    return and_(*bounds) if name in _OF_RECORDS else runs.run_id.in_(select(totals.c.run_id).where(_IS_TOTAL, *bounds))
