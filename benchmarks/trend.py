"""A trend with change points over 10,000 runs of 20 endpoints, beside the bare SQL of the same values."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import uuid4

import numpy as np
from sqlalchemy import Engine, insert, text

import ator_lib as ator
from ator_lib import schema
from ator_lib.sql.engine import read, write
from ator_lib.sql.tables import ingests, summaries, test_executions
from benchmarks._report import report
from tests.support.postgres import running_server

RUNS = 10_000
ENDPOINTS = 20
CHANGED = 7
ROUNDS = 3
START = datetime(2020, 1, 1, tzinfo=UTC)
BARE = """
    SELECT s.run_id, s.name, s.method, s.p95_ms FROM summaries s
    WHERE s.scope = 'name' AND s.run_id IN (SELECT run_id FROM test_executions WHERE test = 'checkout')
"""


def fill(engine: Engine) -> None:
    """Add runs three hours apart with 3 % noise; some endpoints become slower by 30 %, each at a run of its own."""
    rng = np.random.default_rng(0)
    p95 = rng.uniform(5, 200, ENDPOINTS) * np.exp(rng.normal(0, 0.03, (RUNS, ENDPOINTS)))
    for endpoint in range(CHANGED):
        p95[rng.integers(RUNS // 4, 3 * RUNS // 4) :, endpoint] *= 1.3
    with write(engine) as connection:
        for table, rows in ((test_executions, _runs()), (ingests, _ingests()), (summaries, _summaries(p95))):
            connection.execute(insert(table), list(rows))
        if engine.dialect.name == "postgresql":  # autovacuum does it in a while
            connection.execute(text("ANALYZE"))


def _runs() -> Iterator[dict[str, Any]]:
    for number in range(1, RUNS + 1):
        status = "success" if number % 10 else "failure"
        known = {"test": "checkout", "status": status, "tool": "locust", "start_time": START + number * _APART}
        commit = {"git_commit": f"{number // 7:x}"}
        yield {"id": uuid4(), "run_id": number, "attributes": commit, **known}


_APART = timedelta(hours=3)


def _ingests() -> Iterator[dict[str, Any]]:
    known = {"created_at": START, "samples": 0, "truncated": False, "schema_version": schema.VERSION}
    return ({"ingest_id": f"i{number}", "run_id": number, **known} for number in range(1, RUNS + 1))


def _summaries(p95: Any) -> Iterator[dict[str, Any]]:
    known = {"requests": 1000, "failures": 0, "precision": schema.EXACT}
    for number, row in enumerate(p95.tolist(), start=1):
        owner = {"run_id": number, "ingest_id": f"i{number}"} | known
        yield {**owner, "scope": "total", "name": None, "method": None, "p95_ms": max(row)}
        for endpoint, value in enumerate(row):
            yield {**owner, "scope": "name", "name": f"/{endpoint}", "method": "GET", "p95_ms": value}


def measure(workspace: ator.Workspace, name: str) -> None:
    """Compare both, the best of some rounds; then the figure and the table."""
    bare, ours, cpu = [], [], []
    for _ in range(ROUNDS):
        begin = perf_counter()
        with read(workspace.parts.engine) as connection:
            assert len(connection.execute(text(BARE)).all()) == RUNS * ENDPOINTS
        bare.append(perf_counter() - begin)
        begin, worked = perf_counter(), process_time()
        trend = workspace.trend("checkout")
        ours.append(perf_counter() - begin)
        cpu.append(process_time() - worked)
        assert len(trend.changes) == CHANGED, trend.headline
    report(f"trend on {name}, s (peer: bare SQL of its values)", min(ours), min(bare), "a few seconds")
    begin = process_time()
    shown = len(trend.figure().to_json()) / 1e6
    drawn = process_time() - begin
    print(f"CPU of the trend {min(cpu):.2f} s, of its figure ({shown:.1f} MB) {drawn:.2f} s", flush=True)


def main() -> None:
    """Measure on both databases."""
    with tempfile.TemporaryDirectory() as folder, running_server() as postgres_url:
        for name, url in {"SQLite": None, "PostgreSQL": postgres_url}.items():
            workspace = ator.connect(Path(folder), database_url=url)
            fill(workspace.parts.engine)
            measure(workspace, name)
            workspace.parts.engine.dispose()


if __name__ == "__main__":
    main()
