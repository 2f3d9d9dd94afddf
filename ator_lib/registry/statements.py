"""The registry's statements, built once: a final status never changes, as each is a compare-and-set."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Insert,
    Text,
    Update,
    and_,
    bindparam,
    delete,
    insert,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy import func as sql

from ator_lib.model import RunStatus, StatusReason
from ator_lib.sql.tables import baselines, locations, test_executions
from ator_lib.sql.types import Clock

runs = test_executions.c
RUN = [column for column in runs if column is not runs.idempotency_key]
"""The columns that make a ``Run``."""

ACTIVE = (RunStatus.RUNNING.value, RunStatus.QUEUED.value)
ENDED = (RunStatus.SUCCESS.value, RunStatus.FAILURE.value)
"""Statuses of runs that came to their end: those that were cut short have other figures."""

_THIS_RUN = runs.run_id == bindparam("this_run")
_RUNNING = runs.status == RunStatus.RUNNING.value
_QUEUED = runs.status == RunStatus.QUEUED.value
_ACTIVE = runs.status.in_(ACTIVE)
_LEASE_IS_OVER = runs.lease_expires_at <= Clock()
_LEASE_IS_SHOWN = and_(runs.lease_id == bindparam("shown_lease"), runs.lease_expires_at > Clock())
_LEASE_END = Clock(bindparam("lease_s", type_=Float()))
_NO_LEASE: dict[str, Any] = {"lease_id": null(), "lease_expires_at": null()}

HOLD_LOCATION = select(locations.c.capacity).where(locations.c.name == bindparam("this_location")).with_for_update()
"""Waits until no other admission holds the row. Not needed on SQLite, where the write lock does that."""

ADD_LOCATION = text("INSERT INTO locations (name) VALUES (:this_location) ON CONFLICT DO NOTHING")

_USE: list[ColumnElement[Any]] = [
    *(locations.c.name, locations.c.capacity, locations.c.description, locations.c.status.label("location_status")),
    *(runs.run_id, runs.test, runs.factor, runs.status, runs.priority, runs.queued_at),
    _LEASE_IS_OVER.label("is_over"),
]

ALL_USES = (
    select(*_USE)
    .select_from(locations.outerjoin(test_executions, and_(runs.location == locations.c.name, _ACTIVE)))
    .order_by(locations.c.name, sql.coalesce(runs.priority, 0).desc(), runs.queued_at, runs.run_id)
)
"""A row per running or queued run, the latter in the queue's order; one without a run for each free location."""

USE = ALL_USES.where(locations.c.name == bindparam("this_location"))

GET = select(*RUN).where(_THIS_RUN)
GET_FOR_UPDATE = GET.with_for_update()
GET_BY_ID = select(*RUN).where(runs.id == bindparam("this_id"))
GET_BY_KEY = select(*RUN).where(runs.idempotency_key == bindparam("this_key"))
RUNNING = select(*RUN).where(_RUNNING).order_by(runs.run_id)
OVERLAPPING = (
    select(*RUN)
    .where(
        runs.location == bindparam("this_location"),
        runs.run_id != bindparam("this_run"),
        runs.start_time < bindparam("this_end"),
        or_(_RUNNING, runs.end_time > bindparam("this_start")),
    )
    .order_by(runs.start_time, runs.run_id)
)
ACTIVE_RUNS = select(*RUN).where(_ACTIVE)
OVERDUE = select(*RUN).where(_ACTIVE, _LEASE_IS_OVER).order_by(runs.run_id)


def _insert(**values: Any) -> Insert:
    # only what the database decides: reading back the other columns costs as much as the admission
    decided = (runs.run_id, runs.start_time, runs.queued_at, runs.lease_expires_at)
    return insert(test_executions).values(**values).returning(*decided)


def _change(*conditions: Any, **values: Any) -> Update:
    return update(test_executions).where(_THIS_RUN, *conditions).values(**values).returning(*RUN)


INSERT = _insert(start_time=Clock())
INSERT_LEASED = _insert(start_time=Clock(), lease_expires_at=_LEASE_END)
INSERT_QUEUED = _insert(queued_at=Clock(), lease_expires_at=_LEASE_END)
INSERT_ENDED = insert(test_executions).returning(*RUN)

LEASE = _change(
    _RUNNING, runs.lease_id.is_(None), lease_id=bindparam("new_lease", type_=Text()), lease_expires_at=_LEASE_END
)

START = _change(_QUEUED, _LEASE_IS_SHOWN, status=RunStatus.RUNNING.value, start_time=Clock(), **_NO_LEASE)
START_LEASED = _change(
    _QUEUED, _LEASE_IS_SHOWN, status=RunStatus.RUNNING.value, start_time=Clock(), lease_expires_at=_LEASE_END
)
WAIT_ON = _change(_QUEUED, _LEASE_IS_SHOWN, lease_expires_at=_LEASE_END)
LEAVE = _change(
    _QUEUED,
    runs.lease_id == bindparam("shown_lease"),
    status=RunStatus.CANCELLED.value,
    status_reason=bindparam("reason"),
    end_time=Clock(),
    **_NO_LEASE,
)

# a lease alone does not keep people from completing what they registered; a tool under it does
FINISH = _change(_RUNNING, or_(runs.lease_id.is_(None), runs.tool.is_(None)), end_time=Clock(), **_NO_LEASE)
FINISH_LEASED = _change(_RUNNING, _LEASE_IS_SHOWN, end_time=Clock(), **_NO_LEASE)

ABANDON = _change(
    _ACTIVE,
    _LEASE_IS_OVER,
    status=RunStatus.ABANDONED.value,
    status_reason=StatusReason.LEASE_EXPIRED.value,
    end_time=Clock(),
    **_NO_LEASE,
)

CANCEL = _change(
    or_(_QUEUED, and_(_RUNNING, runs.lease_id.is_(None))),
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
FREE_KEY = update(test_executions).where(_THIS_RUN).values(idempotency_key=null())
REMOVE = delete(test_executions).where(_THIS_RUN)

DURATIONS = (
    select(runs.start_time, runs.end_time)
    .where(
        runs.test == bindparam("this_test"),
        runs.status.in_(ENDED),
        runs.start_time.is_not(None),
        runs.end_time >= runs.start_time,
    )
    .order_by(runs.run_id.desc())
    .limit(bindparam("most"))
)

PINS_OF = select(baselines.c.name).where(baselines.c.run_id == bindparam("this_run")).order_by(baselines.c.name)
