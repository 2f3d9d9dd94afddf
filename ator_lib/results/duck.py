"""DuckDB in a sandbox: it sees the Arrow tables that it is handed, and no file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from ator_lib.readers import duck as readers_duck

DuckError = readers_duck.DuckError
"""What DuckDB raises; callers translate it into words about their own files or the user's SQL."""

Connection = readers_duck.Connection
Relation = duckdb.DuckDBPyRelation
first_line = readers_duck.first_line


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
    with _connected(spill) as connection:
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        for name, table in tables.items():
            connection.register(name, table)
        yield connection


@contextmanager
def open_files(paths: Mapping[str, str], *, spill: Path | None = None) -> Iterator[Connection]:
    """Yield a connection with these Parquet files as tables, in UTC: for SQL of ours alone.

    DuckDB reads a file itself in a third of the time and memory that it takes through Arrow.

    Parameters
    ----------
    spill
        Existing folder for what does not fit into memory; by default a temporary one.
    """
    with _connected(spill) as connection:
        for name, path in paths.items():
            connection.read_parquet(path, hive_partitioning=False).create_view(name)
        yield connection


@contextmanager
def _connected(spill: Path | None) -> Iterator[Connection]:
    with (
        TemporaryDirectory(prefix="duckdb-", dir=spill, ignore_cleanup_errors=True) as folder,
        readers_duck.connect(spill=Path(folder)) as connection,
    ):
        yield connection


@contextmanager
def new_database(path: Path) -> Iterator[Connection]:
    """Yield a connection to a new database file, which is whole once it is left."""
    with readers_duck.connect(path, spill=path.with_name(f"{path.name}.tmp")) as connection:
        yield connection


def append(connection: Connection, table: str, rows: pa.Table) -> None:
    """Append rows to a table of a database, which is made by the first ones."""
    connection.register("incoming", rows)
    connection.execute(f"CREATE TABLE IF NOT EXISTS {table} AS FROM incoming LIMIT 0")
    connection.execute(f"INSERT INTO {table} FROM incoming")
    connection.unregister("incoming")


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
