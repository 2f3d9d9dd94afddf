from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from ator_lib.errors import CapacityError, ConflictError, LeaseLostError, UsageError
from ator_lib.model import Progress, Run, RunRequest, RunStatus
from ator_lib.registry.places import Rules
from ator_lib.registry.registry import Registry
from tests.registry.conftest import locations_of

Expire = Callable[[int], None]
WHOLE = RunRequest(factor=Decimal("0.9"), location="lab-1", test="checkout")


@pytest.fixture
def leased(registry: Registry) -> Run:
    """Register a run with a lease of a minute, which takes nearly all of lab-1."""
    return registry.register(WHOLE, lease_s=60)


def lease_of(run: Run) -> str:
    """Return the lease that a run holds."""
    assert run.lease_id is not None
    return run.lease_id


def assert_abandoned(run: Run) -> None:
    """Check what a run is after its lease was over."""
    assert (run.status, run.status_reason) == (RunStatus.ABANDONED, "lease_expired")
    assert run.end_time is not None
    assert (run.lease_id, run.lease_expires_at) == (None, None)


def test_a_lease_ends_by_the_databases_clock(leased: Run, registry: Registry) -> None:
    """It ends so many seconds after the start; the token is in no repr."""
    assert leased.start_time is not None
    assert leased.lease_expires_at is not None
    length = leased.lease_expires_at - leased.start_time
    assert timedelta(seconds=59.9) < length < timedelta(seconds=70)
    assert registry.get(leased.run_id) == leased
    assert lease_of(leased) not in repr(leased)


@pytest.mark.parametrize("lease_s", [0, -1, float("nan"), float("inf"), 1e12])
def test_impossible_leases(registry: Registry, leased: Run, lease_s: float) -> None:
    """A lease has some seconds, and not all of them."""
    with pytest.raises(UsageError, match="is not possible"):
        registry.register(RunRequest(), lease_s=lease_s)
    with pytest.raises(UsageError, match="is not possible"):
        registry.renew(leased.run_id, lease_of(leased), lease_s=lease_s)


def test_an_expired_lease_frees_its_factor_inside_the_next_admission(
    registry: Registry, leased: Run, expire: Expire
) -> None:
    """Nobody has to reap: the next one that asks gets the place."""
    with pytest.raises(CapacityError):
        registry.register(WHOLE)
    expire(leased.run_id)
    admitted = registry.register(WHOLE)
    assert admitted.status is RunStatus.RUNNING
    assert_abandoned(registry.get(leased.run_id))


def test_a_real_lease_ends_by_itself(registry: Registry) -> None:
    """Without renewing, the place is free when the seconds are over."""
    dead = registry.register(WHOLE, lease_s=0.05)
    for _ in range(10_000):
        try:
            registry.register(WHOLE)
            break
        except CapacityError:
            continue
    assert_abandoned(registry.get(dead.run_id))


def test_what_was_reaped_stays_reaped_when_the_request_is_refused(registry: Registry, expire: Expire) -> None:
    """A refusal does not bring an abandoned run back."""
    dead = registry.register(RunRequest(factor=Decimal("0.1"), location="lab-1"), lease_s=60)
    registry.register(RunRequest(factor=Decimal("0.8"), location="lab-1"))
    expire(dead.run_id)
    with pytest.raises(CapacityError) as caught:
        registry.register(WHOLE)
    assert caught.value.refusal.taken == Decimal("0.8")
    assert_abandoned(registry.get(dead.run_id))


def test_only_the_locations_own_runs_are_reaped_by_an_admission(
    registry: Registry, leased: Run, expire: Expire
) -> None:
    """Another location's dead run is left to its own next admission, or to ``running``."""
    expire(leased.run_id)
    registry.register(RunRequest(location="lab-2"), lease_s=60)
    assert registry.get(leased.run_id).status is RunStatus.RUNNING
    assert [run.location for run in registry.running()] == ["lab-2"]
    assert_abandoned(registry.get(leased.run_id))


def test_reap_returns_whom_it_abandoned(registry: Registry, leased: Run, expire: Expire) -> None:
    """Each dead run once; runs without a lease and with a living one are left."""
    registry.register(RunRequest(location="lab-2"))
    other = registry.register(RunRequest(location="lab-2"), lease_s=60)
    assert registry.reap() == []
    expire(leased.run_id)
    (reaped,) = registry.reap()
    assert_abandoned(reaped)
    assert reaped == registry.get(leased.run_id)
    assert registry.reap() == []
    assert registry.get(other.run_id) == other


def test_locations_show_what_the_next_admission_would_see(registry: Registry, leased: Run, expire: Expire) -> None:
    """A dead run is not shown as a holder."""
    (use,) = locations_of(registry)
    assert [(holder.run_id, holder.test, holder.factor) for holder in use.holders] == [
        (leased.run_id, "checkout", Decimal("0.9"))
    ]
    expire(leased.run_id)
    (use,) = locations_of(registry)
    assert (use.taken, use.free, use.holders) == (0, 1, ())


def test_a_supervised_run_is_not_reaped(engine: Engine, leased: Run, expire: Expire) -> None:
    """While its supervisor lives on this host, its tool may still be loading the location."""
    asked: list[Run] = []
    alive = True

    def is_supervised(run: Run) -> bool:
        asked.append(run)
        return alive

    registry = Registry(engine, Rules(is_supervised=is_supervised))
    assert registry.running() == [leased]
    assert asked == []  # a living lease needs no second opinion
    expire(leased.run_id)
    with pytest.raises(CapacityError):
        registry.register(WHOLE)
    assert registry.reap() == []
    assert [run.run_id for run in registry.running()] == [leased.run_id]
    assert {run.run_id for run in asked} == {leased.run_id}
    alive = False
    assert registry.register(WHOLE).status is RunStatus.RUNNING
    assert_abandoned(registry.get(leased.run_id))


