"""The database goes away in the middle: what may be done twice is done once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from ator_lib.errors import CapacityError, StoreUnavailableError
from ator_lib.model import Admission, Run, RunRequest, RunStatus
from ator_lib.registry.registry import Registry
from ator_lib.registry.waiting import register_waiting
from ator_lib.sql.engine import open_engine, read, upgrade, write
from tests.registry.conftest import locations_of
from tests.support.cut import Cut

REQUEST = RunRequest(factor=Decimal("0.6"), location="lab-1", test="checkout")
LEASE_S = 60.0


@pytest.fixture
def engine(cut: Cut) -> Iterator[Engine]:
    """Engine of a PostgreSQL that can be cut off; this room's other tests have one that cannot."""
    engine = open_engine(cut.url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the database to come back."""
    monkeypatch.setattr("ator_lib.sql.retry._FIRST_PAUSE_S", 1000.0)


def queued(registry: Registry) -> Run:
    """Queue a run that finds no room."""
    registry.register(REQUEST)
    return registry.enqueue(REQUEST, queue_lease_s=LEASE_S).run


def register(registry: Registry) -> Callable[[], Run]:
    return lambda: registry.register(REQUEST)


def register_leased(registry: Registry) -> Callable[[], Run]:
    return lambda: registry.register(REQUEST, lease_s=LEASE_S)


def register_with_a_key(registry: Registry) -> Callable[[], Run]:
    return lambda: registry.register(REQUEST, idempotency_key="job-7")


def enqueue(registry: Registry) -> Callable[[], Run]:
    registry.register(REQUEST)
    return lambda: registry.enqueue(REQUEST, queue_lease_s=LEASE_S).run


def leave(registry: Registry) -> Callable[[], Run]:
    run = queued(registry)
    return lambda: registry.leave(run.run_id, str(run.lease_id), reason="queue_timeout")


def complete(registry: Registry) -> Callable[[], Run]:
    run = registry.register(REQUEST, lease_s=LEASE_S)
    return lambda: registry.complete(run.run_id, "failure", error="odd", lease_id=run.lease_id)


def cancel(registry: Registry) -> Callable[[], Run]:
    run = registry.register(REQUEST)
    return lambda: registry.cancel(run.run_id)


def lease(registry: Registry) -> Callable[[], Run]:
    run = registry.register(REQUEST)
    return lambda: registry.lease(run.run_id, lease_s=LEASE_S)


def update(registry: Registry) -> Callable[[], Run]:
    run = registry.register(REQUEST)
    return lambda: registry.update(run.run_id, attributes={"ci": "job-7"}, add_tags=["nightly"])


ACTIONS = [register, register_leased, register_with_a_key, enqueue, leave, complete, cancel, lease, update]


@pytest.mark.parametrize("loss", [Cut.lose_commit, Cut.lose_answer])
@pytest.mark.parametrize("prepared", ACTIONS)
def test_a_connection_that_breaks_at_the_commit(
    cut: Cut, registry: Registry, prepared: Callable[[Registry], Callable[[], Run]], loss: Callable[[Cut], None]
) -> None:
    """Done or not, the caller gets the answer of having done it once, and there is one row for it."""
    action = prepared(registry)
    before = len(registry.history().runs)
    loss(cut)
    run = action()
    assert registry.get(run.run_id) == run
    expected = before + (prepared in (register, register_leased, register_with_a_key, enqueue))
    assert len(registry.history().runs) == expected


def test_a_queued_run_whose_entry_was_not_answered_says_why_it_waits(cut: Cut, registry: Registry) -> None:
    """The refusal is that of its place: it does not wait for itself."""
    holder = registry.register(REQUEST)
    cut.lose_answer()
    admission = registry.enqueue(REQUEST, queue_lease_s=LEASE_S)
    assert admission.run.status is RunStatus.QUEUED
    assert admission.refusal is not None
    assert [one.run_id for one in admission.refusal.holders] == [holder.run_id]
    assert admission.refusal.ahead == ()


@pytest.mark.usefixtures("impatient")
def test_the_error_says_that_nothing_was_registered(cut: Cut, registry: Registry) -> None:
    """The database stayed away before anything was committed."""
    cut.cut()
    with pytest.raises(StoreUnavailableError, match=r"^the run was not registered: PostgreSQL at .* cannot be used"):
        registry.register(REQUEST)
    cut.mend()
    assert registry.history().runs == ()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("loss", "rows"), [(Cut.lose_commit, 0), (Cut.lose_answer, 1)])
def test_the_error_says_that_nobody_knows(cut: Cut, registry: Registry, loss: Callable[..., None], rows: int) -> None:
    """The database stayed away since the commit: later, the history tells."""
    loss(cut, then_away=True)
    with pytest.raises(StoreUnavailableError, match=r"whether the run was registered is not known.*`ator history`"):
        registry.register(REQUEST)
    cut.mend()
    assert len(registry.history().runs) == rows


@pytest.mark.usefixtures("impatient")
def test_the_error_names_the_run(cut: Cut, registry: Registry) -> None:
    """Of a run that there is, its number; and what was asked can be asked again later."""
    run = registry.register(REQUEST)
    cut.lose_answer(then_away=True)
    with pytest.raises(StoreUnavailableError, match=f"whether run {run.run_id} was completed is not known"):
        registry.complete(run.run_id, "success")
    with pytest.raises(StoreUnavailableError, match=f"run {run.run_id} was not completed: PostgreSQL"):
        registry.complete(run.run_id, "success")
    cut.mend()
    assert registry.complete(run.run_id, "success").status is RunStatus.SUCCESS


def test_a_database_that_comes_back_is_waited_for(cut: Cut, registry: Registry) -> None:
    """A restart in the middle of a registration is not the caller's business."""
    cut.cut()
    back = threading.Timer(0.5, cut.mend)
    back.start()
    run = registry.register(REQUEST)
    back.join()
    assert registry.get(run.run_id) == run


def test_a_backend_that_was_shut_down_is_asked_again(cut: Cut, registry: Registry, engine: Engine) -> None:
    """The administrator's word is not the last one."""
    run = registry.register(REQUEST)
    admin = open_engine(cut.url)
    with write(admin) as connection:
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    assert registry.complete(run.run_id, "success").status is RunStatus.SUCCESS
    admin.dispose()


def test_the_callers_own_transaction_is_not_repeated(cut: Cut, registry: Registry, engine: Engine) -> None:
    """What else it wrote would be missing: it fails as a whole, and its owner decides."""
    run = registry.register(REQUEST)

    def end() -> None:
        with write(engine) as connection:
            connection.execute(text("SELECT 1"))
            cut.drop()
            registry.complete(run.run_id, "success", connection=connection)

    with pytest.raises(StoreUnavailableError) as caught:
        end()
    assert not caught.value.in_doubt
    assert registry.get(run.run_id) == run


def test_waiting_goes_on_through_an_outage(cut: Cut, registry: Registry, postgres_url: str) -> None:
    """The place in the queue is kept, and taken when the database is back and there is room."""
    holder = registry.register(REQUEST)
    elsewhere = Registry(open_engine(postgres_url))
    looks = 0

    def on_queued(_: Admission) -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            cut.cut()
        elif looks == 4:
            elsewhere.complete(holder.run_id, "success")
            cut.mend()

    run = register_waiting(registry, REQUEST, wait=60, queue_lease_s=LEASE_S, on_queued=on_queued)
    assert run.status is RunStatus.RUNNING
    assert looks >= 4


def test_without_a_connection_to_listen_on_one_looks(cut: Cut, registry: Registry) -> None:
    """There may be too many, or the database is away: waiting is no reason to fail."""
    registry.history()
    cut.cut()
    with registry.listening("lab-1") as pause:
        pause(0.01)


@pytest.mark.parametrize("lease_s", [None, LEASE_S])
def test_a_start_that_was_not_answered_in_time_leaves_nothing_behind(
    cut: Cut, registry: Registry, postgres_url: str, lease_s: float | None
) -> None:
    """The client gave up, as it never heard that its run had started: nobody would ever complete it."""
    holder = registry.register(REQUEST)
    elsewhere = Registry(open_engine(postgres_url))

    def on_queued(_: Admission) -> None:
        if elsewhere.get(holder.run_id).status is RunStatus.RUNNING:
            elsewhere.complete(holder.run_id, "success")
            cut.lose_answer(of=b"UPDATE test_executions")
        else:
            time.sleep(wait_s)  # until it is too late to ask again

    wait_s = 1.5
    with pytest.raises(CapacityError):
        register_waiting(registry, REQUEST, wait=wait_s, queue_lease_s=LEASE_S, lease_s=lease_s, on_queued=on_queued)
    last = registry.history(limit=1).runs[0]
    assert (last.status, last.status_reason) == (RunStatus.CANCELLED, "queue_timeout")
    assert last.start_time is not None
    assert [use.taken for use in locations_of(registry)] == [0]


def test_reads_do_not_wait(cut: Cut, engine: Engine) -> None:
    """Whoever looks all the time is told at once."""
    cut.cut()
    with pytest.raises(StoreUnavailableError, match="cannot be used"), read(engine) as connection:
        connection.execute(text("SELECT 1"))
