"""What is asked of the registry: one run, those that run or wait, and those that there were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection

from ator_lib.model import HistoryPage, ProgressPoint, QueuePlace, Run
from ator_lib.registry import overlaps, queue, statements
from ator_lib.registry.admissions import Admissions
from ator_lib.registry.history import count_query, texts_query
from ator_lib.registry.pages import Paging
from ator_lib.registry.places import has_lost, reap
from ator_lib.registry.progress import points_of
from ator_lib.registry.records import get_run, run_of
from ator_lib.sql.engine import read, write
from ator_lib.sql.retry import persistent, persistently

Seen = TypeVar("Seen")

_MOST_VALUES = 1000
"""To choose from: nobody reads more."""


class Searches(Admissions):
    """Looks at runs; all that it changes is that it abandons those whose lease is over."""

    @persistent("read")
    def get(self, run_id: int) -> Run:
        """Return a run.

        Raises
        ------
        NotFoundError
            There is no such run.
        """
        with read(self._engine) as connection:
            return get_run(connection, run_id)

    @persistent("read")
    def progress(self, run_id: int, *, since_s: float | None = None) -> list[ProgressPoint]:
        """Return how a run did at each heartbeat, or at those later than ``since_s`` seconds after its start.

        There are none any more once it has ended with results. Long runs keep fewer points, at most 3,600.

        Raises
        ------
        NotFoundError
            There is no such run.
        """
        with read(self._engine) as connection:
            return points_of(connection, get_run(connection, run_id).run_id, since_s)

    def running(self) -> list[Run]:
        """Return the runs that are running, oldest first, after abandoning those whose lease is over."""
        return self._after_reaping(lambda connection: [run_of(row) for row in connection.execute(statements.RUNNING)])

    def overlapping(self, run: Run) -> list[Run] | None:
        """Return the other runs that were at its location while it ran, by start; ``None``: nobody can know."""
        return self._after_reaping(lambda connection: overlaps.others_there(connection, run))

    def queue(self, location: str | None = None) -> list[QueuePlace]:
        """Return who waits, by location and in the order in which they will start, after reaping."""
        return self._after_reaping(lambda connection: queue.places(connection, location))

    def history(
        self,
        where: Mapping[str, Any] | None = None,
        *,
        limit: int = 100,
        order: str = "-run_id",
        cursor: str | None = None,
        offset: int = 0,
        figures: bool = False,
    ) -> HistoryPage:
        """Return runs of any status that match ``where``, after abandoning those whose lease is over.

        ``where`` is plain data, see ``registry.history``, ``None`` takes all; for the others see ``pages.Paging``.

        Raises
        ------
        UsageError
            An unknown filter, status or order, a value of the wrong kind, or another order's cursor.
        """
        paging = Paging(limit=limit, order=order, cursor=cursor, offset=offset, figures=figures)
        query = paging.query(where)
        return paging.page_of(self._after_reaping(lambda connection: connection.execute(query).all()))

    def count(self, where: Mapping[str, Any]) -> int:
        """Return how many runs match, as for ``history``."""
        query = count_query(where)
        return self._after_reaping(lambda connection: int(connection.execute(query).scalar_one()))

    def values(self, name: str, where: Mapping[str, Any]) -> list[str]:
        """Return the values of one of ``history.TEXTS`` among the runs that match, in order.

        Of more than 1,000 these are the first in the database's order, which may be that of a language.
        """
        query = texts_query(name, where).order_by(statements.runs[name]).limit(_MOST_VALUES)
        return sorted(self._after_reaping(lambda connection: connection.scalars(query).all()))

    def reap(self) -> list[Run]:
        """Abandon the runs whose lease is over and whose supervisor does not live on this host; return them."""
        with read(self._engine) as connection:  # nearly always there is nothing to write
            is_needed = has_lost(connection, self._rules)
        if not is_needed:
            return []
        with write(self._engine) as connection:
            return reap(connection, self._rules)

    def _after_reaping(self, look: Callable[[Connection], Seen]) -> Seen:
        """Look at a moment at which nobody's lease is over, in one go if that is now."""

        def attempt(_: bool) -> Seen:
            with read(self._engine) as connection:
                if not has_lost(connection, self._rules):
                    return look(connection)
            self.reap()
            with read(self._engine) as connection:
                return look(connection)

        return persistently(attempt, "the registry", "read")
