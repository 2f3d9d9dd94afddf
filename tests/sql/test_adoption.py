"""A PostgreSQL database that the published CREATE TABLE made is upgraded in place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, inspect, text

from ator_lib.model import RunRequest, RunStatus
from ator_lib.registry.locations import Locations
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import open_engine, upgrade, write

PUBLISHED = """
CREATE TABLE test_executions (
    id UUID PRIMARY KEY,
    run_id INTEGER NOT NULL,
    repo VARCHAR NOT NULL,
    lac VARCHAR(8) NOT NULL,
    stream VARCHAR NOT NULL,
    test VARCHAR NOT NULL,
    type VARCHAR NOT NULL,
    environment VARCHAR NOT NULL,
    triggered_by VARCHAR NOT NULL,
    status VARCHAR(10) NOT NULL,
    start_time TIMESTAMP NOT NULL,
    end_time TIMESTAMP,
    factor NUMERIC(3, 2) NOT NULL,
    dashboard_url VARCHAR,
    location VARCHAR NOT NULL
)
"""
ROW = """
INSERT INTO test_executions VALUES (
    :id, :run_id, 'shop', 'web', 'main', :test, 'load', 'staging', 'ci', :status,
    '2026-05-01 10:00:00', '2026-05-01 10:30:00', 0.40, 'https://dash.example/1', :location
)
"""


def rows() -> list[dict[str, Any]]:
    """Make old rows: three of them have the same run id, and their statuses are in all spellings."""
    statuses = ["Running", "SUCCESS", "failed", "Failure", "passed", "cancelled", "weird"]
    return [
        {"id": UUID(int=n), "run_id": run_id, "test": f"t{n}", "status": status, "location": f"lab-{n % 2}"}
        for n, (run_id, status) in enumerate(zip([7, 8, 8, 8, 12, 13, 14], statuses, strict=True))
    ]


@pytest.fixture
def adopted(postgres_url: str) -> Iterator[Engine]:
    """Upgrade a database with published rows."""
    engine = open_engine(postgres_url)
    with write(engine) as connection:
        connection.execute(text(PUBLISHED))
        connection.execute(text(ROW), rows())
    upgrade(engine)
    yield engine
    engine.dispose()


def test_no_row_is_lost(adopted: Engine) -> None:
    """Every old row is a run with what it had."""
    runs = {run.id: run for run in Registry(adopted).history().runs}
    assert {run_id: run.test for run_id, run in runs.items()} == {row["id"]: row["test"] for row in rows()}
    first = runs[UUID(int=0)]
    assert (first.run_id, first.repo, first.lac, first.factor) == (7, "shop", "web", Decimal("0.40"))
    assert first.dashboard_url == "https://dash.example/1"


def test_naive_times_were_utc(adopted: Engine) -> None:
    """The old columns had no zone; they are read as UTC."""
    run = Registry(adopted).get(7)
    assert run.start_time == datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert run.end_time == datetime(2026, 5, 1, 10, 30, tzinfo=UTC)


def test_statuses_become_the_six_words(adopted: Engine) -> None:
    """Case does not matter, "failed" is failure; a word that is not understood is kept beside."""
    runs = sorted(Registry(adopted).history().runs, key=lambda run: run.id)
    words = ["running", "success", "failure", "failure", "success", "cancelled", "abandoned"]
    assert [run.status for run in runs] == words
    assert runs[6].attributes["status_before_upgrade"] == "weird"
    assert runs[1].attributes == {}


def test_duplicate_run_ids_are_made_unique(adopted: Engine) -> None:
    """The first keeps its number; the others get new ones, with the old kept, and new runs follow on."""
    runs = {run.test: run for run in Registry(adopted).history().runs}
    assert [runs[f"t{n}"].run_id for n in range(7)] == [7, 8, 15, 16, 12, 13, 14]
    assert runs["t2"].attributes["run_id_before_upgrade"] == 8
    assert "run_id_before_upgrade" not in runs["t1"].attributes
    assert Registry(adopted).register(RunRequest(test="new")).run_id == 17


def test_the_columns_are_ours_now(adopted: Engine) -> None:
    """Only id, run_id and status are required; types cut nothing; run ids are unique by the database."""
    inspector = inspect(adopted)
    columns = {column["name"]: column for column in inspector.get_columns("test_executions")}
    assert {name for name, column in columns.items() if not column["nullable"]} == {"id", "run_id", "status"}
    registry = Registry(adopted)
    run = registry.register(RunRequest(lac="a longer name", factor=Decimal("0.125"), location="lab-9"))
    assert (registry.get(run.run_id).lac, registry.get(run.run_id).factor) == ("a longer name", Decimal("0.125"))
    assert ["run_id"] in [unique["column_names"] for unique in inspector.get_unique_constraints("test_executions")]


def test_old_running_rows_hold_their_factor(adopted: Engine) -> None:
    """A run that was running before the upgrade counts, and can be completed."""
    registry = Registry(adopted)
    assert [(use.name, use.taken) for use in Locations(adopted, reap=registry.reap).list()] == [
        ("lab-0", Decimal("0.40")),
        ("lab-1", Decimal(0)),
    ]
    assert registry.complete(7, "success").status is RunStatus.SUCCESS


@pytest.mark.parametrize("numbered", ["SERIAL UNIQUE", "INTEGER GENERATED BY DEFAULT AS IDENTITY UNIQUE"])
def test_run_ids_of_the_database_go_on(postgres_url: str, numbered: str) -> None:
    """A table whose run ids came from a sequence, unique already, keeps counting."""
    engine = open_engine(postgres_url)
    with write(engine) as connection:
        connection.execute(text(PUBLISHED.replace("run_id INTEGER NOT NULL", f"run_id {numbered}")))
        connection.execute(text(ROW), [{**rows()[0], "run_id": 41}])
    upgrade(engine)
    assert Registry(engine).register(RunRequest()).run_id == 42
    assert len(inspect(engine).get_unique_constraints("test_executions")) == 1
    engine.dispose()
