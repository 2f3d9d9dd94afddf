"""The places that tests share."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, insert, update
from sqlalchemy.exc import IntegrityError

from ator_lib.errors import ConflictError, UsageError
from ator_lib.model import LocationStatus, LocationUse, Run
from ator_lib.registry import statements
from ator_lib.registry.admission import DEFAULT_CAPACITY, parse_factor
from ator_lib.registry.checks import checked_name, checked_text
from ator_lib.registry.places import undeclared, uses_of
from ator_lib.sql.engine import read, write
from ator_lib.sql.tables import locations

_CAPACITY_LIMIT = 10**9


class Locations:
    """Names, capacities and states of locations, with what is taken of each.

    Parameters
    ----------
    engine
        A database at the newest revision.
    reap
        Called before looking, so that what is shown is what the next admission would see.
    """

    def __init__(self, engine: Engine, *, reap: Callable[[], list[Run]]) -> None:
        self._engine = engine
        self._reap = reap

    def list(self) -> list[LocationUse]:
        """Return all locations by name, each with who runs and who waits there."""
        self._reap()
        with read(self._engine) as connection:
            return [*uses_of(connection.execute(statements.ALL_USES))]

    def get(self, name: str) -> LocationUse:
        """Return one location.

        Raises
        ------
        NotFoundError
            There is none of that name.
        """
        self._reap()
        with read(self._engine) as connection:
            rows = connection.execute(statements.USE, {"this_location": name}).all()
        if not rows:
            raise undeclared(name)
        return next(uses_of(rows))

    def add(
        self,
        name: str,
        *,
        capacity: str | float | Decimal = DEFAULT_CAPACITY,
        description: str | None = None,
        status: LocationStatus | str = LocationStatus.ONLINE,
    ) -> LocationUse:
        """Add a location.

        Parameters
        ----------
        capacity
            The sum of the factors that run there stays below it.

        Raises
        ------
        ConflictError
            There is one of that name.
        UsageError
            The name, capacity or status is off.
        """
        values = checked_use(capacity=capacity, description=description, status=status)
        with write(self._engine) as connection:
            try:
                connection.execute(insert(locations).values(name=checked_name("a location", name), **values))
            except IntegrityError as error:
                raise ConflictError(f"there is a location {name!r} already: change that one") from error
        return self.get(name)

    def change(
        self,
        name: str,
        *,
        capacity: str | float | Decimal | None = None,
        description: str | None = None,
        status: LocationStatus | str | None = None,
    ) -> LocationUse:
        """Change what is given; runs that are running go on, whatever the new capacity or status.

        Raises
        ------
        NotFoundError
            There is none of that name.
        UsageError
            The capacity or status is off, or nothing was given.
        """
        values = checked_use(capacity=capacity, description=description, status=status)
        if not values:
            raise UsageError("nothing to change: give a capacity, a status or a description")
        with write(self._engine) as connection:
            if not connection.execute(update(locations).where(locations.c.name == name).values(values)).rowcount:
                raise undeclared(name)
        return self.get(name)


def checked_use(**given: Any) -> dict[str, Any]:
    """Return what was given of capacity, description and status, as it is kept.

    Raises
    ------
    UsageError
        One of them is off.
    """
    values = {name: value for name, value in given.items() if value is not None}
    if "capacity" in values:
        values["capacity"] = _checked_capacity(values["capacity"])
    if "status" in values:
        if values["status"] not in tuple(LocationStatus):
            raise UsageError(f"unknown status {values['status']!r}: give one of {', '.join(LocationStatus)}")
        values["status"] = LocationStatus(values["status"]).value
    if "description" in values:
        checked_text("description", values["description"])
    return values


def _checked_capacity(capacity: str | float | Decimal) -> Decimal:
    parsed = parse_factor(capacity, what="capacity")
    if parsed is None or not parsed.is_finite() or not 0 < parsed <= _CAPACITY_LIMIT:
        raise UsageError(f"capacity {capacity} is not possible: give a number above 0, such as 1")
    return parsed
