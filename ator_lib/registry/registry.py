"""Runs and their lives in one database, which any number of processes share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import Connection

from ator_lib.errors import ConflictError
from ator_lib.model import SUPERVISOR, TAGS, HistoryPage, Progress, QueuePlace, Run, RunStatus
from ator_lib.registry import history, overlaps, queue, statements
from ator_lib.registry.admissions import Admissions
from ator_lib.registry.annotations import require_unmarked
from ator_lib.registry.checks import (
    OUTCOMES,
    check_size,
    checked_attributes,
    checked_id,
    checked_lease,
    checked_status,
    checked_tags,
    checked_text,
    lease_lost,
    why_not_completed,
)
from ator_lib.registry.places import has_lost, reap
from ator_lib.registry.records import document_of, get_run, printable, run_of
from ator_lib.sql.engine import read, write
from ator_lib.sql.retry import persistent, persistently

Seen = TypeVar("Seen")


class Registry(Admissions):
    """Admits runs, queues them, keeps their leases, and remembers how they ended."""

    def lease(self, run_id: int, *, lease_s: float) -> Run:
        """Put a running run that has no lease under one, which its holder then renews.

        Raises
        ------
        NotFoundError
            There is no such run.
        ConflictError
            It has a lease already, or is not running.
        """
        values = {"this_run": checked_id(run_id), "new_lease": uuid4().hex, "lease_s": checked_lease(lease_s)}
        return persistently(lambda _: self._lease(run_id, values), f"run {run_id}", "put under a lease")

    def _lease(self, run_id: int, values: dict[str, Any]) -> Run:
        with write(self._engine) as connection:
            row = connection.execute(statements.LEASE, values).one_or_none()
            if row is not None:
                return run_of(row)
            run = get_run(connection, run_id)
        if run.lease_id == values["new_lease"]:  # by an earlier attempt that was not answered
            return run
        state = f"it is {run.status}" if run.lease_id is None else "it has one already"
        raise ConflictError(f"run {run_id} cannot be put under a lease: {state}")

    @persistent("completed")
    def complete(
        self,
        run_id: int,
        status: RunStatus | str,
        *,
        reason: str | None = None,
        error: str | None = None,
        lease_id: str | None = None,
        connection: Connection | None = None,
    ) -> Run:
        """Give a running run its final status; the same one again changes nothing.

        Parameters
        ----------
        status
            ``success``, ``failure`` or ``cancelled``.
        reason, error
            Why, as one word, and the tool's or the caller's own words.
        lease_id
            The run's lease, if it holds one.
        connection
            An open write transaction to do it in, so that what else it writes (results) becomes
            visible together with the status.

        Raises
        ------
        NotFoundError
            There is no such run.
        ConflictError
            It has another final status, is queued, or a tool of it is being executed under a lease.
        LeaseLostError
            The lease shown is over or not the run's.
        UsageError
            An unknown status.
        """
        outcome = checked_status(status, OUTCOMES)
        values = {"status": outcome.value, "status_reason": printable(reason), "error": printable(error)}
        finish = statements.FINISH
        if lease_id is not None:
            finish = statements.FINISH_LEASED
            values["shown_lease"] = lease_id
        with self._joined(connection) as joined:
            row = joined.execute(finish, values | {"this_run": checked_id(run_id)}).one_or_none()
            if row is not None:
                return run_of(row)
            run = get_run(joined, run_id)
        if run.status is outcome:
            return run
        raise why_not_completed(run, lease_id)

    @persistent("cancelled")
    def cancel(self, run_id: int) -> Run:
        """End a run, or ask its executor to: a leased run stays running until its tool has stopped.

        Returns
        -------
        Run
            Cancelled, or running with ``stop_requested_at``.

        Raises
        ------
        NotFoundError
            There is no such run.
        ConflictError
            It has ended otherwise.
        """
        values = {"this_run": checked_id(run_id)}
        with write(self._engine) as connection:
            for change in (statements.CANCEL, statements.REQUEST_STOP):
                row = connection.execute(change, values).one_or_none()
                if row is not None:
                    return run_of(row)
            run = get_run(connection, run_id)
        if run.status is RunStatus.CANCELLED:
            return run
        raise ConflictError(f"run {run_id} cannot be cancelled: it ended as {run.status}")

    def renew(self, run_id: int, lease_id: str, *, lease_s: float, progress: Progress | None = None) -> Run:
        """Let the run's lease end ``lease_s`` seconds from now, and keep its progress.

        While the database is away it fails at once: who holds a lease asks again by itself.

        Returns
        -------
        Run
            With ``stop_requested_at`` if somebody cancelled it.

        Raises
        ------
        LeaseLostError
            The lease is over, another one's, or the run has ended: its tool must be killed.
        NotFoundError
            There is no such run.
        """
        values = {"this_run": checked_id(run_id), "shown_lease": lease_id, "lease_s": checked_lease(lease_s)}
        if progress is not None:
            values["progress"] = document_of(progress)
        with write(self._engine) as connection:
            row = connection.execute(statements.RENEW, values).one_or_none()
            if row is not None:
                return run_of(row)
            run = get_run(connection, run_id)
        raise lease_lost(run)

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
    ) -> HistoryPage:
        """Return runs of any status that match ``where``, after abandoning those whose lease is over.

        Parameters
        ----------
        where
            Plain data, see ``registry.history``; ``None`` takes all.
        limit
            At most so many.
        order
            A name of ``history.ORDERS``; ``-`` in front: the highest first. Unknown values come last.
        cursor
            ``next_cursor`` of the page before.

        Raises
        ------
        UsageError
            An unknown filter, status or order, a value of the wrong kind, or another order's cursor.
        """
        query = history.page_query(where, limit=limit, order=order, cursor=cursor)
        runs = self._after_reaping(lambda connection: [run_of(row) for row in connection.execute(query)])
        return history.page_of(runs, limit=limit, order=order)

    @persistent("changed")
    def update(
        self,
        run_id: int,
        *,
        dashboard_url: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
        connection: Connection | None = None,
    ) -> Run:
        """Set a run's dashboard address, merge attributes into its own, change tags; ended runs take them too.

        With ``connection`` it is part of the caller's write transaction.

        Raises
        ------
        NotFoundError
            There is no such run.
        UsageError
            Attributes that are no JSON, or a text that cannot be kept.
        """
        values: dict[str, Any] = {}
        if dashboard_url is not None:
            values["dashboard_url"] = checked_text("dashboard_url", dashboard_url)
        with self._joined(connection) as joined:
            run = get_run(joined, run_id, statements.GET_FOR_UPDATE)
            changed = {**run.attributes, **checked_attributes(attributes or {})}
            if add_tags or remove_tags:
                tags = {*changed.get(TAGS, ()), *checked_tags(add_tags)} - {*checked_tags(remove_tags)}
                changed[TAGS] = checked_tags(tags)
            check_size(json.dumps(changed, ensure_ascii=False))
            values["attributes"] = changed
            return run_of(joined.execute(statements.UPDATE, {"this_run": run.run_id, **values}).one())

    @persistent("put under its supervisor")
    def supervise(self, run_id: int, supervisor: Mapping[str, str]) -> None:
        """Note whose life keeps a leased run from being reaped, for ``Rules.is_supervised``."""
        with write(self._engine) as connection:
            run = get_run(connection, run_id, statements.GET_FOR_UPDATE)
            attributes = {**run.attributes, SUPERVISOR: dict(supervisor)}
            connection.execute(statements.UPDATE, {"this_run": run.run_id, "attributes": attributes})

    def remove(self, run_id: int, *, connection: Connection) -> Run:
        """Forget a run that has ended, in the caller's write transaction; its results must have gone before.

        Raises
        ------
        NotFoundError
            There is no such run.
        ConflictError
            It has not ended, is pinned as a baseline, or somebody marked it.
        """
        run = get_run(connection, run_id, statements.GET_FOR_UPDATE)
        if not run.status.is_final:
            raise ConflictError(f"run {run_id} is {run.status} and cannot be deleted: cancel it first")
        pins = connection.scalars(statements.PINS_OF, {"this_run": run.run_id}).all()
        if pins:
            names = ", ".join(map(repr, pins))
            raise ConflictError(f"run {run_id} is the baseline {names}: remove that, or pin another run to it, first")
        require_unmarked(connection, run.run_id)
        connection.execute(statements.REMOVE, {"this_run": run.run_id})
        return run

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
