"""Runs and their lives in one database, which any number of processes share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine

from ator_lib.errors import CapacityError, ConflictError, UsageError
from ator_lib.model import LocationUse, Progress, Run, RunRequest, RunStatus
from ator_lib.registry import statements
from ator_lib.registry.admission import parse_factor, taken_by
from ator_lib.registry.checks import (
    OUTCOMES,
    checked_attributes,
    checked_id,
    checked_lease,
    checked_status,
    lease_lost,
    why_not_completed,
)
from ator_lib.registry.records import document_of, printable, run_of, started_run, values_of
from ator_lib.registry.transactions import get_run, holders_of, reap, refusal_of
from ator_lib.sql.engine import read, write


class Registry:
    """Admits runs, keeps their leases, and remembers how they ended.

    Every method raises ``StoreError`` when the database cannot be used.

    Parameters
    ----------
    engine
        A database at the newest revision (``sql.engine.upgrade``).
    default_location
        Location of requests that name none.
    is_supervised
        Tells whether a run's supervisor lives on this host: its lease may then be over, but the
        run is not reaped while its tool may still be loading the location.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        default_location: str = "default",
        is_supervised: Callable[[Run], bool] = lambda _: False,
    ) -> None:
        self._engine = engine
        self._default_location = default_location
        self._is_supervised = is_supervised

    def register(self, request: RunRequest, *, lease_s: float | None = None) -> Run:
        """Admit a run and start it; it then takes its factor of its location until it ends.

        Runs at the location whose lease is over are abandoned in the same transaction.

        Parameters
        ----------
        request
            What is to run. A location that is not known yet is made, with capacity 1.
        lease_s
            Seconds that the run lives without ``renew``; ``None`` lets it run until it is completed.

        Raises
        ------
        CapacityError
            The location has no room now; nothing was registered.
        NeverAdmissibleError, FactorError, UsageError
            The request is off; nothing was changed.
        """
        factor = parse_factor(request.factor)
        location = request.location or self._default_location
        values = values_of(request, location=location, factor=factor)
        insert, lease = statements.INSERT, {}
        if lease_s is not None:
            insert, lease = statements.INSERT_LEASED, {"lease_s": checked_lease(lease_s)}
            values["lease_id"] = uuid4().hex
        with write(self._engine) as connection:
            refusal = refusal_of(connection, factor, location, self._is_supervised)
            if refusal is None:
                return started_run(request, values, connection.execute(insert, values | lease).one())
        raise CapacityError(refusal)  # after the commit, which keeps what was reaped

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
        with write(self._engine) as connection:
            row = connection.execute(statements.LEASE, values).one_or_none()
            if row is not None:
                return run_of(row)
            run = get_run(connection, run_id)
        state = f"it is {run.status}" if run.lease_id is None else "it has one already"
        raise ConflictError(f"run {run_id} cannot be put under a lease: {state}")

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
        self.reap()
        with read(self._engine) as connection:
            return [run_of(row) for row in connection.execute(statements.RUNNING)]

    def history(
        self,
        *,
        limit: int = 100,
        test: str | None = None,
        stream: str | None = None,
        status: RunStatus | str | None = None,
        location: str | None = None,
        since: datetime | None = None,
        before_run_id: int | None = None,
    ) -> list[Run]:
        """Return runs of any status, newest (highest ``run_id``) first, after abandoning those whose lease is over.

        Parameters
        ----------
        limit
            At most so many.
        test, status, location
            Only runs that have exactly this.
        stream
            Only runs of this stream, in any case; ``%`` stands for any text.
        since
            Only runs started (or, not started, queued) at this time or later. Aware.
        before_run_id
            Only runs below this id: the last one of a page gives the next page.

        Raises
        ------
        UsageError
            An unknown status, a negative limit or a time without a zone.
        """
        if limit < 0:
            raise UsageError(f"limit {limit} is below 0; give how many runs to return")
        self.reap()
        query = statements.history(
            limit=limit,
            test=test,
            stream=stream,
            status=None if status is None else checked_status(status),
            location=location,
            since=since,
            before_run_id=before_run_id,
        )
        with read(self._engine) as connection:
            return [run_of(row) for row in connection.execute(query)]

    def update(
        self, run_id: int, *, dashboard_url: str | None = None, attributes: Mapping[str, Any] | None = None
    ) -> Run:
        """Set a run's dashboard address, and merge attributes into its own; ended runs take them too.

        Raises
        ------
        NotFoundError
            There is no such run.
        UsageError
            Attributes that are no JSON.
        """
        with write(self._engine) as connection:
            run = get_run(connection, run_id, statements.GET_FOR_UPDATE)
            values: dict[str, Any] = {"attributes": checked_attributes({**run.attributes, **(attributes or {})})}
            if dashboard_url is not None:
                values["dashboard_url"] = dashboard_url
            return run_of(connection.execute(statements.UPDATE, {"this_run": run_id, **values}).one())

    def reap(self) -> list[Run]:
        """Abandon the runs whose lease is over and whose supervisor does not live on this host; return them."""
        with read(self._engine) as connection:  # nearly always there is nothing to write
            overdue = [run_of(row) for row in connection.execute(statements.OVERDUE)]
        if not any(not self._is_supervised(run) for run in overdue):
            return []
        with write(self._engine) as connection:
            return reap(connection, self._is_supervised)

    def locations(self) -> list[LocationUse]:
        """Return all locations by name, with what is taken of each by whom, as the next admission would see it."""
        self.reap()
        with read(self._engine) as connection:
            rows = connection.execute(statements.ALL_HOLDERS).all()
        uses = []
        for (name, capacity), group in groupby(rows, key=lambda row: (row.name, row.capacity)):
            holders = tuple(holders_of(group))
            uses.append(LocationUse(name=name, capacity=capacity, taken=taken_by(holders), holders=holders))
        return uses

    @contextmanager
    def _joined(self, connection: Connection | None) -> Iterator[Connection]:
        if connection is not None:
            yield connection
            return
        with write(self._engine) as own:
            yield own
