"""Runs and their lives in one database, which any number of processes share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from ator_lib.errors import ConflictError
from ator_lib.model import SUPERVISOR, TAGS, Progress, Run, RunStatus
from ator_lib.registry import statements
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
from ator_lib.registry.progress import add_point, ended_run
from ator_lib.registry.records import document_of, get_run, printable, run_of
from ator_lib.registry.searches import Searches
from ator_lib.sql.engine import write
from ator_lib.sql.retry import persistent, persistently


class Registry(Searches):
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
                return ended_run(joined, row)
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
                    return ended_run(connection, row)
            run = get_run(connection, run_id)
        if run.status is RunStatus.CANCELLED:
            return run
        raise ConflictError(f"run {run_id} cannot be cancelled: it ended as {run.status}")

    def renew(self, run_id: int, lease_id: str, *, lease_s: float, progress: Progress | None = None) -> Run:
        """Let the run's lease end ``lease_s`` seconds from now, and keep its progress, also as a point of its course.

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
        document = document_of(progress)
        if document is not None:
            values["progress"] = document
        with write(self._engine) as connection:
            row = connection.execute(statements.RENEW, values).one_or_none()
            if row is not None:
                if document is not None:
                    add_point(connection, run_id, document)
                return run_of(row)
            run = get_run(connection, run_id)
        raise lease_lost(run)

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
