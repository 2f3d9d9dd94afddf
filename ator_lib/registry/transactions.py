"""Steps inside a transaction that the caller holds open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row

from ator_lib.model import Holder, Refusal, Run
from ator_lib.registry import statements
from ator_lib.registry.admission import DEFAULT_CAPACITY, check_admissible, decide
from ator_lib.registry.checks import checked_id, not_found
from ator_lib.registry.records import run_of


def get_run(connection: Connection, run_id: int, statement: Any = statements.GET) -> Run:
    """Read one run.

    Raises
    ------
    NotFoundError
        There is no such run.
    """
    row = connection.execute(statement, {"this_run": checked_id(run_id)}).one_or_none()
    if row is None:
        raise not_found(run_id)
    return run_of(row)


def holders_of(rows: Iterable[Row[Any]]) -> list[Holder]:
    """Make the holders of a location's rows; a free location has one without a run."""
    return [
        Holder(run_id=row.run_id, test=row.test, factor=row.factor or Decimal(0))
        for row in rows
        if row.run_id is not None
    ]


def refusal_of(
    connection: Connection, factor: Decimal | None, location: str, is_supervised: Callable[[Run], bool]
) -> Refusal | None:
    """Decide on a request while holding the location's row, which stays held until the transaction ends.

    Raises
    ------
    NeverAdmissibleError
        Not even the empty location could take the factor.
    """
    rows = _hold(connection, location)
    capacity = rows[0].capacity if rows else DEFAULT_CAPACITY
    check_admissible(factor, capacity, location)
    if not rows:
        connection.execute(statements.ADD_LOCATION, {"this_location": location})
        rows = _hold(connection, location)
    if any(row.is_over for row in rows) and reap(connection, is_supervised, location):
        rows = _hold(connection, location)
    return decide(factor or Decimal(0), holders_of(rows), rows[0].capacity, location)


def _hold(connection: Connection, location: str) -> Sequence[Row[Any]]:
    at = {"this_location": location}
    # A statement of its own: the next one sees what was committed while this one waited. Without a row
    # there is nothing to hold: what another admission commits from here on must not be looked at unheld.
    # SQLite holds its write lock already.
    waits = connection.dialect.name != "sqlite"
    if waits and connection.execute(statements.HOLD_LOCATION, at).one_or_none() is None:
        return []
    return connection.execute(statements.HOLDERS, at).all()


def reap(connection: Connection, is_supervised: Callable[[Run], bool], location: str | None = None) -> list[Run]:
    """Abandon the runs, at one location or all, whose lease is over and whose supervisor does not live here."""
    overdue = [run_of(row) for row in connection.execute(statements.OVERDUE)]
    lost = [run for run in overdue if location in (None, run.location) and not is_supervised(run)]
    # in the order of run ids, so that two reapers never wait for each other
    rows = [connection.execute(statements.ABANDON, {"this_run": run.run_id}).one_or_none() for run in lost]
    return [run_of(row) for row in rows if row is not None]
