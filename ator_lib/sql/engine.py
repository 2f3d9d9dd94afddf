"""Opening a database, and the two kinds of transaction on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, InvalidatePoolError, OperationalError, ProgrammingError

from ator_lib.errors import MissingExtraError, StoreUnavailableError, StoreVersionError, UsageError
from ator_lib.sql.translate import shown, translated

HEAD = "0006"
"""The revision of the newest migration: a database that has it needs nothing."""

_WRITES = {"ator_writes": True}
_UNREACHABLE_AFTER = {
    "connect_timeout": 10,
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
}
"""How soon libpq notices that a server's host is gone: of itself it would wait for hours."""

_IDLE_S = 1.0
"""A connection that was used so recently is taken to be alive."""

_POSTGRES_NAMES = {"postgres", "postgresql", "postgresql+psycopg"}


def open_engine(url: str | Path, *, busy_timeout_s: float = 30.0) -> Engine:
    """Make the engine of a database; nothing is opened until it is used.

    Parameters
    ----------
    url
        ``sqlite:///…``, ``postgresql://…`` (also ``postgres://``), or the path of an SQLite file.
    busy_timeout_s
        Seconds to wait for another process's lock.

    Raises
    ------
    UsageError
        The URL cannot be read, or names another kind of database.
    MissingExtraError
        A PostgreSQL URL without psycopg.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed, busy_timeout_s)
    return _open_postgres(parsed, busy_timeout_s)


@dataclass(frozen=True, kw_only=True)
class Conninfo:
    """What another client of libpq needs to connect as the engine does, and what of it must not be shown."""

    text: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


def conninfo(engine: Engine) -> Conninfo:
    """Say how an engine of a PostgreSQL database connects.

    Raises
    ------
    StoreError
        It cannot connect.
    """
    from psycopg.conninfo import make_conninfo

    with translated(engine), engine.connect() as connection:
        info: Any = connection.connection.driver_connection.info  # type: ignore[union-attr]
        password = {"password": info.password} if info.password else {}
        return Conninfo(text=make_conninfo(**info.get_parameters(), **password), secrets=tuple(password.values()))


@contextmanager
def read(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that only reads; on SQLite all its reads see one moment.

    Raises
    ------
    StoreError
        The database cannot be opened or read.
    """
    with translated(engine), engine.connect() as connection:
        yield connection


@contextmanager
def write(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a write transaction: committed at the end, rolled back on an exception.

    On SQLite it holds the database's one write lock from its start.

    Raises
    ------
    StoreError
        The database cannot be opened or written, or another process keeps it locked.
    StoreUnavailableError
        It went away; ``in_doubt`` if that was during the commit.
    UsageError
        A value cannot be kept.
    """
    is_committing = False
    try:
        with translated(engine), engine.connect() as connection:
            connection.execution_options(**_WRITES)
            with connection.begin():
                yield connection
                is_committing = True
    except StoreUnavailableError as error:
        error.in_doubt = error.in_doubt or is_committing
        raise


def upgrade(engine: Engine) -> tuple[str, ...]:
    """Bring the database to the newest revision; one small query when it is there already.

    Safe when several processes do it at once, and all or nothing.

    Returns
    -------
    tuple of str
        Sentences for people: what was changed in rows that were there before, and what is odd in them.
        Empty when nothing was.

    Raises
    ------
    StoreVersionError
        It was written by a newer ATOR.
    StoreError
        It cannot be opened or written.
    """
    with read(engine) as connection:
        if _revision(connection) == HEAD:
            return ()
    from ator_lib.sql import migrate  # Alembic costs more than everything that a registration does

    with write(engine) as connection:
        return migrate.to_head(connection)


def check_version(engine: Engine) -> None:
    """Make sure that a database needs no upgrade, or is empty.

    Raises
    ------
    StoreVersionError
        It has a table of runs, of an older ATOR or of another program.
    StoreError
        It cannot be opened.
    """
    with read(engine) as connection:
        revision = _revision(connection)
        connection.rollback()  # PostgreSQL takes no further statement after one that failed
        is_new = revision is None and not inspect(connection).has_table("test_executions")
    if revision != HEAD and not is_new:
        raise StoreVersionError(
            f"{shown(engine.url)} was made by another version of ATOR, or by another program: `ator db upgrade` brings "
            f"it to this version and keeps every row. Others who use it need this version then, too."
        )


def _revision(connection: Connection) -> str | None:
    try:
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:  # PostgreSQL: no such table
        return None
    except OperationalError as error:
        if "no such table" in str(error.orig):  # SQLite has one code for every error in a statement
            return None
        raise
    return revision


def _parse(url: str | Path) -> URL:
    if isinstance(url, Path):
        return URL.create("sqlite", database=str(url))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # whose words may hold a part of the password
        raise UsageError("the database URL cannot be read; write postgresql://user:password@host:port/name") from None
    if parsed.drivername in _POSTGRES_NAMES:
        if "@" in (parsed.host or ""):  # the rest of a password would be looked up, and shown, as a host
            raise UsageError("the password in the database URL holds an '@'; write %40 in its place")
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite" and parsed.database:
        return parsed
    raise UsageError(
        f"databases of the kind {parsed.drivername!r} are not supported; use sqlite:///… or postgresql://…"
    )


def _open_sqlite(url: URL, busy_timeout_s: float) -> Engine:
    engine = create_engine(url, connect_args={"timeout": busy_timeout_s}, hide_parameters=True)

    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver's guess
        _use_wal(connection, busy_timeout_s)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")

    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("ator_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine


def _use_wal(connection: Any, busy_timeout_s: float) -> None:
    # the change of journal does not wait for locks as other statements do
    deadline = monotonic() + busy_timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except Exception as error:
            if getattr(error, "sqlite_errorname", "") != "SQLITE_BUSY" or monotonic() > deadline:
                raise
            sleep(0.01)
        else:
            return


def _open_postgres(url: URL, busy_timeout_s: float) -> Engine:
    url, secrets = _without_secrets(url)
    arguments = {name: value for name, value in _UNREACHABLE_AFTER.items() if name not in url.query}
    try:
        engine = create_engine(
            url,
            connect_args=arguments | secrets,
            # whatever the server's default: after waiting for a location's row, an admission must see what
            # was committed meanwhile
            isolation_level="READ COMMITTED",
            hide_parameters=True,
        )
    except ImportError:
        raise MissingExtraError("psycopg", "postgres") from None

    def connected(connection: Any, _: object) -> None:
        connection.autocommit = True
        connection.execute(f"SET lock_timeout = {int(busy_timeout_s * 1000)}")
        connection.autocommit = False

    event.listen(engine, "connect", connected)
    _ping_after_idling(engine)
    return engine


def _ping_after_idling(engine: Engine) -> None:
    """Notice that the server has gone since: a notebook stays open longer than its patience.

    ``pool_pre_ping`` would also ask before every transaction of a busy process, a third of its time.
    """

    def checked_in(_: Any, record: Any) -> None:
        record.info["used_at"] = monotonic()

    def checked_out(connection: Any, record: Any, _: Any) -> None:
        if monotonic() - record.info.get("used_at", monotonic()) > _IDLE_S:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise InvalidatePoolError from error  # all others are as old

    event.listen(engine, "checkin", checked_in)
    event.listen(engine, "checkout", checked_out)


def _without_secrets(url: URL) -> tuple[URL, dict[str, str]]:
    """Take ``?password=…`` and ``sslpassword`` out of the URL's options, which reprs show."""
    secrets = {name: str(value) for name, value in url.query.items() if "password" in name}
    return url.difference_update_query(secrets), secrets
