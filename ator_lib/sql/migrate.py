"""Running the migrations; the only user of Alembic."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from ator_lib.errors import StoreError, StoreVersionError
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
    _refuse_foreign(connection, config)
    command.upgrade(config, "head")
    return tuple(report)


def _refuse_foreign(connection: Connection, config: Config) -> None:
    """Refuse a database whose revision or tables are not ours to change."""
    where = shown(connection.engine.url)
    heads = set(MigrationContext.configure(connection).get_current_heads())
    unknown = heads - {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if unknown:
        raise StoreVersionError(
            f"{where} was written by a newer ATOR, or by another program (revision {', '.join(sorted(unknown))}): "
            f"install a newer ATOR, or use another data folder or database"
        )
    inspector = inspect(connection)
    adoptable = {"test_executions"} if connection.dialect.name == "postgresql" else set()
    found = {*inspector.get_view_names(), *inspector.get_table_names()} - adoptable.difference(
        inspector.get_view_names()
    )
    if not heads and (occupied := sorted(found & metadata.tables.keys())):
        raise StoreError(
            f"{where} has tables of another program with names that ATOR needs ({', '.join(occupied)}): "
            f"use a database of its own; nothing was changed"
        )