def test_renewing_moves_the_end_and_keeps_the_progress(registry: Registry, leased: Run) -> None:
    """Live views read the progress of the last heartbeat; one without progress leaves it."""
    progress = Progress(elapsed_s=2.5, requests=10, failures=1, users=3, throughput_rps=4.0, p95_ms=float("nan"))
    renewed = registry.renew(leased.run_id, lease_of(leased), lease_s=600, progress=progress)
    assert renewed.lease_expires_at is not None
    assert leased.lease_expires_at is not None
    assert renewed.lease_expires_at - leased.lease_expires_at > timedelta(seconds=500)
    assert renewed.progress == Progress(elapsed_s=2.5, requests=10, failures=1, users=3, throughput_rps=4.0)
    assert registry.renew(leased.run_id, lease_of(leased), lease_s=600).progress == renewed.progress


def test_a_wrong_or_expired_lease_does_nothing(registry: Registry, leased: Run, expire: Expire) -> None:
    """The lease id is a fencing token: without it, or after its end, nothing is written."""

    def assert_fenced(lease_id: str) -> None:
        before = registry.get(leased.run_id)
        with pytest.raises(LeaseLostError, match=f"run {leased.run_id} does not hold"):
            registry.renew(leased.run_id, lease_id, lease_s=60)
        with pytest.raises(LeaseLostError, match="Its tool must be stopped"):
            registry.complete(leased.run_id, "success", lease_id=lease_id)
        assert registry.get(leased.run_id) == before

    assert_fenced("not the lease")
    expire(leased.run_id)
    assert_fenced(lease_of(leased))  # over, though nobody has reaped it yet
    registry.running()  # reaps
    assert_fenced(lease_of(leased))


def test_a_leased_run_ends_once(registry: Registry, leased: Run) -> None:
    """The executor's own retry is nothing new, and its lease is worth nothing after the end."""
    ended = registry.complete(leased.run_id, "success", lease_id=lease_of(leased))
    assert (ended.status, ended.lease_id, ended.lease_expires_at) == (RunStatus.SUCCESS, None, None)
    assert registry.complete(leased.run_id, "success", lease_id=lease_of(leased)) == ended
    with pytest.raises(LeaseLostError, match="it ended as success"):
        registry.renew(leased.run_id, lease_of(leased), lease_s=60)
    with pytest.raises(LeaseLostError):
        registry.complete(leased.run_id, "failure", lease_id=lease_of(leased))


def test_a_lease_shown_for_a_run_without_one(registry: Registry) -> None:
    """A token that the run never had does not complete it."""
    run = registry.register(RunRequest())
    with pytest.raises(LeaseLostError):
        registry.complete(run.run_id, "success", lease_id="made up")
    assert registry.get(run.run_id).status is RunStatus.RUNNING


def test_cancelling_a_leased_run_asks_its_executor(registry: Registry, leased: Run) -> None:
    """It stays running and holds its factor until the executor, which learns of it by renewing, completes it."""
    asked = registry.cancel(leased.run_id)
    assert asked.status is RunStatus.RUNNING
    assert asked.stop_requested_at is not None
    assert registry.cancel(leased.run_id).stop_requested_at == asked.stop_requested_at
    with pytest.raises(CapacityError):
        registry.register(WHOLE)
    assert registry.renew(leased.run_id, lease_of(leased), lease_s=60).stop_requested_at == asked.stop_requested_at
    ended = registry.complete(leased.run_id, "cancelled", reason="stopped_by_user", lease_id=lease_of(leased))
    assert ended.status is RunStatus.CANCELLED
    assert registry.cancel(leased.run_id) == ended
    registry.register(WHOLE)


def test_a_run_is_put_under_a_lease_later(registry: Registry) -> None:
    """A hand-registered run gets one when somebody starts to look after it; nobody else can take it over."""
    run = registry.register(WHOLE)
    held = registry.lease(run.run_id, lease_s=60)
    assert held.lease_expires_at is not None
    registry.renew(run.run_id, lease_of(held), lease_s=60)
    with pytest.raises(ConflictError, match="has one already"):
        registry.lease(run.run_id, lease_s=60)


def test_a_final_run_takes_no_lease(registry: Registry) -> None:
    """There is nothing left to look after."""
    run = registry.register(WHOLE)
    registry.complete(run.run_id, "success")
    with pytest.raises(ConflictError, match="it is success"):
        registry.lease(run.run_id, lease_s=60)


def test_people_complete_what_they_registered_under_a_lease(registry: Registry, leased: Run) -> None:
    """Without a tool there is no executor that would: the lease only bounds how long the place is held."""
    done = registry.complete(leased.run_id, "success")
    assert (done.status, done.lease_id) == (RunStatus.SUCCESS, None)


def test_a_run_whose_tool_is_executed_is_completed_by_its_executor(registry: Registry) -> None:
    """Anybody else is told to cancel it."""
    run = registry.register(RunRequest(tool="locust", location="lab-1"), lease_s=60)
    with pytest.raises(ConflictError, match="being executed; cancel it"):
        registry.complete(run.run_id, "success")
