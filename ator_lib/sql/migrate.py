"""Running the migrations; the only user of Alembic."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from ator_lib.errors import StoreVersionError
from ator_lib.sql.translate import shown

_ADVISORY_LOCK = 0x41544F52  # "ATOR": any number that all its processes agree on


def to_head(connection: Connection) -> None:
    """Run the migrations that are missing inside the connection's open write transaction.

    Raises
    ------
    StoreVersionError
        The database has a revision that this ATOR does not know.
    """
    if connection.dialect.name == "postgresql":  # SQLite's write lock is held already
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    config = Config()
    config.set_main_option("script_location", "ator_lib.sql:migrations")
    config.attributes["connection"] = connection
    _refuse_unknown(connection, config)
    command.upgrade(config, "head")


def _refuse_unknown(connection: Connection, config: Config) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    unknown = set(MigrationContext.configure(connection).get_current_heads()) - known
    if unknown:
        raise StoreVersionError(
            f"{shown(connection.engine.url)} was written by a newer ATOR (revision {', '.join(sorted(unknown))}): "
            f"install a newer ATOR, or use another data folder or database"
        )
