"""Arrow tables into and out of PostgreSQL by binary COPY; the only user of ADBC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from sqlalchemy import Engine

from ator_lib.errors import MissingExtraError, StoreError, StoreUnavailableError
from ator_lib.masking import masked
from ator_lib.sql.engine import conninfo
from ator_lib.sql.translate import is_passing, shown


def driver() -> Any:
    """Import the driver.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise MissingExtraError("adbc-driver-postgresql", "postgres") from None
    return dbapi


class _BrokenOffError(Exception):
    """Rows stopped coming; the driver says so by an ``OSError`` then, which others raise, too."""


class Session:
    """A transaction on a connection of its own: it ends with ``commit``, or nothing was done."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def row(self, sql: str, *values: str | int) -> tuple[Any, ...] | None:
        """Run a statement with values for $1, $2 …; gives its first row, if it has one."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            found: tuple[Any, ...] | None = cursor.fetchone()
            return found

    def execute(self, sql: str) -> None:
        """Run a statement that answers nothing."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql)

    def send(self, table: str, rows: pa.RecordBatchReader) -> None:
        """Append rows to a table that has columns of their names."""
        with self._connection.cursor() as cursor:
            cursor.adbc_ingest(table, rows, mode="append")

    @contextmanager
    def fetched(self, sql: str) -> Iterator[Iterator[pa.RecordBatch]]:
        """Yield the rows of a query as they come in."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            yield _received(cursor.fetch_record_batch())

    def commit(self) -> None:
        """End the transaction: all of it was done."""
        self._connection.commit()


@contextmanager
def session(engine: Engine, *, of_one_moment: bool = False) -> Iterator[Session]:
    """Open a transaction; each of its statements sees what is committed by then, or all the same moment.

    Raises
    ------
    StoreError
        The database refuses.
    StoreUnavailableError
        It cannot be reached, or went away.
    MissingExtraError
        The driver is not installed.
    """
    dbapi = driver()
    target = conninfo(engine)
    isolation = "REPEATABLE READ" if of_one_moment else "READ COMMITTED"
    try:
        with dbapi.connect(target.text) as connection:
            opened = Session(connection)
            opened.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
            yield opened
    except (dbapi.Error, _BrokenOffError) as error:
        words = masked(" ".join(str(error).split()), target.secrets)[:300]
        if isinstance(error, _BrokenOffError):
            is_away = "ERROR:" not in words  # which a server says that is still there
        else:
            is_away = isinstance(error, dbapi.OperationalError) and (not error.sqlstate or is_passing(error.sqlstate))
        kind = StoreUnavailableError if is_away else StoreError
        # what the driver said may hold a secret, so it is not chained
        raise kind(f"{shown(engine.url)} cannot take or give bulk rows: {words}") from None


def _received(rows: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    try:
        yield from rows
    except (OSError, pa.ArrowException) as error:
        raise _BrokenOffError(str(error)) from error
