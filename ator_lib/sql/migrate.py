"""Running the migrations; the only user of Alembic."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from ator_lib.errors import StoreError, StoreVersionError
from ator_lib.sql.bulk import bulk_metadata
from ator_lib.sql.tables import metadata
from ator_lib.sql.translate import shown

_ADVISORY_LOCK = 0x41544F52  # "ATOR": any number that all its processes agree on


def to_head(connection: Connection) -> tuple[str, ...]:
    """Run the migrations that are missing inside the connection's open write transaction.

    Returns
    -------
    tuple of str
        What they found in the rows that were there and had to change, in sentences.

    Raises
    ------
    StoreVersionError
        The database has a revision that this ATOR does not know.
    StoreError
        It has tables that are not ATOR's, under names of ATOR's.
    """
    if connection.dialect.name == "postgresql":  # SQLite's write lock is held already
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    config = Config()
    config.set_main_option("script_location", "ator_lib.sql:migrations")
    report: list[str] = []
    config.attributes.update(connection=connection, report=report)
    heads = set(MigrationContext.configure(connection).get_current_heads())
    _refuse_unknown(connection, config, heads)
    if not heads:
        _refuse_occupied(connection)
    command.upgrade(config, "head")
    return tuple(report)


def _refuse_unknown(connection: Connection, config: Config, heads: set[str]) -> None:
    unknown = heads - {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if unknown:
        raise StoreVersionError(
            f"{shown(connection.engine.url)} was written by a newer ATOR, or by another program "
            f"(revision {', '.join(sorted(unknown))}): install a newer ATOR, or use another data folder or database"
        )


def _refuse_occupied(connection: Connection) -> None:
    inspector = inspect(connection)
    tables = set(inspector.get_table_names())
    if connection.dialect.name == "postgresql":
        tables.discard("test_executions")  # which is taken over
    own = {*metadata.tables, *bulk_metadata.tables}
    if occupied := sorted(own & {*tables, *inspector.get_view_names()}):
        raise StoreError(
            f"{shown(connection.engine.url)} has tables of another program with names that ATOR needs "
            f"({', '.join(occupied)}): use a database of its own; nothing was changed"
        )
