"""The fourth revision: marks on runs, also in a database that has runs."""

from __future__ import annotations

from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from ator_lib.errors import StoreError
from ator_lib.registry.annotations import Annotations
from ator_lib.sql.engine import open_engine, read, upgrade, write


def database_of_the_third_revision(url: str) -> Engine:
    """Return one with a run."""
    engine = open_engine(url)
    config = Config()
    config.set_main_option("script_location", "ator_lib.sql:migrations")
    with write(engine) as connection:
        config.attributes.update(connection=connection, report=[])
        command.upgrade(config, "0003")
        row = "INSERT INTO test_executions (id, run_id, status) VALUES (:id, 7, 'success')"
        connection.execute(text(row), {"id": uuid4().hex})
    return engine


def test_runs_are_kept_and_can_be_marked(database_url: str) -> None:
    """The upgrade has nothing to say of them."""
    engine = database_of_the_third_revision(database_url)
    assert upgrade(engine) == ()
    assert Annotations(engine).add(7, "new server").run_id == 7
    with read(engine) as connection:
        assert connection.execute(text("SELECT run_id, text FROM annotations")).all() == [(7, "new server")]
    engine.dispose()


def test_a_marked_run_cannot_go_by_any_door(database_url: str) -> None:
    """The database itself keeps it."""
    engine = database_of_the_third_revision(database_url)
    upgrade(engine)
    Annotations(engine).add(7, "new server")
    with pytest.raises(StoreError), write(engine) as connection:
        connection.execute(text("DELETE FROM test_executions WHERE run_id = 7"))
    engine.dispose()
