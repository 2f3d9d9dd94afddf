"""Histories of synthetic runs, written straight into the database: made up for the tests, measured by no tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, insert

from ator_lib import schema
from ator_lib.sql.engine import write
from ator_lib.sql.tables import ingests, summaries, test_executions

START = datetime(2026, 1, 1, tzinfo=UTC)


def add_history(engine: Engine, values: Sequence[float | None], **run: Any) -> list[int]:
    """Add a run a day with that p95, of an endpoint and of the whole run; gives their ids.

    ``run`` are columns of the runs: a value for all, or a list with one for each.
    """
    ids = []
    for number, value in enumerate(values):
        given = {name: known[number] if isinstance(known, list) else known for name, known in run.items()}
        ids.append(add_run(engine, {("/a", "GET"): value, (None, None): value}, number, **given))
    return ids


def add_run(
    engine: Engine, p95_ms: Mapping[tuple[str | None, str | None], float | None], number: int = 0, **run: Any
) -> int:
    """Add a run that began so many days after ``START``, with results of these names and methods; gives its id."""
    began = START + timedelta(days=number)
    known = {"id": uuid4(), "status": "success", "test": "checkout", "start_time": began, "tool": "locust"}
    with write(engine) as connection:
        added = insert(test_executions).values(**{**known, **run}).returning(test_executions.c.run_id)
        run_id = connection.execute(added).scalar_one()
        ingest = {"ingest_id": f"i{run_id}", "run_id": run_id, "created_at": began, "samples": 0, "truncated": False}
        connection.execute(insert(ingests).values(**ingest, schema_version=schema.VERSION, tool_version="2.47"))
        rows = [_summary(run_id, name, method, value) for (name, method), value in p95_ms.items()]
        if rows:
            connection.execute(insert(summaries), rows)
    return run_id


def _summary(run_id: int, name: str | None, method: str | None, value: float | None) -> dict[str, Any]:
    latencies = dict.fromkeys(("mean_ms", "p50_ms", "p95_ms", "p99_ms"), value)
    scope = "total" if name is None else "name"
    counts = {"requests": 100, "failures": 0, "precision": schema.EXACT}
    return (
        {"run_id": run_id, "ingest_id": f"i{run_id}", "scope": scope, "name": name, "method": method}
        | counts
        | latencies
    )
