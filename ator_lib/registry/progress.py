"""How running runs did: a point per heartbeat, fewer of them in long runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select

from ator_lib.model import ProgressPoint, Run
from ator_lib.registry.records import run_of
from ator_lib.sql.live import give_way_to_results
from ator_lib.sql.tables import run_progress
from ator_lib.sql.types import Clock

MOST_POINTS = 3600
"""Of a run: two hours at one per heartbeat; every second one goes when there are more."""

_points = run_progress.c
_OF_RUN = _points.run_id == bindparam("this_run")
_FIGURES = ("elapsed_s", "users", "requests", "failures", "throughput_rps", "p95_ms")

_SO_FAR = select(func.count(), func.max(_points.elapsed_s)).where(_OF_RUN)
_ADD = insert(run_progress).values(run_id=bindparam("this_run"), at=Clock())
_NUMBERED = (
    select(_points.elapsed_s, func.row_number().over(order_by=_points.elapsed_s).label("number")).where(_OF_RUN)
).subquery()
_THIN_OUT = delete(run_progress).where(
    _OF_RUN, _points.elapsed_s.in_(select(_NUMBERED.c.elapsed_s).where(_NUMBERED.c.number % 2 == 0))
)
_LATER = (
    select(_points.at, *(_points[name] for name in _FIGURES))
    .where(_OF_RUN, _points.elapsed_s > bindparam("since_s"))
    .order_by(_points.elapsed_s)
)


def add_point(connection: Connection, run_id: int, document: Mapping[str, Any]) -> None:
    """Keep how the run is doing, as ``records.document_of`` says, if time has gone on since the last point.

    Whoever calls holds the run's row.
    """
    count, last_s = connection.execute(_SO_FAR, {"this_run": run_id}).one()
    if last_s is not None and document["elapsed_s"] <= last_s:
        return
    connection.execute(_ADD, {"this_run": run_id, **{name: document[name] for name in _FIGURES}})
    if count >= MOST_POINTS:
        connection.execute(_THIN_OUT, {"this_run": run_id})


def ended_run(connection: Connection, row: Row[Any]) -> Run:
    """Make the record of a run that may just have ended: what its heartbeats told gives way to results it has."""
    run = run_of(row)
    if run.progress is not None:
        give_way_to_results(connection, run.run_id)
    return run


def points_of(connection: Connection, run_id: int, since_s: float | None) -> list[ProgressPoint]:
    """Return the points of a run, or those later than ``since_s`` seconds after its start; the oldest first."""
    after_s = -1.0 if since_s is None else since_s
    rows = connection.execute(_LATER, {"this_run": run_id, "since_s": after_s})
    return [ProgressPoint(**row._mapping) for row in rows]
