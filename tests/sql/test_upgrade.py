from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, inspect, text

from ator_lib import schema
from ator_lib.errors import StoreError, StoreVersionError
from ator_lib.sql.bulk import bulk_metadata
from ator_lib.sql.engine import HEAD, open_engine, read, upgrade, write
from ator_lib.sql.tables import metadata, summaries

OPENERS = 5
OPENER = """
import sys
from ator_lib.sql.engine import open_engine, upgrade
engine = open_engine(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
upgrade(engine)
upgrade(engine)
print("alembic" in sys.modules)
"""


def test_head_is_the_newest_migration() -> None:
    """The constant of the everyday path is what Alembic would find."""
    config = Config()
    config.set_main_option("script_location", "ator_lib.sql:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_the_migrations_make_the_tables_of_the_code(engine: Engine) -> None:
    """Every table has the columns that the code names, with the same nulls, and no other."""
    inspector = inspect(engine)
    expected = {**metadata.tables, **(bulk_metadata.tables if engine.dialect.name == "postgresql" else {})}
    assert set(inspector.get_table_names()) == {*expected, "alembic_version"}
    for name, table in expected.items():
        found = {column["name"]: column["nullable"] for column in inspector.get_columns(name)}
        assert found == {column.name: column.nullable for column in table.columns}, name


def test_summaries_have_the_canonical_columns() -> None:
    """The SQL table is the canonical one, with the run and the ingest before it."""
    assert [column.name for column in summaries.columns][2:] == schema.SUMMARIES.names
    nullable = [column.nullable for column in summaries.columns][2:]
    assert nullable == [field.nullable for field in schema.SUMMARIES]


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")  # of SQLite's index on lower(stream)
def test_keys(engine: Engine) -> None:
    """``id`` is the primary key on PostgreSQL and unique on SQLite, ``run_id`` the other way round."""
    inspector = inspect(engine)
    primary = inspector.get_pk_constraint("test_executions")["constrained_columns"]
    unique = [constraint["column_names"] for constraint in inspector.get_unique_constraints("test_executions")]
    postgres = engine.dialect.name == "postgresql"
    assert (primary, unique) == ((["id"], [["run_id"]]) if postgres else (["run_id"], [["id"]]))


def test_an_unknown_status_cannot_be_written(engine: Engine, start_run: int) -> None:
    """The database itself knows the six words."""
    with pytest.raises(StoreError), write(engine) as connection:
        connection.execute(text("UPDATE test_executions SET status = 'passed'"))


def test_run_ids_are_never_used_again(engine: Engine, start_run: int) -> None:
    """A deleted run's id is not given to another one."""
    one = "INSERT INTO test_executions (id, status) VALUES (:id, 'running') RETURNING run_id"
    with write(engine) as connection:
        connection.execute(text("DELETE FROM test_executions"))
        again = connection.scalar(text(one), {"id": "0" * 32})
    assert again > start_run


def test_the_everyday_path_is_one_query(engine: Engine) -> None:
    """A database that is at the newest revision is asked once."""
    statements: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def remember(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    upgrade(engine)
    assert [statement for statement in statements if statement != "BEGIN"] == [
        "SELECT version_num FROM alembic_version"
    ]


def test_several_processes_may_open_a_new_database_at_once(database_url: str) -> None:
    """All succeed, the tables are made once, and a later opening does not load Alembic."""
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER, database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(OPENERS)
    ]
    try:
        for opener in openers:
            assert opener.stdout is not None
            opener.stdout.readline()
        for opener in openers:  # now, all together
            assert opener.stdin is not None
            opener.stdin.write("\n")
            opener.stdin.flush()
        for opener in openers:
            opener.communicate(timeout=120)
    finally:
        for opener in openers:
            opener.kill()
    assert [opener.returncode for opener in openers] == [0] * OPENERS
    program = OPENER.replace("sys.stdin.readline()", "")
    late = subprocess.run(
        [sys.executable, "-c", program, database_url], capture_output=True, text=True, timeout=60, check=True
    )
    assert late.stdout.split() == ["ready", "False"]


def test_a_newer_database_is_left_alone(engine: Engine) -> None:
    """A revision that this version does not know is refused, with what to do, and nothing is changed."""
    with write(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreVersionError, match=r"revision 9999.*install a newer ATOR, or use another data folder"):
        upgrade(engine)
    with read(engine) as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"


def test_a_migration_is_all_or_nothing(database_url: str) -> None:
    """When a step fails, for example on somebody else's table, the steps before it leave nothing."""
    engine = open_engine(database_url)
    with write(engine) as connection:
        connection.execute(text("CREATE TABLE ingests (mine TEXT)"))
    with pytest.raises(StoreError, match="ingests"):
        upgrade(engine)
    assert inspect(engine).get_table_names() == ["ingests"]
    engine.dispose()


def test_a_path_with_odd_characters(tmp_path: Path) -> None:
    """A folder's name may hold what a URL or an ini file would read as its own."""
    folder = tmp_path / "50% of ü? #1"
    folder.mkdir()
    engine = open_engine(folder / "ator.db")
    upgrade(engine)
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert "test_executions" in inspect(engine).get_table_names()
