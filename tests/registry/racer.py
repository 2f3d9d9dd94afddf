"""The admission race: processes that register, wait, hold and complete as fast as they can, some of them killed.

``run_race`` races, ``check_race`` proves from the rows that nothing went wrong.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

from sqlalchemy import Engine, text

from ator_lib.errors import CapacityError, LeaseLostError
from ator_lib.model import Run, RunRequest, RunStatus
from ator_lib.registry.locations import Locations
from ator_lib.registry.registry import Registry
from ator_lib.registry.waiting import register_waiting
from ator_lib.sql.engine import open_engine

LOCATION = "lab-1"
FACTORS = [Decimal(text) for text in ("0.1", "0.2", "0.3", "0.5")]
LEASE_S = 2.0
LONGEST_HOLD_S = 0.01
PATIENCE_S = 120


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the racers told: the runs that each of them knew of, and who was killed."""

    told: dict[str, set[int]]
    killed: set[str]


def run_race(url: str, folder: Path, *, racers: int, seconds: float, seed: int = 0) -> Outcome:
    """Race on an upgraded database; every tenth racer, and one at least, is killed at a random moment."""
    chance = random.Random(seed)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # imports once, then forks: 64 of them are there in a second or two
    start = context.Barrier(racers + 1)
    processes: dict[str, BaseProcess] = {
        f"racer-{number}": context.Process(target=_race, args=(url, folder, seconds, number, start))
        for number in range(racers)
    }
    victims = {name: chance.uniform(0.1, 0.9) * seconds for name in list(processes)[: max(1, racers // 10)]}
    try:
        for process in processes.values():
            process.start()
        start.wait(PATIENCE_S)
        begin = time.monotonic()
        for name, moment in sorted(victims.items(), key=lambda victim: victim[1]):
            time.sleep(max(0.0, begin + moment - time.monotonic()))
            processes[name].kill()
        for name, process in processes.items():
            process.join(PATIENCE_S)
            assert process.exitcode == (-9 if name in victims else 0), f"{name} ended with {process.exitcode}"
    finally:
        for process in processes.values():
            if process.pid is not None:
                process.kill()
                process.join()
    told = {name: {int(line) for line in (folder / name).read_text().split("\n")[:-1]} for name in processes}
    return Outcome(told=told, killed=set(victims))


def check_race(engine: Engine, outcome: Outcome) -> Counter[RunStatus]:
    """Assert that nobody was admitted too much, lost or doubled, and that nothing is left behind."""
    registry = Registry(engine)
    _await_leases(registry)
    (use,) = Locations(engine, reap=registry.reap).list()
    assert (use.taken, use.waiting) == (0, ())
    runs = registry.history(limit=1_000_000).runs
    ids = [run.run_id for run in runs]
    assert len(set(ids)) == len(ids)
    for name, told in outcome.told.items():
        own = {run.run_id for run in runs if run.triggered_by == name}
        assert told <= own, f"{name} knew of runs that there are not"
        untold = own - told
        assert len(untold) <= (name in outcome.killed), f"{name} never heard of {untold}"  # the one it died in
    assert fullest(runs) < 1
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            assert connection.scalar(text(deadlocks)) == 0
    return Counter(run.status for run in runs)


def fullest(runs: Iterable[Run]) -> Decimal:
    """Give the highest sum of factors at any moment, by the database's own times."""
    steps = []
    for run in runs:
        if run.start_time is not None:
            assert run.end_time is not None
            steps += [(run.start_time, run.factor or Decimal(0)), (run.end_time, -(run.factor or Decimal(0)))]
    taken = most = Decimal(0)
    for _, step in sorted(steps):  # at one moment the ends come first: they made room for the starts
        taken += step
        most = max(most, taken)
    return most


def _await_leases(registry: Registry) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while registry.running() or registry.queue():
        assert time.monotonic() < deadline, "runs of the killed are still there"
        time.sleep(0.1)


def _race(url: str, folder: Path, seconds: float, number: int, start: Barrier) -> None:
    """Race for so many seconds; what it knows of is in its file before it goes on."""
    chance = random.Random(number)
    name = f"racer-{number}"
    engine = open_engine(url)
    registry = Registry(engine)
    registry.history(limit=1)
    with (folder / name).open("w", buffering=1) as told:
        start.wait(PATIENCE_S)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            _one_run(registry, name, chance, lambda run: print(run.run_id, file=told))
    engine.dispose()


def _one_run(registry: Registry, name: str, chance: random.Random, tell: Callable[[Run], object]) -> None:
    request = RunRequest(
        factor=chance.choice(FACTORS), location=LOCATION, triggered_by=name, priority=chance.choice([None, 1, 2])
    )
    is_patient = int(name.removeprefix("racer-")) % 3 == 0
    try:
        if is_patient and chance.random() < 0.2:
            run = register_waiting(
                registry,
                request,
                wait=chance.random(),
                queue_lease_s=LEASE_S,
                lease_s=LEASE_S,
                on_queued=lambda admission: tell(admission.run),
            )
        else:
            run = registry.register(request, lease_s=LEASE_S)
        tell(run)
        time.sleep(chance.random() * LONGEST_HOLD_S)
        registry.complete(run.run_id, "success", lease_id=run.lease_id)
    except (CapacityError, LeaseLostError):  # the latter where the machine stood still for longer than the lease
        return
