"""The second revision on both databases: fresh, after rows of the first, and after adoption."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, inspect, text

from ator_lib.errors import StoreError
from ator_lib.sql.engine import open_engine, read, upgrade, write
from ator_lib.sql.listening import CHANNEL

INDEXES = {
    "ix_test_executions_environment_run_id",
    "ix_test_executions_location_run_id",
    "ix_test_executions_start_time",
    "ix_test_executions_status_location",
    "ix_test_executions_status_run_id",
    "ix_test_executions_stream_run_id",
    "ix_test_executions_test_run_id",
    "uq_test_executions_idempotency_key",
}
TOLD_WITHIN_S = 30.0
QUIET_S = 0.2


def execute(engine: Engine, statement: str, **values: object) -> None:
    with write(engine) as connection:
        connection.execute(text(statement), values)


def add_run(engine: Engine, run_id: int, status: str, location: str = "lab") -> None:
    execute(
        engine,
        "INSERT INTO test_executions (id, run_id, status, location) VALUES (:id, :run_id, :status, :location)",
        id=uuid4().hex,
        run_id=run_id,
        status=status,
        location=location,
    )


WAYS = {"new": ["sqlite", "postgres"], "after the first revision": ["sqlite", "postgres"], "adopted": ["postgres"]}


@pytest.fixture(params=[f"{kind}, {way}" for way, kinds in WAYS.items() for kind in kinds])
def upgraded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Return a database that has come to the newest revision on one of the ways that there are."""
    kind, way = request.param.split(", ")
    engine = open_engine(tmp_path / "ator.db" if kind == "sqlite" else request.getfixturevalue("postgres_url"))
    if way == "after the first revision":
        stop_at_the_first_revision(engine)
    elif way == "adopted":
        execute(
            engine, "CREATE TABLE test_executions (id UUID PRIMARY KEY, run_id INTEGER, status TEXT, location TEXT)"
        )
        add_run(engine, 1, "Success")
    upgrade(engine)
    yield engine
    engine.dispose()


