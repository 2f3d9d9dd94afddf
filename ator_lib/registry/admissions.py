"""The doors into the registry: at once, through the queue, or after the fact."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from ator_lib.errors import CapacityError, ConflictError, NeverAdmissibleError, UsageError
from ator_lib.model import Admission, LocationStatus, Run, RunRequest, RunStatus
from ator_lib.registry import queue, statements
from ator_lib.registry.admission import parse_factor
from ator_lib.registry.checks import (
    FINAL,
    LONGEST_NAME,
    checked_id,
    checked_lease,
    checked_status,
    checked_text,
    lease_lost,
)
from ator_lib.registry.places import Rules, Wish, hold, refusal_of
from ator_lib.registry.records import get_run, inserted_run, printable, run_of, values_of
from ator_lib.registry.waiting import Pause
from ator_lib.sql.engine import read, write
from ator_lib.sql.listening import listening
from ator_lib.sql.retry import persistent, persistently
from ator_lib.sql.tables import UNIQUE_KEY
from ator_lib.sql.translate import constraint_of

_SAME_REQUEST = (
    *("repo", "lac", "stream", "test", "type", "environment", "triggered_by"),
    *("factor", "location", "priority", "tool"),
)
"""What must be equal for two requests to be the same; attributes and links may have been changed since."""


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A request on its way in, with the row that it would get."""

    request: RunRequest
    wish: Wish
    values: dict[str, Any]
    lease_s: float | None
    queue_lease_s: float | None


