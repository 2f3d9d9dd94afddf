"""A page of the history of 100,000 runs, beside the bare SQL of the same values; and 10,000 runs as a DataFrame."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, insert, text

import ator_lib as ator
from ator_lib.registry.registry import Registry
from ator_lib.registry.statements import RUN
from ator_lib.sql.engine import read, write
from ator_lib.sql.tables import test_executions
from benchmarks._report import report
from tests.support.postgres import running_server

RUNS = 100_000
FRAME = 10_000
PAGE = 100
ROUNDS = 40
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
COLUMNS = ", ".join(column.name for column in RUN)

SEARCHES: dict[str, tuple[Mapping[str, Any], str, dict[str, Any]]] = {
    "newest": ({}, "TRUE", {}),
    "test": ({"test": "test-7"}, "test = :test", {"test": "test-7"}),
    "stream with %": (
        {"stream": "Stream-1%"},
        "lower(stream) LIKE :stream",
        {"stream": "stream-1%"},
    ),
    "test, environment and status": (
        {"test": "test-7", "environment": "staging", "status": "failure"},
        "test = :test AND environment = :environment AND status = :status",
        {"test": "test-7", "environment": "staging", "status": "failure"},
    ),
    "two tests since a time": (
        {"test": ["test-7", "test-8"], "since": NOON + timedelta(minutes=RUNS / 2)},
        "test IN ('test-7', 'test-8') AND start_time >= :since",
        {"since": NOON + timedelta(minutes=RUNS / 2)},
    ),
    "attribute": (
        {"attributes": {"git_commit": "commit-7"}},
        "{attribute} = :commit",
        {"commit": "commit-7"},
    ),
}
"""What is searched for: by the registry, and by hand."""


def fill(engine: Engine) -> None:
    """Insert runs a minute apart, of fifty tests in twenty streams."""
    chance = random.Random(0)

    def row(number: int) -> dict[str, Any]:
        start = NOON + timedelta(minutes=number)
        return {
            "id": uuid4(),
            "repo": "shop",
            "stream": f"stream-{chance.randrange(20)}",
            "test": f"test-{chance.randrange(50)}",
            "type": "load",
            "environment": chance.choice(["staging", "production"]),
            "triggered_by": "benchmark",
            "status": chance.choice(["success", "success", "failure", "cancelled"]),
            "start_time": start,
            "end_time": start + timedelta(minutes=5),
            "factor": Decimal("0.4"),
            "location": f"lab-{chance.randrange(4)}",
            "tool": "locust",
            "attributes": {"git_commit": f"commit-{chance.randrange(200)}"},
        }

    with write(engine) as connection:
        connection.execute(insert(test_executions), [row(number) for number in range(RUNS)])
        if engine.dialect.name == "postgresql":  # autovacuum does it in a while
            connection.execute(text("ANALYZE"))


def by_hand(engine: Engine, condition: str, values: Mapping[str, Any]) -> Callable[[], int]:
    """Give the page by one statement, written once."""
    is_sqlite = engine.dialect.name == "sqlite"
    attribute = "json_extract(attributes, '$.git_commit')" if is_sqlite else "attributes ->> 'git_commit'"
    bound = {
        name: str(value)[:19] + ".000000" if is_sqlite and name == "since" else value for name, value in values.items()
    }
    where = condition.format(attribute=attribute)
    sql = f"SELECT {COLUMNS} FROM test_executions WHERE {where} ORDER BY run_id DESC LIMIT {PAGE}"
    statement = text(sql).columns(*RUN)  # the same values as ours: aware times, decimals, documents

    def page() -> int:
        with read(engine) as connection:
            return len(connection.execute(statement, bound).all())

    return page


def measure_pages(engine: Engine, name: str) -> None:
    """Compare each search, in alternation; the best rounds, as timeit does."""
    registry = Registry(engine)
    for search, (where, condition, values) in SEARCHES.items():
        peer = by_hand(engine, condition, values)

        def ours(where: Mapping[str, Any] = where) -> int:
            return len(registry.history(where, limit=PAGE).runs)

        assert ours() == peer() > 0
        pairs = [(milliseconds(ours), milliseconds(peer)) for _ in range(ROUNDS)]
        mine, theirs = (min(times) for times in zip(*pairs, strict=True))
        report(f"history on {name}: {search}, ms (peer: bare SQL)", mine, theirs, "ratio ≤ 3")


def milliseconds(action: Callable[[], object]) -> float:
    """Time one action."""
    begin = perf_counter()
    action()
    return (perf_counter() - begin) * 1000


def measure_frame(workspace: ator.Workspace, name: str) -> None:
    """Measure the CPU time of many runs as a DataFrame; the median of a few."""
    workspace.history(limit=FRAME)
    took = []
    for _ in range(5):
        begin = process_time()
        assert len(workspace.history(limit=FRAME)) == FRAME
        took.append(process_time() - begin)
    print(f"{FRAME:,} runs as a DataFrame on {name}: {sorted(took)[2]:.2f} s of CPU (target: < 1 s)", flush=True)


def main() -> None:
    """Measure on both databases."""
    with tempfile.TemporaryDirectory() as folder, running_server() as postgres_url:
        for name, url in {"SQLite": None, "PostgreSQL": postgres_url}.items():
            workspace = ator.connect(Path(folder), database_url=url)
            engine = workspace.parts.engine
            fill(engine)
            measure_pages(engine, name)
            measure_frame(workspace, name)
            engine.dispose()


if __name__ == "__main__":
    main()