def stop_at_the_first_revision(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", "ator_lib.sql:migrations")
    with write(engine) as connection:
        config.attributes.update(connection=connection, report=[])
        command.upgrade(config, "0001")
    execute(engine, "INSERT INTO locations (name) VALUES ('lab')")
    add_run(engine, 1, "success")


def test_rows_of_the_first_revision_are_kept(database_url: str) -> None:
    """Locations are online; runs have no idempotency key."""
    engine = open_engine(database_url)
    stop_at_the_first_revision(engine)
    assert upgrade(engine) == ()
    with read(engine) as connection:
        assert connection.execute(text("SELECT name, status FROM locations")).all() == [("lab", "online")]
        assert connection.execute(text("SELECT run_id, idempotency_key FROM test_executions")).all() == [(1, None)]
    engine.dispose()


def test_words_are_checked_by_the_database(upgraded: Engine) -> None:
    """A location's status and a token's role are one of the known words."""
    execute(upgraded, "INSERT INTO locations (name, status) VALUES ('a', 'draining')")
    with pytest.raises(StoreError):
        execute(upgraded, "INSERT INTO locations (name, status) VALUES ('b', 'closed')")
    token = (
        "INSERT INTO tokens (token_id, name, role, secret_hash, created_at) VALUES (:id, 't', :role, 'h', '2026-01-01')"
    )
    execute(upgraded, token, id="1", role="viewer")
    with pytest.raises(StoreError):
        execute(upgraded, token, id="2", role="owner")


def test_keys_are_checked_by_the_database(upgraded: Engine) -> None:
    """An idempotency key is used once; a baseline needs its run, which then cannot go."""
    add_run(upgraded, 11, "success")
    add_run(upgraded, 12, "success")
    key = "UPDATE test_executions SET idempotency_key = 'k' WHERE run_id = :run_id"
    execute(upgraded, key, run_id=11)
    with pytest.raises(StoreError):
        execute(upgraded, key, run_id=12)
    pin = "INSERT INTO baselines (name, run_id, pinned_at) VALUES ('b', :run_id, '2026-01-01')"
    with pytest.raises(StoreError):
        execute(upgraded, pin, run_id=999)
    execute(upgraded, pin, run_id=11)
    with pytest.raises(StoreError):
        execute(upgraded, "DELETE FROM test_executions WHERE run_id = 11")


def test_indexes(upgraded: Engine) -> None:
    """Those of the history and the admission are there, whichever way the table came."""
    with read(upgraded) as connection:
        catalogue = {"sqlite": "SELECT name FROM sqlite_schema", "postgresql": "SELECT indexname FROM pg_indexes"}
        found = set(connection.scalars(text(catalogue[upgraded.dialect.name])))
    assert found >= INDEXES
    assert "ix_test_executions_test" not in found
    assert inspect(upgraded).get_foreign_keys("baselines")[0]["referred_columns"] == ["run_id"]


# --- the queue is woken, on PostgreSQL ---


@pytest.fixture
def queue(postgres_url: str) -> Iterator[Engine]:
    """Return a database with a running and a queued run at ``lab``, and a running one at ``elsewhere``."""
    engine = open_engine(postgres_url)
    upgrade(engine)
    for name in ("lab", "elsewhere"):
        execute(engine, "INSERT INTO locations (name) VALUES (:name)", name=name)
    add_run(engine, 1, "running")
    add_run(engine, 2, "queued")
    add_run(engine, 3, "running", "elsewhere")
    yield engine
    engine.dispose()


@pytest.fixture
def listener(queue: Engine, postgres_url: str) -> Iterator[psycopg.Connection]:
    """Return a connection that listens."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        yield connection


def told(listener: psycopg.Connection, timeout_s: float = TOLD_WITHIN_S) -> list[str]:
    return [notice.payload for notice in listener.notifies(timeout=timeout_s, stop_after=1)]


@pytest.mark.parametrize("status", ["success", "failure", "cancelled", "abandoned"])
def test_who_waits_is_told_of_a_place_that_becomes_free(
    queue: Engine, listener: psycopg.Connection, status: str
) -> None:
    """Whatever the way in which a run ends."""
    execute(queue, "UPDATE test_executions SET status = :status WHERE run_id = 1", status=status)
    assert told(listener) == ["lab"]


def test_who_waits_is_told_when_another_one_leaves_the_queue(queue: Engine, listener: psycopg.Connection) -> None:
    """The one that left may have reserved the place."""
    add_run(queue, 4, "queued")
    execute(queue, "UPDATE test_executions SET status = 'cancelled' WHERE run_id = 2")
    assert told(listener) == ["lab"]


@pytest.mark.parametrize("change", ["capacity = 2", "status = 'offline'"])
def test_who_waits_is_told_of_a_changed_location(queue: Engine, listener: psycopg.Connection, change: str) -> None:
    """It may have become larger, or be online again."""
    execute(queue, f"UPDATE locations SET {change} WHERE name = 'lab'")
    assert told(listener) == ["lab"]


def test_nobody_is_told_where_nobody_waits(queue: Engine, listener: psycopg.Connection) -> None:
    """Notices are not for free. Nor is one sent for a heartbeat, or for a run that starts."""
    execute(queue, "UPDATE test_executions SET status = 'success' WHERE run_id = 3")
    execute(queue, "UPDATE locations SET capacity = 2 WHERE name = 'elsewhere'")
    execute(queue, "UPDATE test_executions SET lease_expires_at = now() WHERE run_id = 1")
    add_run(queue, 4, "queued")
    execute(queue, "UPDATE test_executions SET status = 'running' WHERE run_id = 4")
    assert told(listener, QUIET_S) == []


def test_a_change_that_is_rolled_back_is_not_told(queue: Engine, listener: psycopg.Connection) -> None:
    """A place is free when the transaction is committed, and not before."""

    def fail_after_freeing() -> None:
        with write(queue) as connection:
            connection.execute(text("UPDATE test_executions SET status = 'success' WHERE run_id = 1"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_freeing()
    assert told(listener, QUIET_S) == []
