"""register + complete on SQLite, beside the same insert and update through bare SQLAlchemy Core.

The peer has the same engine, pragmas and BEGIN IMMEDIATE, the same table, columns and indexes, and no
admission: what is measured is what the location's row, the sum over live runs and the records cost.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, insert, update

from ator_lib.model import LoadProfile, RunRequest
from ator_lib.registry.records import values_of
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import open_engine, upgrade, write
from ator_lib.sql.tables import test_executions
from ator_lib.sql.types import Clock
from benchmarks._report import report

ROUNDS = 60
RUNS_PER_ROUND = 20  # short turns: what else the machine does falls on both
REQUEST = RunRequest(
    repo="shop",
    lac="web",
    stream="main",
    test="checkout",
    type="load",
    environment="staging",
    triggered_by="benchmark",
    factor=Decimal("0.4"),
    location="lab-1",
    tool="locust",
    load_profile=LoadProfile(users=50, spawn_rate=10, run_time_s=120),
    attributes={"git_commit": "0" * 40},
)


def ours(registry: Registry) -> None:
    """Register and complete one run."""
    run = registry.register(REQUEST)
    registry.complete(run.run_id, "success")


def bare(engine: Any) -> Callable[[], None]:
    """Make the same two statements, each built once, in the same two transactions."""
    starting = insert(test_executions).values(start_time=Clock()).returning(test_executions.c.run_id)
    ending = (
        update(test_executions)
        .where(test_executions.c.run_id == bindparam("this_run"))
        .values(end_time=Clock(), status="success")
    )

    def register_and_complete() -> None:
        values = values_of(REQUEST, location="lab-1", factor=REQUEST.factor) | {"id": uuid4()}
        with write(engine) as connection:
            run_id = connection.scalar(starting, values)
        with write(engine) as connection:
            connection.execute(ending, {"this_run": run_id})

    return register_and_complete


def seconds_each(action: Callable[[], None]) -> float:
    """Time one action, in seconds, over a round of them."""
    begin = perf_counter()
    for _ in range(RUNS_PER_ROUND):
        action()
    return (perf_counter() - begin) / RUNS_PER_ROUND


def main() -> None:
    """Measure in alternation, each on a database of its own, and print the best rounds, as timeit does."""
    with tempfile.TemporaryDirectory() as folder:
        engines = [open_engine(Path(folder) / name) for name in ("ours.db", "bare.db")]
        for engine in engines:
            upgrade(engine)
        registry, peer = Registry(engines[0]), bare(engines[1])
        seconds_each(lambda: ours(registry))  # warm both
        seconds_each(peer)
        pairs = [(seconds_each(lambda: ours(registry)), seconds_each(peer)) for _ in range(ROUNDS)]
        for engine in engines:
            engine.dispose()
    mine, theirs = (min(times) * 1000 for times in zip(*pairs, strict=True))
    report("register + complete on SQLite, ms (peer: bare SQLAlchemy Core)", mine, theirs, "ratio ≤ 2")


if __name__ == "__main__":
    main()
