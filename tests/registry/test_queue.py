from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from ator_lib.errors import (
    CapacityError,
    ConflictError,
    LeaseLostError,
    NeverAdmissibleError,
    RunCancelledError,
    UsageError,
)
from ator_lib.model import Admission, Run, RunRequest, RunStatus
from ator_lib.registry.locations import Locations
from ator_lib.registry.registry import Registry
from ator_lib.registry.waiting import register_waiting
from ator_lib.sql.engine import write

Expire = Callable[[int], None]
LEASE_S = 60


def asked(factor: str, **more: Any) -> RunRequest:
    """Make a request for lab-1."""
    return RunRequest(factor=Decimal(factor), location="lab-1", **more)


def queued(registry: Registry, factor: str, **more: Any) -> Run:
    """Put a run into the queue of lab-1, which has no room for it."""
    run = registry.enqueue(asked(factor, **more), queue_lease_s=LEASE_S).run
    assert run.status is RunStatus.QUEUED
    return run


def ask_again(registry: Registry, run: Run, lease_s: float | None = None) -> Admission:
    """Ask for a queued run whether its turn has come."""
    assert run.lease_id is not None
    return registry.start(run.run_id, run.lease_id, queue_lease_s=LEASE_S, lease_s=lease_s)


@pytest.fixture
def holder(registry: Registry) -> Run:
    """Register a run that takes most of lab-1."""
    return registry.register(asked("0.6", test="holder"))


def test_with_room_nobody_queues(registry: Registry) -> None:
    """The run starts at once, without a lease unless it asked for one."""
    admission = registry.enqueue(asked("0.6"), queue_lease_s=LEASE_S)
    assert (admission.run.status, admission.run.lease_id, admission.refusal) == (RunStatus.RUNNING, None, None)


def test_a_queued_run_takes_nothing_and_starts_when_there_is_room(registry: Registry, holder: Run) -> None:
    """It keeps its place by a lease, and drops it when it starts."""
    run = queued(registry, "0.5")
    assert (run.start_time, run.end_time) == (None, None)
    assert run.queued_at is not None
    assert run.lease_id is not None
    assert registry.running() == [registry.get(holder.run_id)]
    refusal = ask_again(registry, run).refusal
    assert refusal is not None
    assert (refusal.taken, refusal.requested, refusal.limit) == (Decimal("0.6"), Decimal("0.5"), 1)
    registry.complete(holder.run_id, "success")
    started = ask_again(registry, run).run
    assert (started.status, started.lease_id) == (RunStatus.RUNNING, None)
    assert started.start_time is not None
    assert started.start_time >= run.queued_at
    assert ask_again(registry, run).run == started  # the answer was lost: asking again does no harm


def test_a_leased_run_keeps_its_lease_id_when_it_starts(registry: Registry, holder: Run) -> None:
    """The fencing token that the client has is the one that its tool runs under."""
    run = queued(registry, "0.5")
    registry.cancel(holder.run_id)
    started = ask_again(registry, run, lease_s=30).run
    assert started.lease_id == run.lease_id
    registry.renew(started.run_id, str(run.lease_id), lease_s=30)


def test_who_comes_first_goes_first(registry: Registry, holder: Run) -> None:
    """A light run that would fit does not overtake a heavy one: the head's place is reserved."""
    heavy, light = queued(registry, "0.9"), queued(registry, "0.1")
    refusal = ask_again(registry, light).refusal
    assert refusal is not None
    assert [ahead.run_id for ahead in refusal.ahead] == [heavy.run_id]
    with pytest.raises(CapacityError, match=r"others waiting first: run 2 .* Wait in the queue too"):
        registry.register(asked("0.1"))
    registry.complete(holder.run_id, "success")
    assert ask_again(registry, light).run.status is RunStatus.QUEUED
    assert ask_again(registry, heavy).run.status is RunStatus.RUNNING


def test_those_who_fit_together_start_together(registry: Registry, holder: Run) -> None:
    """A place that is reserved for those ahead and still leaves room is no reason to wait."""
    first, second = queued(registry, "0.5"), queued(registry, "0.4")
    registry.complete(holder.run_id, "success")
    assert ask_again(registry, second).run.status is RunStatus.RUNNING
    assert ask_again(registry, first).run.status is RunStatus.RUNNING


def test_a_run_that_takes_nothing_waits_for_nobody(registry: Registry, holder: Run) -> None:
    """It cannot delay anybody either."""
    queued(registry, "0.9")
    assert registry.register(RunRequest(location="lab-1")).status is RunStatus.RUNNING


