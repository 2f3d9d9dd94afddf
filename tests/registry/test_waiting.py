"""Clients that wait in a queue: killed, interrupted, woken, and never overtaken for ever."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from ator_lib.errors import CapacityError
from ator_lib.model import Admission, Run, RunRequest, RunStatus
from ator_lib.registry.registry import Registry
from ator_lib.registry.waiting import register_waiting
from ator_lib.sql import listening
from ator_lib.sql.engine import open_engine, read, upgrade
from tests.registry.conftest import locations_of

LEASE_S = 60.0
SHORT_LEASE_S = 1.0
PATIENCE_S = 60
PROJECT = Path(__file__).parents[2]

Wait = Callable[..., "Future[Run]"]
StartWaiter = Callable[..., "tuple[subprocess.Popen[str], int]"]


def asked(factor: str) -> RunRequest:
    """Make a request for lab-1."""
    return RunRequest(factor=Decimal(factor), location="lab-1")


@pytest.fixture
def holder(registry: Registry) -> Run:
    """Register a run that takes most of lab-1."""
    return registry.register(asked("0.6"))


@pytest.fixture
def wait(registry: Registry) -> Iterator[Wait]:
    """Let a thread wait in the queue of lab-1; returns when it is queued."""
    with ThreadPoolExecutor() as pool:

        def waiting(factor: str, on_queued: Callable[[Admission], None] = lambda _: None) -> Future[Run]:
            is_queued = threading.Event()

            def told(admission: Admission) -> None:
                is_queued.set()
                on_queued(admission)

            future = pool.submit(
                register_waiting, registry, asked(factor), wait=PATIENCE_S, queue_lease_s=LEASE_S, on_queued=told
            )
            assert is_queued.wait(PATIENCE_S)
            return future

        yield waiting


@pytest.fixture
def start_waiter(database_url: str) -> Iterator[StartWaiter]:
    """Start a process that waits in the queue of lab-1; returns it with its run's number."""
    started: list[subprocess.Popen[str]] = []

    def start(factor: str, lease_s: float) -> tuple[subprocess.Popen[str], int]:
        argv = [sys.executable, "-m", "tests.registry.waiter", database_url, factor, str(lease_s)]
        started.append(subprocess.Popen(argv, cwd=PROJECT, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout is not None
        return started[-1], int(started[-1].stdout.readline())

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_killed_client_loses_its_place_and_the_next_one_starts(
    registry: Registry, holder: Run, start_waiter: StartWaiter, wait: Wait
) -> None:
    """Not before its lease is over, and without anybody's help."""
    process, dead = start_waiter("0.9", SHORT_LEASE_S)
    process.kill()
    process.wait()
    lease_end = registry.get(dead).lease_expires_at
    following = wait("0.5")
    registry.complete(holder.run_id, "success")
    run = following.result(PATIENCE_S)
    assert run.start_time is not None
    assert lease_end is not None
    assert run.start_time >= lease_end
    ended = registry.get(dead)
    assert (ended.status, ended.status_reason, ended.start_time) == (RunStatus.ABANDONED, "lease_expired", None)


def test_a_living_client_keeps_its_place_for_longer_than_its_lease(
    registry: Registry, holder: Run, wait: Wait, start_waiter: StartWaiter
) -> None:
    """It asks again and again, which is all that it takes."""
    process, run_id = start_waiter("0.9", 4.0)
    first = registry.get(run_id).lease_expires_at
    deadline = time.monotonic() + PATIENCE_S
    while registry.get(run_id).lease_expires_at == first:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert registry.get(run_id).status is RunStatus.QUEUED
    registry.complete(holder.run_id, "success")
    assert process.wait(PATIENCE_S) == 0
    assert registry.get(run_id).status is RunStatus.RUNNING


def test_ctrl_c_leaves_the_queue(registry: Registry, holder: Run, start_waiter: StartWaiter) -> None:
    """The place is free for the next one at once."""
    process, run_id = start_waiter("0.9", LEASE_S)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=PATIENCE_S)[0].split()[-1] == "interrupted"
    left = registry.get(run_id)
    assert (left.status, left.status_reason) == (RunStatus.CANCELLED, "stopped_by_user")
    assert registry.queue() == []


def test_a_heavy_run_is_not_starved_by_light_ones(registry: Registry) -> None:
    """Whoever was registered after it had queued starts after it, however many come."""
    is_over = threading.Event()
    lights: list[int] = []

    def come_and_go() -> None:
        while not is_over.is_set():
            with suppress(CapacityError):
                run = registry.register(asked("0.1"))
                lights.append(run.run_id)
                time.sleep(0.005)
                registry.complete(run.run_id, "success")

    def come(more: int) -> None:
        enough, deadline = len(lights) + more, time.monotonic() + PATIENCE_S
        while len(lights) < enough:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    with ThreadPoolExecutor() as pool:
        streams = [pool.submit(come_and_go) for _ in range(3)]
        try:
            come(more=5)
            heavy = register_waiting(registry, asked("0.9"), wait=PATIENCE_S, queue_lease_s=LEASE_S)
            registry.complete(heavy.run_id, "success")
            come(more=5)
        finally:
            is_over.set()
        assert [stream.result(PATIENCE_S) for stream in streams] == [None] * 3
    assert heavy.start_time is not None
    later = [registry.get(run_id) for run_id in lights if run_id > heavy.run_id]
    assert later
    assert all(run.start_time is not None and run.start_time >= heavy.start_time for run in later)


def test_a_waiting_client_looks_about_once_a_second(
    engine: Engine, registry: Registry, holder: Run, statements: Callable[[], Any]
) -> None:
    """Where it is told, and four times on SQLite: what it asks the database is bounded by the time it waits."""
    looks = 0

    def on_queued(_: Admission) -> None:
        nonlocal looks
        looks += 1

    begin = time.monotonic()
    with statements() as seen, pytest.raises(CapacityError):
        register_waiting(registry, asked("0.5"), wait=2.5, queue_lease_s=LEASE_S, on_queued=on_queued)
    each_s = listening.LOOK_S if engine.dialect.name == "sqlite" else listening.TOLD_S
    assert looks <= (time.monotonic() - begin) / each_s + 2
    entering_and_leaving = 12
    assert len(seen) <= 4 * looks + entering_and_leaving


@pytest.fixture
def told_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks by himself: without a notice he waits for ever."""
    monkeypatch.setattr(listening, "TOLD_S", 3600.0)
    monkeypatch.setattr(listening, "LOOK_S", 3600.0)


@pytest.fixture
def on_postgres(postgres_url: str) -> Iterator[Registry]:
    """Return a registry on PostgreSQL, the only one that can tell."""
    engine = open_engine(postgres_url)
    upgrade(engine)
    yield Registry(engine)
    engine.dispose()


def listeners(registry: Registry) -> int:
    """Count the connections to the database that listen."""
    with read(registry._engine) as connection:
        count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        return int(connection.scalar(text(count)))


@pytest.mark.usefixtures("told_only")
@pytest.mark.parametrize("freed_by", ["complete", "cancel", "abandon", "leave", "capacity"])
def test_postgresql_tells_when_there_may_be_room(on_postgres: Registry, freed_by: str) -> None:
    """Whatever freed it; and afterwards nobody listens any more."""
    registry = on_postgres
    holder = registry.register(asked("0.6"), lease_s=LEASE_S if freed_by == "abandon" else None)
    queued = registry.enqueue(asked("0.9"), queue_lease_s=LEASE_S).run if freed_by == "leave" else None
    factor = "0.3" if queued else "0.5"

    def free(_: Admission) -> None:
        assert listeners(registry) == 1
        if freed_by == "complete":
            registry.complete(holder.run_id, "success")
        elif freed_by == "cancel":
            registry.cancel(holder.run_id)
        elif queued is not None:
            registry.leave(queued.run_id, str(queued.lease_id), reason="queue_timeout")
        elif freed_by == "capacity":
            change_capacity(registry)
        else:
            let_lapse(registry, holder)
            registry.reap()

    run = register_waiting(registry, asked(factor), wait=PATIENCE_S, queue_lease_s=LEASE_S, on_queued=free)
    assert run.status is RunStatus.RUNNING
    deadline = time.monotonic() + PATIENCE_S
    while listeners(registry):  # the server takes a moment to notice
        assert time.monotonic() < deadline
        time.sleep(0.02)


def change_capacity(registry: Registry) -> None:
    """Make room for two."""
    execute(registry, "UPDATE locations SET capacity = 2")


def let_lapse(registry: Registry, run: Run) -> None:
    """Let a run's lease have ended an hour ago."""
    execute(
        registry, f"UPDATE test_executions SET lease_expires_at = now() - interval '1 hour' WHERE run_id = {run.run_id}"
    )


def execute(registry: Registry, statement: str) -> None:
    """Do something behind the registry's back."""
    with registry._engine.begin() as connection:
        connection.execute(text(statement))


def test_a_notice_that_crosses_with_the_entry_is_made_up_for(engine: Engine, registry: Registry, holder: Run) -> None:
    """Freed between the refusal and the listening: the next look comes soon all the same."""
    queued = registry.enqueue(asked("0.5"), queue_lease_s=LEASE_S).run
    registry.complete(holder.run_id, "success")
    begin = time.monotonic()
    with registry.listening("lab-1") as pause:
        pause(3600)
    assert time.monotonic() - begin < PATIENCE_S
    assert registry.start(queued.run_id, str(queued.lease_id), queue_lease_s=LEASE_S).run.status is RunStatus.RUNNING


def test_a_listener_that_breaks_looks_instead(on_postgres: Registry) -> None:
    """The administrator ended its connection: it waits on, and starts."""
    registry = on_postgres
    holder = registry.register(asked("0.6"))
    looks = 0

    def end_the_listener(_: Admission) -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            of_listeners = "datname = current_database() AND query LIKE 'LISTEN%'"
            execute(registry, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {of_listeners}")
        elif looks == 3:
            registry.complete(holder.run_id, "success")

    run = register_waiting(registry, asked("0.5"), wait=PATIENCE_S, queue_lease_s=LEASE_S, on_queued=end_the_listener)
    assert run.status is RunStatus.RUNNING
    assert [use.taken for use in locations_of(registry)] == [Decimal("0.5")]
