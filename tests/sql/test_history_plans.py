"""The history's own statement uses the indexes that were made for it: EXPLAIN at 20,000 runs."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, insert

from ator_lib.registry.pages import Paging
from ator_lib.sql.engine import read, write
from ator_lib.sql.tables import test_executions

RUNS = 20_000
VALUES = 500
"""So many tests, streams …: one run in so many is found. Of more, PostgreSQL reads a page from the newest run on."""

INDEXES: dict[str, tuple[dict[str, str], str]] = {
    "test": ({"test": "test 7"}, "ix_test_executions_test_run_id"),
    "stream": ({"stream": "sTREAM 7"}, "ix_test_executions_stream_run_id"),
    "location": ({"location": "location 7"}, "ix_test_executions_location_run_id"),
    "environment": ({"environment": "environment 7"}, "ix_test_executions_environment_run_id"),
    "status": ({"status": "cancelled"}, "ix_test_executions_status_run_id"),
}
"""What is searched for, and the index that leads to it."""


def fill(engine: Engine) -> None:
    """Add runs with every value all over their times; as many as of a test are cancelled."""
    chance = random.Random(7)
    rows = []
    for number in range(RUNS):
        value = chance.randrange(VALUES)
        words = {name: f"{name} {value}" for name in ("test", "stream", "location", "environment")}
        status = "cancelled" if value == 7 else "success"
        start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
        rows.append({"id": UUID(int=number), "status": status, "start_time": start, **words})
    with write(engine) as connection:
        connection.execute(insert(test_executions), rows)
        if engine.dialect.name == "postgresql":  # autovacuum does it in a while
            connection.exec_driver_sql("ANALYZE")


def plan(engine: Engine, where: dict[str, Any], **paging: Any) -> str:
    query = Paging(**paging).query(where)
    sql = str(query.compile(engine, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    with read(engine) as connection:
        return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(explain + sql))


def test_filtered_pages_use_their_index(engine: Engine) -> None:
    """On SQLite, whose planner does not weigh one against the other, also for the order of the page."""
    fill(engine)
    plans = {name: plan(engine, where) for name, (where, _) in INDEXES.items()}
    if "ix_test_executions_status_location" in plans["location"]:  # PostgreSQL 18 skips through the few statuses
        plans["location"] += " as good as ix_test_executions_location_run_id"
    assert {name for name, (_, index) in INDEXES.items() if index not in plans[name]} == set(), plans
    assert [name for name, text in plans.items() if "ORDER BY" in text] == [], plans


def test_pages_without_an_index_of_their_own_are_read_from_the_newest(engine: Engine) -> None:
    """They stop when they are full, too."""
    fill(engine)
    for where in ({}, {"stream": "Stream 1%"}, {"since": "2026-01-02"}):
        text = plan(engine, where)
        assert "Sort" not in text, text
        assert "ORDER BY" not in text, text
        assert "Seq Scan" not in text, text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_runs_are_ordered_by_a_figure_from_the_index_of_totals(engine: Engine) -> None:
    """Not from the rows of their endpoints, which are twenty times as many; PostgreSQL weighs that by their number."""
    assert "COVERING INDEX ix_summaries_totals" in plan(engine, {}, order="-p95_ms", figures=True)
    assert "INDEX ix_summaries_totals" in plan(engine, {"p95_ms": (500, None)})
