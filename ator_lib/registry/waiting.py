"""Waiting in the queue from the client's side: the same over a database and over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Protocol

from ator_lib.errors import AtorError, CapacityError, ConflictError, StoreUnavailableError, UsageError
from ator_lib.model import Admission, Run, RunRequest, RunStatus, StatusReason

_LONGEST_WAIT_S = 366 * 24 * 3600


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

    def listening(self, location: str) -> AbstractContextManager[Callable[[float], None]]:
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
    queued = admission.run
    if queued.status is not RunStatus.QUEUED:
        return queued
    lease_id = str(queued.lease_id)
    try:
        with door.listening(str(queued.location)) as pause:
            while admission.run.status is RunStatus.QUEUED:
                on_queued(admission)
                if time.monotonic() >= deadline:
                    break
                pause(deadline - time.monotonic())
                admission = _asked_again(door, admission, lease_id, queue_lease_s, lease_s)
    except BaseException:
        _leave(door, queued.run_id, lease_id, StatusReason.STOPPED_BY_USER, is_leased=lease_s is not None)
        raise
    if admission.run.status is RunStatus.QUEUED:
        _leave(door, queued.run_id, lease_id, StatusReason.QUEUE_TIMEOUT, is_leased=lease_s is not None)
        assert admission.refusal is not None  # noqa: S101  # who is queued is told why
        error = CapacityError(admission.refusal)
        error.add_note(f"run {queued.run_id} has left the queue: there was no room for it within {wait:g} s")
        raise error
    return admission.run


def _asked_again(
    door: QueueDoor, waiting: Admission, lease_id: str, queue_lease_s: float, lease_s: float | None
) -> Admission:
    try:
        return door.start(waiting.run.run_id, lease_id, queue_lease_s=queue_lease_s, lease_s=lease_s)
    except StoreUnavailableError:  # its place is kept while the lease lasts; after that, the answer says so
        return waiting


def _leave(door: QueueDoor, run_id: int, lease_id: str, reason: StatusReason, *, is_leased: bool) -> None:
    with suppress(AtorError):  # without the store the lease ends the waiting
        try:
            door.leave(run_id, lease_id, reason=reason)
        except ConflictError:  # it was started, and the answer was lost or came too late: nobody uses its place
            door.complete(run_id, RunStatus.CANCELLED, reason=reason, lease_id=lease_id if is_leased else None)


def _checked_wait(wait: float | bool) -> float:
    if wait is True:
        return float("inf")
    if not 0 <= wait <= _LONGEST_WAIT_S:
        raise UsageError(f"wait={wait} is not possible: give seconds, up to a year, or True for as long as it takes")
    return float(wait)
