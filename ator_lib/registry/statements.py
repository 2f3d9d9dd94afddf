"""The registry's statements, built once: a final status never changes, as each is a compare-and-set."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, Insert, Select, Text, Update, and_, bindparam, insert, null, or_, select, text, update
from sqlalchemy import func as sql

from ator_lib.model import RunStatus, StatusReason
from ator_lib.sql.tables import locations, test_executions
from ator_lib.sql.types import Clock

runs = test_executions.c
_THIS_RUN = runs.run_id == bindparam("this_run")
_RUNNING = runs.status == RunStatus.RUNNING.value
_LEASE_IS_OVER = runs.lease_expires_at <= Clock()
_LEASE_IS_SHOWN = and_(runs.lease_id == bindparam("shown_lease"), runs.lease_expires_at > Clock())
_LEASE_END = Clock(bindparam("lease_s", type_=Float()))
_NO_LEASE: dict[str, Any] = {"lease_id": null(), "lease_expires_at": null()}

HOLD_LOCATION = select(locations.c.capacity).where(locations.c.name == bindparam("this_location")).with_for_update()
"""Waits until no other admission holds the row. Not needed on SQLite, where the write lock does that."""

ADD_LOCATION = text("INSERT INTO locations (name) VALUES (:this_location) ON CONFLICT DO NOTHING")

ALL_HOLDERS = (
    select(
        locations.c.name,
        locations.c.capacity,
        runs.run_id,
        runs.test,
        runs.factor,
        _LEASE_IS_OVER.label("is_over"),
    )
    .select_from(locations.outerjoin(test_executions, and_(runs.location == locations.c.name, _RUNNING)))
    .order_by(locations.c.name, runs.run_id)
)
"""A row per running run, and one without a run for each location that is free."""

HOLDERS = ALL_HOLDERS.where(locations.c.name == bindparam("this_location"))

GET = select(test_executions).where(_THIS_RUN)
GET_FOR_UPDATE = GET.with_for_update()
RUNNING = select(test_executions).where(_RUNNING).order_by(runs.run_id)
OVERDUE = RUNNING.where(_LEASE_IS_OVER)


def _insert(**values: Any) -> Insert:
    # only what the database decides: reading back the other columns costs as much as the admission
    decided = (runs.run_id, runs.start_time, runs.lease_expires_at)
    return insert(test_executions).values(start_time=Clock(), **values).returning(*decided)


def _change(*conditions: Any, **values: Any) -> Update:
    return update(test_executions).where(_THIS_RUN, *conditions).values(**values).returning(*runs)


INSERT = _insert()
INSERT_LEASED = _insert(lease_expires_at=_LEASE_END)

LEASE = _change(
    _RUNNING, runs.lease_id.is_(None), lease_id=bindparam("new_lease", type_=Text()), lease_expires_at=_LEASE_END
)

# a lease alone does not keep people from completing what they registered; a tool under it does
FINISH = _change(_RUNNING, or_(runs.lease_id.is_(None), runs.tool.is_(None)), end_time=Clock(), **_NO_LEASE)
FINISH_LEASED = _change(_RUNNING, _LEASE_IS_SHOWN, end_time=Clock(), **_NO_LEASE)

ABANDON = _change(
    _RUNNING,
    _LEASE_IS_OVER,
    status=RunStatus.ABANDONED.value,
    status_reason=StatusReason.LEASE_EXPIRED.value,
    end_time=Clock(),
    **_NO_LEASE,
)

CANCEL = _change(
    or_(runs.status == RunStatus.QUEUED.value, and_(_RUNNING, runs.lease_id.is_(None))),
    status=RunStatus.CANCELLED.value,
    status_reason=StatusReason.STOPPED_BY_USER.value,
    end_time=Clock(),
    **_NO_LEASE,
)
REQUEST_STOP = _change(
    _RUNNING, runs.lease_id.is_not(None), stop_requested_at=sql.coalesce(runs.stop_requested_at, Clock())
)

RENEW = _change(_RUNNING, _LEASE_IS_SHOWN, lease_expires_at=_LEASE_END)
UPDATE = _change()


def history(
    *,
    limit: int,
    test: str | None,
    stream: str | None,
    status: RunStatus | None,
    location: str | None,
    since: datetime | None,
    before_run_id: int | None,
) -> Select[Any]:
    """Select the newest runs that pass all filters; ``None`` filters nothing."""
    query = select(test_executions).order_by(runs.run_id.desc()).limit(limit)
    if stream is not None:
        query = query.where(runs.stream.ilike(_like(stream), escape="\\"))
    if since is not None:
        never_started = and_(runs.start_time.is_(None), runs.queued_at >= since)
        query = query.where(or_(runs.start_time >= since, never_started))
    if before_run_id is not None:
        query = query.where(runs.run_id < before_run_id)
    for column, value in ((runs.test, test), (runs.status, status), (runs.location, location)):
        if value is not None:
            query = query.where(column == value)
    return query


def _like(pattern: str) -> str:
    """Keep only ``%`` as a wildcard of LIKE."""
    return pattern.replace("\\", "\\\\").replace("_", "\\_")