def test_priority_goes_before_arrival(registry: Registry, holder: Run) -> None:
    """In the queue, and for somebody who does not wait."""
    low, none = queued(registry, "0.5", priority=-1), queued(registry, "0.5")
    high, same = queued(registry, "0.5", priority=7), queued(registry, "0.5", priority=7)
    assert [place.run.run_id for place in registry.queue()] == [run.run_id for run in (high, same, none, low)]
    with pytest.raises(CapacityError):
        registry.register(asked("0.2", priority=7))
    assert registry.register(asked("0.2", priority=8)).status is RunStatus.RUNNING


def test_a_client_that_does_not_ask_loses_its_place(registry: Registry, holder: Run, expire: Expire) -> None:
    """Its run is abandoned by whoever comes next, and the ones behind it move up."""
    dead, alive = queued(registry, "0.9"), queued(registry, "0.3")
    expire(dead.run_id)
    assert ask_again(registry, alive).run.status is RunStatus.RUNNING
    assert registry.get(dead.run_id).status is RunStatus.ABANDONED
    with pytest.raises(LeaseLostError):
        ask_again(registry, dead)


def test_asking_renews_the_place_without_writing_each_time(
    registry: Registry, holder: Run, expire: Expire, statements: Callable[[], Any], engine: Engine
) -> None:
    """A look only reads while most of the lease is left."""
    run = queued(registry, "0.5")
    with statements() as seen:
        ask_again(registry, run)
    assert not any(statement.startswith("UPDATE") or "FOR UPDATE" in statement for statement in seen)
    with write(engine) as connection:
        soon = "strftime('%Y-%m-%d %H:%M:%f000', 'now', '+5 seconds')"
        soon = soon if engine.dialect.name == "sqlite" else "now() + interval '5 seconds'"
        connection.execute(text(f"UPDATE test_executions SET lease_expires_at = {soon} WHERE run_id = {run.run_id}"))
    renewed = ask_again(registry, run).run
    assert renewed.lease_expires_at is not None
    assert run.lease_expires_at is not None
    assert renewed.lease_expires_at >= run.lease_expires_at


def test_leaving_and_cancelling(registry: Registry, holder: Run) -> None:
    """Both end the waiting; who asks on afterwards is told."""
    left, cancelled = queued(registry, "0.5"), queued(registry, "0.5")
    gone = registry.leave(left.run_id, str(left.lease_id), reason="queue_timeout")
    assert (gone.status, gone.status_reason, gone.start_time) == (RunStatus.CANCELLED, "queue_timeout", None)
    assert registry.leave(left.run_id, str(left.lease_id), reason="again") == gone
    with pytest.raises(LeaseLostError):
        registry.leave(cancelled.run_id, "another", reason="x")
    registry.cancel(cancelled.run_id)
    with pytest.raises(RunCancelledError, match=r"run 3 was cancelled while it waited \(stopped_by_user\)"):
        ask_again(registry, cancelled)
    with pytest.raises(ConflictError, match="does not wait in a queue: it is running"):
        registry.leave(holder.run_id, "x", reason="x")
    assert registry.queue() == []


def test_a_lowered_capacity_ends_hopeless_waiting(registry: Registry, locations: Locations, holder: Run) -> None:
    """What runs goes on, new ones wait, and who can never start is told so."""
    light, heavy = queued(registry, "0.45"), queued(registry, "0.9")
    use = locations.change("lab-1", capacity="0.5")
    assert (use.taken, use.free) == (Decimal("0.6"), 0)
    assert registry.get(holder.run_id).status is RunStatus.RUNNING
    assert ask_again(registry, light).run.status is RunStatus.QUEUED
    with pytest.raises(NeverAdmissibleError, match=r"below the capacity of 0\.5"):
        ask_again(registry, heavy)
    assert (registry.get(heavy.run_id).status_reason, len(registry.queue())) == ("never_admissible", 1)
    registry.complete(holder.run_id, "success")
    assert ask_again(registry, light).run.status is RunStatus.RUNNING


