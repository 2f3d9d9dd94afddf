"""The fifth revision: verdicts and progress, also in a database that has runs."""

from __future__ import annotations

from uuid import uuid4

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from ator_lib.sql.engine import open_engine, read, upgrade, write

_VERDICT = (
    "INSERT INTO verdicts (run_id, baseline_run_ids, headline, method_version, judged_at) "
    "VALUES (7, '[]', 'none', '1', CURRENT_TIMESTAMP)"
)
_POINT = "INSERT INTO run_progress (run_id, elapsed_s, at, requests, failures) VALUES (7, 1.5, CURRENT_TIMESTAMP, 3, 0)"


def test_runs_are_kept_and_take_what_is_new_along(database_url: str) -> None:
    """The upgrade has nothing to say; a run that is deleted by any door leaves no verdict and no progress."""
    engine = open_engine(database_url)
    config = Config()
    config.set_main_option("script_location", "ator_lib.sql:migrations")
    with write(engine) as connection:
        config.attributes.update(connection=connection, report=[])
        command.upgrade(config, "0004")
        row = "INSERT INTO test_executions (id, run_id, status) VALUES (:id, 7, 'success')"
        connection.execute(text(row), {"id": uuid4().hex})
    assert upgrade(engine) == ()
    counts = text("SELECT (SELECT count(*) FROM verdicts), (SELECT count(*) FROM run_progress)")
    with write(engine) as connection:
        connection.execute(text(_VERDICT))
        connection.execute(text(_POINT))
        assert tuple(connection.execute(counts).one()) == (1, 1)
        connection.execute(text("DELETE FROM test_executions WHERE run_id = 7"))
    with read(engine) as connection:
        assert tuple(connection.execute(counts).one()) == (0, 0)
    engine.dispose()
