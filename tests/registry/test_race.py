"""Several real processes at one database at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, text

from ator_lib.errors import CapacityError, ConflictError
from ator_lib.model import RunRequest, RunStatus
from ator_lib.registry.baselines import Baselines
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import open_engine, upgrade, write
from tests.registry.conftest import locations_of
from tests.registry.racer import check_race, fullest, run_race

RACERS = 12
SECONDS = 2.0


def test_racing_processes_never_overfill_a_location(engine: Engine, database_url: str, tmp_path: Path) -> None:
    """A dozen processes with mixed factors, some waiting, one killed: never 1 at once, none lost, nothing left.

    ``benchmarks/race.py`` is the same with more of them.
    """
    engine.dispose()  # the racers have the connections
    outcome = run_race(database_url, tmp_path, racers=RACERS, seconds=SECONDS)
    statuses = check_race(engine, outcome)
    assert statuses[RunStatus.SUCCESS] > RACERS
    assert set(statuses) <= {RunStatus.SUCCESS, RunStatus.ABANDONED, RunStatus.CANCELLED}


def test_the_check_sees_what_a_broken_registry_would_leave(engine: Engine) -> None:
    """Two runs that overlap with 1 together are found by the recorded times; one after the other is none."""
    registry = Registry(engine)
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    half = RunRequest(factor=Decimal("0.5"), location="lab-1")

    def record(begin_s: float, end_s: float) -> None:
        times = {"start_time": noon + timedelta(seconds=begin_s), "end_time": noon + timedelta(seconds=end_s)}
        registry.record(half, status="success", **times)

    record(0, 10)
    record(10, 20)
    assert fullest(registry.history().runs) == Decimal("0.5")
    record(19.999, 30)
    assert fullest(registry.history().runs) == 1


def test_one_outcome_wins(engine: Engine, database_url: str) -> None:
    """Of several that end one run differently at once, one succeeds and the others are told."""
    run = Registry(engine).register(RunRequest())
    start = threading.Barrier(6)

    def end(status: str) -> str | None:
        own = open_engine(database_url)
        start.wait()
        try:
            return Registry(own).complete(run.run_id, status).status
        except ConflictError:
            return None
        finally:
            own.dispose()

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(end, ["success", "failure", "cancelled"] * 2))
    final = Registry(engine).get(run.run_id)
    assert [outcome for outcome in outcomes if outcome is not None] == [final.status] * 2


def test_merging_attributes_at_once_loses_none(engine: Engine) -> None:
    """Several writers' attributes are all there."""
    registry = Registry(engine)
    run = registry.register(RunRequest())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: registry.update(run.run_id, attributes={f"key-{n}": n}), range(40)))
    assert registry.get(run.run_id).attributes == {f"key-{n}": n for n in range(40)}


def test_a_new_location_is_made_once(engine: Engine) -> None:
    """Several first runs at a location that nobody knew share one row and its capacity."""
    registry = Registry(engine)
    start = threading.Barrier(4)

    def register(_: int) -> bool:
        start.wait()
        try:
            registry.register(RunRequest(factor="0.4", location="new"))  # type: ignore[arg-type]
        except CapacityError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(register, range(4))) == 2
    assert [(use.name, len(use.holders)) for use in locations_of(registry)] == [("new", 2)]


def test_a_location_made_meanwhile_is_held_before_it_is_looked_at(postgres_url: str) -> None:
    """Three first runs at a new location, each committed at the worst moment of another: two fit, the third waits.

    Only PostgreSQL has that moment: on SQLite the write lock is taken before the first statement.
    """
    engine = open_engine(postgres_url)
    upgrade(engine)
    other = Registry(open_engine(postgres_url))
    refused: list[CapacityError] = []

    def come_third() -> None:
        try:
            other.register(RunRequest(factor=Decimal("0.8"), location="new-lab"))
        except CapacityError as error:
            refused.append(error)

    third = threading.Thread(target=come_third)

    def overtake(*details: Any) -> None:
        statement = details[2]
        if "FOR UPDATE" in statement and not locations_of(other):
            other.register(RunRequest(factor=Decimal("0.1"), location="new-lab"))
        elif statement.startswith("SELECT") and "test_executions" in statement and third.ident is None:
            third.start()
            third.join(1)  # it waits for the row that is held; unheld, it would be through long before

    event.listen(engine, "after_cursor_execute", overtake)
    Registry(engine).register(RunRequest(factor=Decimal("0.8"), location="new-lab"))
    third.join()
    assert [use.taken for use in locations_of(other)] == [Decimal("0.9")]
    assert len(refused) == 1


def test_a_servers_default_isolation_changes_nothing(postgres_url: str) -> None:
    """Under ``repeatable read`` an admission would not see what was committed while it waited for the location."""
    engine = open_engine(postgres_url)
    upgrade(engine)
    with write(engine) as connection:
        name = engine.url.database
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'"))
    engine.dispose()
    registry = Registry(engine)

    def admitted(_: int) -> bool:
        try:
            registry.register(RunRequest(factor=Decimal("0.6"), location="lab-1"))
        except CapacityError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(admitted, range(12))) == 1
    engine.dispose()


def test_a_name_is_pinned_by_many_at_once(engine: Engine) -> None:
    """Each of them moves it; nobody meets an error."""
    registry, baselines = Registry(engine), Baselines(engine)
    runs = [registry.register(RunRequest()).run_id for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: baselines.pin("release", runs[number % 4]), range(40)))
    assert baselines.get("release").run_id in runs