def test_a_draining_location_empties(registry: Registry, locations: Locations, holder: Run) -> None:
    """Who waits already may start, who comes now may not even wait."""
    waiting = queued(registry, "0.5")
    locations.change("lab-1", status="draining")
    for enter in (registry.register, lambda request: registry.enqueue(request, queue_lease_s=LEASE_S)):
        with pytest.raises(CapacityError, match="is draining and lets no new run start"):
            enter(asked("0.1"))
    registry.complete(holder.run_id, "success")
    assert ask_again(registry, waiting).run.status is RunStatus.RUNNING


def test_nobody_starts_at_an_offline_location(registry: Registry, locations: Locations, holder: Run) -> None:
    """They wait until it is online again."""
    locations.change("lab-1", status="offline")
    waiting = queued(registry, "0.1")
    assert ask_again(registry, waiting).run.status is RunStatus.QUEUED
    (place,) = registry.queue()
    assert (place.estimated_start, place.estimate_note) == (None, "lab-1 is offline")
    locations.change("lab-1", status="online")
    assert ask_again(registry, waiting).run.status is RunStatus.RUNNING
    assert registry.get(holder.run_id).status is RunStatus.RUNNING


def test_places_say_whom_a_run_waits_for_and_when_it_may_start(registry: Registry, engine: Engine, holder: Run) -> None:
    """By the median of earlier runs; without history nobody guesses."""
    first, second = queued(registry, "0.9", test="checkout"), queued(registry, "0.9", test="search")
    places = registry.queue("lab-1")
    assert [place.position for place in places] == [1, 2]
    assert [[h.run_id for h in place.waits_for] for place in places] == [[holder.run_id], [holder.run_id, first.run_id]]
    assert [place.estimated_start for place in places] == [None, None]
    assert places[1].estimate_note == "no history of 'holder', 'checkout'"
    for test, minutes in (("holder", 30), ("checkout", 10), ("checkout", 50), ("checkout", 10)):
        ended = registry.register(RunRequest(test=test, location="elsewhere"))
        registry.complete(ended.run_id, "success")
        with write(engine) as connection:
            start, end = "2026-01-01 00:00:00.000000", f"2026-01-01 00:{minutes}:00.000000"
            statement = (
                f"UPDATE test_executions SET start_time = '{start}', end_time = '{end}' WHERE run_id = {ended.run_id}"
            )
            connection.execute(text(statement))
    places = registry.queue()
    assert holder.start_time is not None
    waits = [(place.estimated_start - holder.start_time).total_seconds() for place in places if place.estimated_start]
    assert waits == pytest.approx([30 * 60, 40 * 60], abs=30)
    assert places[1].estimate_note == "by the last runs: 1 of 'holder', 3 of 'checkout'"
    assert second.run_id == places[1].run.run_id


def test_queues_of_locations_are_apart(registry: Registry, holder: Run) -> None:
    """A full lab-1 stops nobody at lab-2."""
    queued(registry, "0.9")
    other = registry.enqueue(RunRequest(factor=Decimal("0.9"), location="lab-2"), queue_lease_s=LEASE_S)
    assert other.run.status is RunStatus.RUNNING
    assert registry.queue("lab-2") == []
    assert registry.queue("nowhere") == []


# --- waiting clients ---


def test_waiting_ends_with_the_start(registry: Registry, holder: Run) -> None:
    """As soon as the place is free."""
    waits = threading.Event()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(
            register_waiting,
            registry,
            asked("0.5"),
            wait=True,
            queue_lease_s=LEASE_S,
            on_queued=lambda _: waits.set(),
        )
        assert waits.wait(30)
        assert waiting.running()
        registry.complete(holder.run_id, "success")
        assert waiting.result(30).status is RunStatus.RUNNING


def test_waiting_has_an_end(registry: Registry, holder: Run) -> None:
    """Then the refusal is what anybody would get, and the run has left the queue."""
    with pytest.raises(CapacityError) as refused:
        register_waiting(registry, asked("0.5"), wait=0.3, queue_lease_s=LEASE_S)
    assert refused.value.refusal.holders[0].run_id == holder.run_id
    assert registry.queue() == []
    (run, _) = registry.history().runs
    assert (run.status, run.status_reason) == (RunStatus.CANCELLED, "queue_timeout")
    for odd in (-1, float("nan"), 1e12, "5"):
        with pytest.raises(UsageError, match="is not possible"):
            register_waiting(registry, asked("0.5"), wait=odd, queue_lease_s=LEASE_S)


def test_an_interrupt_leaves_the_queue(registry: Registry, holder: Run) -> None:
    """So does any other error of the waiting client."""

    def interrupt(_: Admission) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        register_waiting(registry, asked("0.5"), wait=True, queue_lease_s=LEASE_S, on_queued=interrupt)
    assert registry.queue() == []