class Admissions:
    """How runs come into the registry. Every method raises ``StoreError`` when the database cannot be used.

    Parameters
    ----------
    engine
        A database at the newest revision (``sql.engine.upgrade``).
    rules
        What holds for every admission.
    """

    def __init__(self, engine: Engine, rules: Rules | None = None) -> None:
        self._engine = engine
        self._rules = rules or Rules()

    def register(self, request: RunRequest, *, lease_s: float | None = None, idempotency_key: str | None = None) -> Run:
        """Admit a run and start it; it then takes its factor of its location until it ends.

        Runs at the location whose lease is over are abandoned in the same transaction.

        Parameters
        ----------
        request
            What is to run. A location that is not known yet is made, with capacity 1.
        lease_s
            Seconds that the run lives without ``renew``; ``None`` lets it run until it is completed.
        idempotency_key
            Any text of the caller's. The same one again, with the same request, gives the same run.

        Raises
        ------
        CapacityError
            The location has no room now; nothing was registered.
        NeverAdmissibleError, FactorError, NotFoundError, UsageError
            The request is off; nothing was changed.
        ConflictError
            The idempotency key was used for another request.
        StoreUnavailableError
            The database stayed away. The message says if nothing was registered, or that nobody knows.
        """
        admission = self._enter(request, lease_s, idempotency_key, queue_lease_s=None)
        return admission.run

    def enqueue(
        self,
        request: RunRequest,
        *,
        queue_lease_s: float,
        lease_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Admission:
        """Like ``register``, but a run that finds no room is queued: its client asks ``start`` from then on.

        Parameters
        ----------
        queue_lease_s
            Seconds that it keeps its place without ``start``.

        Raises
        ------
        CapacityError
            The location is draining: it takes nobody new, not even in its queue.
        """
        return self._enter(request, lease_s, idempotency_key, queue_lease_s=checked_lease(queue_lease_s))

    def start(self, run_id: int, lease_id: str, *, queue_lease_s: float, lease_s: float | None = None) -> Admission:
        """Ask for a queued run whether its turn has come, which also renews its lease.

        Returns
        -------
        Admission
            Running (under the same lease id if ``lease_s`` is given, else without a lease), or still queued.

        Raises
        ------
        RunCancelledError
            Somebody cancelled it.
        LeaseLostError
            It was not asked for in time and has lost its place, or the lease is not the run's.
        NeverAdmissibleError
            The location was changed and can never take it now; it has left the queue.
        """
        values = {"this_run": checked_id(run_id), "shown_lease": lease_id, "lease_s": checked_lease(queue_lease_s)}
        with read(self._engine) as connection:
            run = get_run(connection, run_id)
            if run.status is RunStatus.RUNNING and run.lease_id in (lease_id, None):  # the answer was lost
                return Admission(run=run)
            if run.status is not RunStatus.QUEUED or run.lease_id != lease_id:
                raise queue.why_not_started(run)
            refusal = queue.needs_no_writing(connection, run, queue_lease_s=queue_lease_s)
        if refusal is not None:
            return Admission(run=run, refusal=refusal)
        with write(self._engine) as connection:
            try:
                return queue.start(
                    connection, run, self._rules, values, None if lease_s is None else checked_lease(lease_s)
                )
            except NeverAdmissibleError as error:
                queue.give_up(connection, run, error)
                never = error
        raise never  # after the commit

    @persistent("taken out of the queue")
    def leave(self, run_id: int, lease_id: str, *, reason: str) -> Run:
        """Take a queued run out of the queue: it becomes ``cancelled``; if it has ended, nothing changes.

        Raises
        ------
        ConflictError
            It runs already, or the lease is not the run's.
        """
        values = {"this_run": checked_id(run_id), "shown_lease": lease_id, "reason": printable(reason)}
        with write(self._engine) as connection:
            row = connection.execute(statements.LEAVE, values).one_or_none()
            if row is not None:
                return run_of(row)
            run = get_run(connection, run_id)
        if run.status.is_final:
            return run
        raise lease_lost(run) if run.status is RunStatus.QUEUED else queue.why_not_started(run)

    def listening(self, location: str) -> AbstractContextManager[Pause]:
        """Give how to pause until it is worth asking ``start`` again."""
        return listening(self._engine, location)

    def record(
        self,
        request: RunRequest,
        *,
        status: RunStatus | str,
        start_time: datetime | None,
        end_time: datetime | None,
        reason: str | None = None,
        error: str | None = None,
        connection: Connection | None = None,
    ) -> Run:
        """Keep a run that has ended elsewhere already: it asked nobody for a place and takes none.

        Raises
        ------
        UsageError
            A status that is not final, a time without a zone, or a text that cannot be kept.
        """
        ended = checked_status(status, FINAL)
        values = values_of(request, location=request.location, factor=parse_factor(request.factor), status=ended)
        values |= {"start_time": start_time, "end_time": end_time}
        values |= {"status_reason": printable(reason), "error": printable(error)}
        with self._joined(connection) as joined:
            return run_of(joined.execute(statements.INSERT_ENDED, values).one())

    def _enter(
        self, request: RunRequest, lease_s: float | None, key: str | None, *, queue_lease_s: float | None
    ) -> Admission:
        factor = parse_factor(request.factor)
        location = request.location or self._rules.default_location
        values = values_of(request, location=location, factor=factor)
        if key is not None:
            values["idempotency_key"] = checked_text("idempotency_key", key, longest=LONGEST_NAME)
            if not key.strip():
                raise UsageError("an idempotency key is a text of yours, such as a CI job's id, and not empty")
        if lease_s is not None:
            lease_s = checked_lease(lease_s)
        wish = Wish(location=location, factor=factor, priority=request.priority or 0)
        entry = _Entry(request=request, wish=wish, values=values, lease_s=lease_s, queue_lease_s=queue_lease_s)
        return persistently(lambda in_doubt: self._decide(entry, in_doubt=in_doubt), "the run", "registered")

    def _decide(self, entry: _Entry, *, in_doubt: bool) -> Admission:
        values = dict(entry.values)
        with write(self._engine) as connection:
            held = hold(connection, entry.wish.location, self._rules)
            # only now: while the location is held, nobody else can use the key there, and an attempt
            # of our own whose commit was not answered is over
            earlier = _earlier_run(connection, values, in_doubt=in_doubt)
            if earlier is not None:
                return self._entered(connection, earlier, entry)
            refusal = refusal_of(entry.wish, held)
            if refusal is None:
                return Admission(run=_insert(connection, entry.request, values, entry.lease_s))
            if entry.queue_lease_s is not None and refusal.status is not LocationStatus.DRAINING:
                values["status"] = RunStatus.QUEUED.value
                return Admission(run=_insert(connection, entry.request, values, entry.queue_lease_s), refusal=refusal)
        raise CapacityError(refusal)  # after the commit, which keeps what was reaped

    def _entered(self, connection: Connection, run: Run, entry: _Entry) -> Admission:
        """Give a run that has come in before; one that waits asks for its turn."""
        if run.status is not RunStatus.QUEUED:
            return Admission(run=run)
        if entry.queue_lease_s is None:
            raise ConflictError(
                f"run {run.run_id} of this idempotency key waits in the queue and has not started: "
                f"wait for it, too, or cancel it"
            )
        values = {"this_run": run.run_id, "shown_lease": run.lease_id, "lease_s": entry.queue_lease_s}
        return queue.start(connection, run, self._rules, values, entry.lease_s)

    @contextmanager
    def _joined(self, connection: Connection | None) -> Iterator[Connection]:
        if connection is not None:
            yield connection
            return
        with write(self._engine) as own:
            yield own


def _insert(connection: Connection, request: RunRequest, values: dict[str, Any], lease_s: float | None) -> Run:
    insert, lease = statements.INSERT, {}
    if lease_s is not None:
        insert, lease = statements.INSERT_LEASED, {"lease_s": lease_s}
        values["lease_id"] = uuid4().hex
    if values["status"] == RunStatus.QUEUED:
        insert = statements.INSERT_QUEUED
    try:
        return inserted_run(request, values, connection.execute(insert, values | lease).one())
    except IntegrityError as error:  # the same key at another location, which another transaction held
        if constraint_of(error) != UNIQUE_KEY:
            raise
        raise _key_in_use(values["idempotency_key"]) from error


def _earlier_run(connection: Connection, values: dict[str, Any], *, in_doubt: bool) -> Run | None:
    """Give the run that came of this request before: by an attempt in doubt, or under the same key.

    Raises
    ------
    ConflictError
        The key was another request's.
        Or its run has ended: whoever registers again would take it for a place.
    RunCancelledError, LeaseLostError
        An attempt in doubt has queued it, and it has left the queue.
    """
    row = connection.execute(statements.GET_BY_ID, {"this_id": values["id"]}).one_or_none() if in_doubt else None
    key = values.get("idempotency_key")
    if row is None and key is not None:
        row = connection.execute(statements.GET_BY_KEY, {"this_key": key}).one_or_none()
        if row is not None and any(getattr(row, name) != values[name] for name in _SAME_REQUEST):
            raise _key_in_use(key)
    if row is None:
        return None
    run = run_of(row)
    if not run.status.is_final:
        return run
    if run.id == values["id"]:
        raise queue.why_not_started(run)
    if run.start_time is not None:
        raise ConflictError(
            f"run {run.run_id} was registered with the idempotency key {key!r} and ended as {run.status}: "
            f"give another key to run again"
        )
    connection.execute(statements.FREE_KEY, {"this_run": run.run_id})  # it never started: the key is as good as new
    return None


def _key_in_use(key: str) -> ConflictError:
    return ConflictError(f"the idempotency key {key!r} was used for another request: give each request its own")
