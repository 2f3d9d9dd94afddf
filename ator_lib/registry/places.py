"""A location as one admission sees it: who runs there, who waits, and whether a request fits.

Everything here is a step inside a transaction that the caller holds open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row

from ator_lib.errors import NotFoundError
from ator_lib.model import Holder, LocationStatus, LocationUse, Refusal, Run, RunStatus
from ator_lib.registry import statements
from ator_lib.registry.admission import check_admissible, decide, taken_by
from ator_lib.registry.progress import ended_run
from ator_lib.registry.records import run_of


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What holds for every admission of a registry.

    Attributes
    ----------
    default_location
        Location of requests that name none.
    declared
        Whether locations must have been added before a run may name them.
    is_supervised
        Tells whether a run's supervisor lives on this host: its lease may then be over, but the
        run is not reaped while its tool may still be loading the location.
    """

    default_location: str = "default"
    declared: bool = False
    is_supervised: Callable[[Run], bool] = lambda _: False


Held: TypeAlias = Sequence[Row[Any]]
"""The rows of ``statements.USE`` of one location, at least one."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What an admission decides on: a new request, or a run that waits already (``run_id``)."""

    location: str
    factor: Decimal | None
    priority: int = 0
    run_id: int | None = None


def hold(connection: Connection, location: str, rules: Rules) -> Held:
    """Take the location's row, making it if need be, until the transaction ends; give who runs and waits there.

    Raises
    ------
    NotFoundError
        Locations must be declared, and this one is not.
    """
    rows = _hold(connection, location)
    if not rows and rules.declared:
        raise undeclared(location)
    if not rows:
        connection.execute(statements.ADD_LOCATION, {"this_location": location})
        rows = _hold(connection, location)
    if any(row.is_over for row in rows) and reap(connection, rules, location):
        rows = _hold(connection, location)
    return rows


def refusal_of(wish: Wish, held: Held) -> Refusal | None:
    """Decide on a wish for the location that is held.

    Raises
    ------
    NeverAdmissibleError
        Not even the empty location could take the factor.
    """
    check_admissible(wish.factor, held[0].capacity, wish.location)
    return _decide(wish, held)


def foreseen_refusal(connection: Connection, wish: Wish) -> Refusal | None:
    """Decide as it looks right now, without holding or changing anything.

    ``None`` means that asking for real is worth it: there is room, a lease that is over to be reaped, or
    no hope any more.
    """
    rows = connection.execute(statements.USE, {"this_location": wish.location}).all()
    never = (wish.factor or Decimal(0)) >= rows[0].capacity
    return None if never or any(row.is_over for row in rows) else _decide(wish, rows)


def uses_of(rows: Iterable[Row[Any]]) -> Iterator[LocationUse]:
    """Make a record of each location of ``ALL_USES``, whose rows are in its order."""
    for _, group in groupby(rows, key=lambda row: row.name):
        yield _use_of(list(group))


def reap(connection: Connection, rules: Rules, location: str | None = None) -> list[Run]:
    """Abandon the runs, at one location or all, whose lease is over and whose supervisor does not live here."""
    lost = [run for run in _lost(connection, rules) if location in (None, run.location)]
    # in the order of run ids, so that two reapers never wait for each other
    rows = [connection.execute(statements.ABANDON, {"this_run": run.run_id}).one_or_none() for run in lost]
    return [ended_run(connection, row) for row in rows if row is not None]


def has_lost(connection: Connection, rules: Rules) -> bool:
    """Whether there is anything to reap."""
    return any(True for _ in _lost(connection, rules))


def undeclared(location: str) -> NotFoundError:
    """Say that a location must be added first."""
    return NotFoundError(
        f"there is no location {location!r}: `ator location list` has them, `ator location add` adds one"
    )


def _lost(connection: Connection, rules: Rules) -> Iterator[Run]:
    overdue = [run_of(row) for row in connection.execute(statements.OVERDUE)]
    return (run for run in overdue if not rules.is_supervised(run))


def _hold(connection: Connection, location: str) -> Held:
    at = {"this_location": location}
    # A statement of its own: the next one sees what was committed while this one waited. Without a row
    # there is nothing to hold: what another admission commits from here on must not be looked at unheld.
    # SQLite holds its write lock already.
    waits = connection.dialect.name != "sqlite"
    if waits and connection.execute(statements.HOLD_LOCATION, at).one_or_none() is None:
        return []
    return connection.execute(statements.USE, at).all()


def _decide(wish: Wish, rows: Held) -> Refusal | None:
    use = _use_of(rows)
    return decide(
        wish.factor or Decimal(0),
        use.holders,
        use.capacity,
        wish.location,
        ahead=tuple(_holder(row) for row in _ahead(wish, rows)),
        waits_already=wish.run_id is not None,
        status=use.status,
    )


def _ahead(wish: Wish, rows: Held) -> Iterator[Row[Any]]:
    """Give the waiting runs whose turn comes before the wish's."""
    for row in rows:
        if row.status != RunStatus.QUEUED:
            continue
        if row.run_id == wish.run_id or (wish.run_id is None and (row.priority or 0) < wish.priority):
            return
        yield row


def _use_of(rows: Held) -> LocationUse:
    first = rows[0]
    holders = tuple(_holder(row) for row in rows if row.status == RunStatus.RUNNING)
    return LocationUse(
        name=first.name,
        capacity=first.capacity,
        taken=taken_by(holders),
        holders=tuple(sorted(holders, key=lambda holder: holder.run_id)),
        waiting=tuple(_holder(row) for row in rows if row.status == RunStatus.QUEUED),
        status=LocationStatus(first.location_status),
        description=first.description,
    )


def _holder(row: Row[Any]) -> Holder:
    return Holder(run_id=row.run_id, test=row.test, factor=row.factor or Decimal(0))
