"""DuckDB in a sandbox: it sees the Arrow tables that it is handed, and no file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

DuckError = duckdb.Error
"""What DuckDB raises; callers translate it into words about their own files or the user's SQL."""

Connection = duckdb.DuckDBPyConnection
Relation = duckdb.DuckDBPyRelation


def _silence(connection: Connection) -> None:
    """Turn the progress bar off where it is on: it would go into what a command prints.

    In a kernel without ipywidgets it is off, and setting it to anything raises.
    """
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchone() == (True,):
        connection.execute("SET enable_progress_bar = false")


@contextmanager
def open_sandbox(tables: Mapping[str, pa.Table | ds.Dataset], *, spill: Path | None = None) -> Iterator[Connection]:
    """Yield a connection with these tables, in UTC; no SQL that it runs reads or writes any other file.

    Parquet comes in as Arrow datasets and not by ``read_parquet`` with allowed paths: on an allowed path
    DuckDB also writes, even within a SELECT (``WITH x AS (COPY … TO …)``). Arrow datasets take projections
    and filters from DuckDB and were measured to be about as fast.

    Parameters
    ----------
    spill
        Existing folder for what does not fit into memory; by default a temporary one.
    """
    with TemporaryDirectory(prefix="duckdb-", dir=spill, ignore_cleanup_errors=True) as folder:
        connection = duckdb.connect(
            config={
                "temp_directory": folder,
                "python_enable_replacements": "false",  # or a table name could be any Python variable
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            }
        )
        try:
            connection.execute("SET TimeZone = 'UTC'")
            _silence(connection)
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            for name, table in tables.items():
                connection.register(name, table)
            yield connection
        finally:
            connection.close()


def fetch(connection: Connection, sql: str, schema: pa.Schema) -> pa.Table:
    """Run a query of ours and return its rows in exactly this schema."""
    return connection.sql(sql).to_arrow_table().cast(schema)


def select(table: Relation, columns: list[str], where: str | None) -> pa.Table:
    """Take columns of the rows for which one SQL expression is true; it cannot become another statement."""
    rows = table if where is None else table.filter(where)
    return rows.select(*(duckdb.ColumnExpression(column) for column in columns)).to_arrow_table()


def answer(connection: Connection, sql: str) -> pa.Table:
    """Run one query of the user's."""
    return connection.sql(sql).to_arrow_table()


def statement_types(sql: str) -> list[str]:
    """Parse and say what each statement is: ``SELECT`` (also WITH, FROM, DESCRIBE, SHOW …), ``COPY`` and so on."""
    return [statement.type.name for statement in duckdb.extract_statements(sql)]


def is_read_failure(error: Exception) -> bool:
    """Whether a table that the sandbox was handed could not be read, so that the SQL is not to blame."""
    return "reading the stream registered as" in str(error)


def first_line(error: Exception) -> str:
    """Return what DuckDB says is wrong, without its kind of error and its picture of the query."""
    line = str(error).strip().splitlines()[0]
    return re.sub(r"^\w+( \w+)? Error: ", "", line)
