"""Runs that others are compared with, pinned under names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, Row, bindparam, delete, select, text, update

from ator_lib.errors import NotFoundError, UsageError
from ator_lib.model import Baseline
from ator_lib.registry import statements
from ator_lib.registry.checks import checked_name
from ator_lib.registry.records import get_run
from ator_lib.registry.verdicts import forget_later
from ator_lib.sql.engine import read, write
from ator_lib.sql.tables import baselines
from ator_lib.sql.types import Clock

_ALL = select(baselines).order_by(baselines.c.name)
_ONE = select(baselines).where(baselines.c.name == bindparam("this_name"))

_HELD = _ONE.with_for_update()

_ADD = text(
    "INSERT INTO baselines (name, run_id, pinned_at) VALUES (:this_name, :this_run, CURRENT_TIMESTAMP) "
    "ON CONFLICT DO NOTHING"
)
_MOVE = (
    update(baselines)
    .where(baselines.c.name == bindparam("this_name"))
    .values(run_id=bindparam("this_run"), pinned_at=Clock())
    .returning(*baselines.c)
)
"""``_ADD``, ``_HELD`` and ``_MOVE``, in this order: somebody else may add the name, or move it, at the same moment."""


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
        """Give a run that name, which may be another run's until now; verdicts that this changes are forgotten.

        Raises
        ------
        NotFoundError
            There is no such run.
        UsageError
            The name is empty, a number (which means a run), or one of the words that mean a search.
        """
        values: dict[str, Any] = {"this_name": checked_baseline(name)}
        with write(self._engine) as connection:
            run = get_run(connection, run_id, statements.GET_FOR_UPDATE)  # not deleted meanwhile
            values["this_run"] = run.run_id
            connection.execute(_ADD, values)
            before = connection.execute(_HELD, values).one()
            pinned = _baseline(connection.execute(_MOVE, values).one())
            for changed in {before.run_id, run.run_id}:
                forget_later(connection, name, get_run(connection, changed))
        return pinned

    def remove(self, name: str) -> Baseline:
        """Unpin a name; the run stays, and verdicts that this changes are forgotten.

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
            forget_later(connection, name, get_run(connection, row.run_id))
        return _baseline(row)


RESERVED = frozenset({"previous", "last-success"})
"""Words that a comparison takes for a search."""


def checked_baseline(name: str) -> str:
    """Return a name that runs can be pinned under.

    Raises
    ------
    UsageError
        It is empty, a number (which means a run), or one of the words that mean a search.
    """
    checked_name("a baseline", name)
    if name.isdecimal() or name in RESERVED:
        raise UsageError(f"a baseline cannot be called {name!r}, which means something else in a comparison")
    return name


def _baseline(row: Row[Any]) -> Baseline:
    return Baseline(**row._mapping)


def missing(name: str) -> NotFoundError:
    """Say that nothing is pinned under that name."""
    return NotFoundError(f"there is no baseline {name!r}: `ator baseline list` has them, `ator baseline pin` adds one")
