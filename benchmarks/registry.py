"""register + complete, beside the same insert and update by other means.

On SQLite the peer is bare SQLAlchemy Core, with the same engine, pragmas and BEGIN IMMEDIATE, the same table,
columns and indexes, and no admission: what is measured is what the location's row, the sum over live runs and
the records cost. On PostgreSQL it is psycopg by hand, with ``SELECT … FOR UPDATE`` on the location's row,
INSERT and UPDATE, from several processes at once.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import uuid4

import numpy as np
import psycopg
from psycopg.types.json import Json
from sqlalchemy import bindparam, insert, update

from ator_lib.model import LoadProfile, RunRequest
from ator_lib.registry.records import values_of
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import open_engine, upgrade, write
from ator_lib.sql.tables import test_executions
from ator_lib.sql.types import Clock
from benchmarks._report import report
from tests.support.postgres import running_server

ROUNDS = 60
RUNS_PER_ROUND = 20  # short turns: what else the machine does falls on both
CLIENTS = 4
TURNS = 6
SECONDS_PER_TURN = 1.0
FACTOR = Decimal("0.05")  # all clients fit in one location
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


_COLUMNS = (
    *("id", "repo", "lac", "stream", "test", "type", "environment", "triggered_by", "status", "factor"),
    *("location", "tool", "load_profile", "attributes"),
)
_VALUES = ", ".join(f"%({name})s" for name in _COLUMNS)
_INSERT = (
    f"INSERT INTO test_executions ({', '.join(_COLUMNS)}, start_time) VALUES ({_VALUES}, clock_timestamp()) "
    "RETURNING run_id"
)
_UPDATE = "UPDATE test_executions SET status = 'success', end_time = clock_timestamp() WHERE run_id = %s"


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


def measure_sqlite() -> None:
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


# --- PostgreSQL: several client processes at once ---


def by_hand(url: str, location: str) -> Callable[[], None]:
    """Take the location's row, insert, update: what somebody would write with psycopg alone."""
    connection = psycopg.connect(url)
    with connection.transaction():
        connection.execute("INSERT INTO locations (name) VALUES (%s) ON CONFLICT DO NOTHING", [location])

    def register_and_complete() -> None:
        values = values_of(REQUEST, location=location, factor=FACTOR)
        values |= {name: Json(values[name]) for name in ("load_profile", "attributes")}
        with connection.transaction():
            connection.execute("SELECT capacity FROM locations WHERE name = %s FOR UPDATE", [location])
            row = connection.execute(_INSERT, values).fetchone()
        with connection.transaction():
            connection.execute(_UPDATE, row)

    return register_and_complete


def through_registry(url: str, location: str) -> Callable[[], None]:
    """Do the same by the registry, which also sums what runs and looks who waits."""
    registry = Registry(open_engine(url))
    request = replace(REQUEST, location=location, factor=FACTOR)

    def register_and_complete() -> None:
        run = registry.register(request)
        registry.complete(run.run_id, "success")

    return register_and_complete


CONTENDERS = {"ours": through_registry, "peer": by_hand}


def client(url: str, number: int, orders: Connection) -> None:
    """Do what is ordered, for a second each time, and send back how long each pair took, in ms."""
    actions: dict[tuple[str, int], Callable[[], None]] = {}
    while (order := orders.recv()) is not None:
        contender, locations = order
        if order not in actions:
            actions[order] = CONTENDERS[contender](url, f"{contender}-{locations}-{number % locations}")
            actions[order]()  # warm
        took, end = [], perf_counter() + SECONDS_PER_TURN
        while (begin := perf_counter()) < end:
            actions[order]()
            took.append((perf_counter() - begin) * 1000)
        orders.send(took)


def measure_postgres(locations: int, clients: list[Connection]) -> None:
    """Let all clients do the one, then the other, in turns."""
    took: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for turn in range(TURNS + 1):
        for contender, times in took.items():
            for orders in clients:
                orders.send((contender, locations))
            answers = [time for orders in clients for time in orders.recv()]
            times += answers if turn else []  # the first one warms
    rates = {name: len(times) / TURNS / SECONDS_PER_TURN for name, times in took.items()}
    where = f"{len(clients)} processes on {locations} location{'s' if locations > 1 else ''}"
    name = f"register + complete on PostgreSQL, {where}, pairs/s (peer: psycopg by hand)"
    report(name, rates["ours"], rates["peer"], "ratio ≥ 0.5")
    for contender, times in took.items():
        p50, p99 = np.percentile(times, [50, 99])
        print(f"  {contender}: p50 {p50:.1f} ms, p99 {p99:.1f} ms", flush=True)


def clients_of(url: str, count: int) -> Iterator[Connection]:
    """Start so many client processes; they end with their orders."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ator_lib.registry.registry", "psycopg"])
    for number in range(count):
        orders, theirs = context.Pipe()
        context.Process(target=client, args=(url, number, theirs), daemon=True).start()
        yield orders


def main() -> None:
    """Measure on both databases."""
    measure_sqlite()
    with running_server() as url:
        engine = open_engine(url)
        upgrade(engine)
        engine.dispose()
        for locations, count in ((1, CLIENTS), (16, CLIENTS), (16, 16)):
            clients = list(clients_of(url, count))
            measure_postgres(locations, clients)
            for orders in clients:
                orders.send(None)


if __name__ == "__main__":
    main()
