"""Waiting in the queue from the client's side: the same over a database and over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any, Protocol, TypeAlias

from ator_lib.errors import AtorError, CapacityError, ConflictError, StoreUnavailableError, UsageError
from ator_lib.model import Admission, Run, RunRequest, RunStatus, StatusReason
from ator_lib.registry.checks import LONGEST_LEASE_S

Pause: TypeAlias = Callable[[float], None]
"""Waits so many seconds, or less if something may have changed."""


class QueueDoor(Protocol):
    """What a registry, here or behind a server, offers to those who wait."""

    def enqueue(
        self,
        request: RunRequest,
        *,
        queue_lease_s: float,
        lease_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Admission:
        """See ``Admissions.enqueue``."""
        ...

    def start(self, run_id: int, lease_id: str, *, queue_lease_s: float, lease_s: float | None = None) -> Admission:
        """See ``Admissions.start``."""
        ...

    def leave(self, run_id: int, lease_id: str, *, reason: str) -> Run:
        """See ``Admissions.leave``."""
        ...

    def complete(
        self, run_id: int, status: RunStatus | str, *, reason: str | None = None, lease_id: str | None = None
    ) -> Run:
        """See ``Registry.complete``."""
        ...

    def listening(self, location: str) -> AbstractContextManager[Pause]:
        """Give how to pause until it is worth asking again."""
        ...


def register_waiting(
    door: QueueDoor,
    request: RunRequest,
    *,
    wait: float | bool,
    queue_lease_s: float,
    lease_s: float | None = None,
    idempotency_key: str | None = None,
    on_queued: Callable[[Admission], None] = lambda _: None,
) -> Run:
    """Register a run; while its location has no room, wait in its queue.

    Whatever ends the waiting early, an interrupt included, takes the run out of the queue.

    Parameters
    ----------
    wait
        Seconds, or ``True`` for as long as it takes.
    on_queued
        Told each time that the answer was to wait on.

    Raises
    ------
    CapacityError
        There was no room in time.
    RunCancelledError
        Somebody cancelled the run while it waited.
    NeverAdmissibleError, UsageError
        As for ``register``.
    """
    deadline = time.monotonic() + _checked_wait(wait)
    admission = door.enqueue(request, queue_lease_s=queue_lease_s, lease_s=lease_s, idempotency_key=idempotency_key)
    if admission.run.status is not RunStatus.QUEUED:
        return admission.run
    place = _Place(door, admission, queue_lease_s=queue_lease_s, lease_s=lease_s)
    try:
        place.wait_until(deadline, on_queued)
    except BaseException:
        place.leave(StatusReason.STOPPED_BY_USER)
        raise
    if place.is_queued:
        place.leave(StatusReason.QUEUE_TIMEOUT)
        raise place.no_room_within(wait)
    return place.admission.run


class _Place:
    """One client's place in a queue."""

    def __init__(self, door: QueueDoor, queued: Admission, *, queue_lease_s: float, lease_s: float | None) -> None:
        self.admission = queued
        self._door = door
        self._run_id = queued.run.run_id
        self._lease_id = str(queued.run.lease_id)
        self._queue_lease_s = queue_lease_s
        self._lease_s = lease_s
        self._is_answered = True

    @property
    def is_queued(self) -> bool:
        return self.admission.run.status is RunStatus.QUEUED

    def wait_until(self, deadline: float, on_queued: Callable[[Admission], None]) -> None:
        with self._door.listening(str(self.admission.run.location)) as pause:
            while self.is_queued:
                on_queued(self.admission)
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return
                pause(left_s)
                self._ask()

    def leave(self, reason: StatusReason) -> None:
        with suppress(AtorError):  # without the store the lease ends the waiting
            try:
                self._door.leave(self._run_id, self._lease_id, reason=reason)
            except ConflictError:
                if self._is_answered:  # another client with the same idempotency key has started it, and uses it
                    return
                lease_id = None if self._lease_s is None else self._lease_id
                self._door.complete(self._run_id, RunStatus.CANCELLED, reason=reason, lease_id=lease_id)

    def no_room_within(self, wait: float) -> CapacityError:
        assert self.admission.refusal is not None  # noqa: S101  # who is queued is told why
        error = CapacityError(self.admission.refusal)
        error.add_note(f"run {self._run_id} has left the queue: there was no room for it within {wait:g} s")
        return error

    def _ask(self) -> None:
        self._is_answered = False
        with suppress(StoreUnavailableError):  # its place is kept while the lease lasts; after that, the answer says so
            self.admission = self._door.start(
                self._run_id, self._lease_id, queue_lease_s=self._queue_lease_s, lease_s=self._lease_s
            )
            self._is_answered = True


def _checked_wait(wait: Any) -> float:
    if wait is True:
        return float("inf")
    if not isinstance(wait, int | float) or not 0 <= wait <= LONGEST_LEASE_S:
        raise UsageError(f"wait={wait!r} is not possible: give seconds, up to a year, or True for as long as it takes")
    return float(wait)
