"""Several real processes at one database at once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from ator_lib.errors import CapacityError, ConflictError
from ator_lib.model import RunRequest, RunStatus
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import open_engine, upgrade
from tests.registry.conftest import locations_of

RACERS = 8
SECONDS = 1.5
RACER = Path(__file__).with_name("racer.py")


def race(url: str, while_racing: Callable[[], None]) -> list[dict[str, Any]]:
    """Start all racers together, call a function over and over until they are done, return what they say."""
    racers = [
        subprocess.Popen(
            [sys.executable, str(RACER), url, str(SECONDS), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(RACERS)
    ]
    try:
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("\n")
            racer.stdin.flush()
        while any(racer.poll() is None for racer in racers):
            while_racing()
            time.sleep(0.005)  # the racers need the cores more
        return [json.loads(racer.communicate(timeout=60)[0]) for racer in racers]
    finally:
        for racer in racers:
            racer.kill()
            racer.wait()


def test_racing_processes_never_overfill_a_location(engine: Engine, database_url: str) -> None:
    """Eight processes with 0.3 each: never four at once, no run id twice, and nobody's status changes."""
    registry = Registry(engine)
    seen: list[int] = []

    def look() -> None:
        taken = [len(use.holders) for use in locations_of(registry)]
        seen.extend(taken)

    told = race(database_url, look)
    admitted = [run_id for racer in told for run_id in racer["admitted"]]
    registry.reap()
    runs = registry.history(limit=100_000).runs
    assert sorted(admitted) == sorted(run.run_id for run in runs)  # as many rows as admissions, each id once
    assert len(set(admitted)) == len(admitted) > RACERS
    assert sum(racer["refused"] for racer in told) > 0
    assert {run.status for run in runs} <= {RunStatus.SUCCESS, RunStatus.ABANDONED, RunStatus.RUNNING}
    assert max(seen) <= 3

    # the database's own times: an end comes before the start that it made room for
    steps = [(run.start_time, 1) for run in runs] + [(run.end_time, -1) for run in runs if run.end_time]
    at_once = most = 0
    for _, step in sorted(steps):
        at_once += step
        most = max(most, at_once)
    assert 2 <= most <= 3


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