def test_a_waiting_run_that_is_cancelled(registry: Registry, holder: Run) -> None:
    """The client is told, and nothing runs."""

    def cancel(admission: Admission) -> None:
        with suppress(ConflictError):
            registry.cancel(admission.run.run_id)

    with pytest.raises(RunCancelledError):
        register_waiting(registry, asked("0.5"), wait=True, queue_lease_s=LEASE_S, on_queued=cancel)


# --- idempotency keys ---


def test_a_key_registers_once(registry: Registry) -> None:
    """The same request gives the same run, also when the place is taken by then; another request is refused."""
    run = registry.register(asked("0.9"), lease_s=60, idempotency_key="job-1")
    assert registry.register(asked("0.9"), lease_s=60, idempotency_key="job-1") == run
    assert registry.enqueue(asked("0.9"), queue_lease_s=60, idempotency_key="job-1").run == run
    with pytest.raises(ConflictError, match="the idempotency key 'job-1' was used for another request"):
        registry.register(asked("0.1"), idempotency_key="job-1")
    with pytest.raises(ConflictError, match="idempotency key"):
        registry.register(RunRequest(location="lab-2"), idempotency_key="job-1")
    registry.complete(run.run_id, "success", lease_id=run.lease_id)
    with pytest.raises(ConflictError, match="and ended as success: give another key to run again"):
        registry.register(asked("0.9"), idempotency_key="job-1")  # or its client would run without a place
    assert len(registry.history().runs) == 1


def test_a_key_finds_its_run_whatever_became_of_the_location(registry: Registry, locations: Locations) -> None:
    """A run that has its place is not told that it could never have it."""
    run = registry.register(asked("0.9"), idempotency_key="job-1")
    locations.change("lab-1", capacity="0.5", status="offline")
    assert registry.register(asked("0.9"), idempotency_key="job-1").run_id == run.run_id


def test_a_key_whose_run_waits(registry: Registry, holder: Run) -> None:
    """Who does not wait, too, is not told that it may start; once it has left the queue, the key is free again."""
    waiting = registry.enqueue(asked("0.5"), queue_lease_s=LEASE_S, idempotency_key="job-1").run
    with pytest.raises(ConflictError, match="waits in the queue and has not started"):
        registry.register(asked("0.5"), idempotency_key="job-1")
    again = registry.enqueue(asked("0.5"), queue_lease_s=LEASE_S, idempotency_key="job-1")
    assert (again.run.run_id, again.refusal is None) == (waiting.run_id, False)
    registry.leave(waiting.run_id, str(waiting.lease_id), reason="queue_timeout")
    registry.complete(holder.run_id, "success")
    run = registry.register(asked("0.5"), idempotency_key="job-1")
    assert (run.status, run.run_id) == (RunStatus.RUNNING, waiting.run_id + 1)


def test_an_interrupted_client_leaves_anothers_run_alone(registry: Registry, holder: Run) -> None:
    """Two wait with one key: the one that gives up does not end what the other has started."""

    def started_by_the_other(admission: Admission) -> None:
        registry.complete(holder.run_id, "success")
        assert ask_again(registry, admission.run).run.status is RunStatus.RUNNING
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        register_waiting(
            registry,
            asked("0.5"),
            wait=True,
            queue_lease_s=LEASE_S,
            idempotency_key="job-1",
            on_queued=started_by_the_other,
        )
    assert registry.running()[0].factor == Decimal("0.5")


@pytest.mark.parametrize("lease_s", [0, -1, float("nan")])
def test_an_impossible_lease_is_told_before_the_waiting(registry: Registry, holder: Run, lease_s: float) -> None:
    """And before a full location is."""
    with pytest.raises(UsageError, match="is not possible"):
        registry.register(asked("0.5"), lease_s=lease_s)
    with pytest.raises(UsageError, match="is not possible"):
        registry.enqueue(asked("0.5"), queue_lease_s=LEASE_S, lease_s=lease_s)


def test_a_key_registers_once_also_at_the_same_moment(registry: Registry) -> None:
    """Many clients with one key get one run."""
    with ThreadPoolExecutor(8) as pool:
        runs = list(
            pool.map(lambda _: registry.register(asked("0.9", test="t"), idempotency_key="job-1").run_id, range(16))
        )
    assert len(set(runs)) == 1
