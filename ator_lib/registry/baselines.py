"""Runs that others are compared with, pinned under names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, Row, bindparam, delete, select

from ator_lib.errors import NotFoundError, UsageError
from ator_lib.model import Baseline
from ator_lib.registry.checks import checked_text
from ator_lib.registry.records import get_run
from ator_lib.sql.engine import read, write
from ator_lib.sql.tables import baselines
from ator_lib.sql.types import Clock

_LONGEST_NAME = 200
_ALL = select(baselines).order_by(baselines.c.name)
_ONE = select(baselines).where(baselines.c.name == bindparam("this_name"))


class Baselines:
    """Names for runs: ``release-1`` is what everything is compared with until it is pinned anew."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def list(self) -> list[Baseline]:
        """Return all of them by name."""
        with read(self._engine) as connection:
            return [_baseline(row) for row in connection.execute(_ALL)]

    def get(self, name: str) -> Baseline:
        """Return the baseline of that name.

        Raises
        ------
        NotFoundError
            There is none.
        """
        with read(self._engine) as connection:
            row = connection.execute(_ONE, {"this_name": name}).one_or_none()
        if row is None:
            raise missing(name)
        return _baseline(row)

    def pin(self, name: str, run_id: int) -> Baseline:
        """Give a run that name, which may be another run's until now.

        Raises
        ------
        NotFoundError
            There is no such run.
        UsageError
            The name is empty, a number (which means a run), or one of the words that mean a search.
        """
        checked_name = _checked_name(name)
        with write(self._engine) as connection:
            run = get_run(connection, run_id)
            connection.execute(delete(baselines).where(baselines.c.name == checked_name))
            pin = baselines.insert().values(name=checked_name, run_id=run.run_id, pinned_at=Clock())
            return _baseline(connection.execute(pin.returning(*baselines.c)).one())

    def remove(self, name: str) -> Baseline:
        """Unpin a name; the run stays.

        Raises
        ------
        NotFoundError
            There is none of that name.
        """
        with write(self._engine) as connection:
            gone = delete(baselines).where(baselines.c.name == name).returning(*baselines.c)
            row = connection.execute(gone).one_or_none()
        if row is None:
            raise missing(name)
        return _baseline(row)


RESERVED = frozenset({"previous", "last-success"})
"""Words that a comparison takes for a search."""


def _checked_name(name: str) -> str:
    checked_text("the name", name)
    if not name or name != name.strip() or len(name) > _LONGEST_NAME:
        raise UsageError(f"a baseline's name has 1 to {_LONGEST_NAME} characters and no blanks around it")
    if name.isdecimal() or name in RESERVED:
        raise UsageError(f"a baseline cannot be called {name!r}, which means something else in a comparison")
    return name


def _baseline(row: Row[Any]) -> Baseline:
    return Baseline(**row._mapping)


def missing(name: str) -> NotFoundError:
    """Say that nothing is pinned under that name."""
    return NotFoundError(f"there is no baseline {name!r}: `ator baseline list` has them, `ator baseline pin` adds one")
