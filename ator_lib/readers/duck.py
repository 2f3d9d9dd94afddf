"""DuckDB for readers: bulk parsing of text, with nothing that would reach for the network."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from uuid import uuid4

import duckdb

Connection = duckdb.DuckDBPyConnection
DuckError = duckdb.Error


@dataclass(frozen=True, kw_only=True)
class Query:
    """Rows that DuckDB will read in bulk: a SELECT of ours and the connection that it runs on.

    Parameters
    ----------
    has_users
        The SELECT has one more column, ``users``: how many its load generator had then. It becomes METRICS.
    settle
        What can only be said once all rows have been read. It is called once, with SQL for the table of what was
        written, in its order and with ``file_row_number``; it may fill the findings, and returns a condition for the
        rows that are to stay, or ``None`` if all are.
    """

    connection: Connection
    sql: str
    has_users: bool = False
    settle: Callable[[str], str | None] | None = None


def connect(database: Path | None = None, *, spill: Path | None = None) -> Connection:
    """Open a connection in UTC; it lives as long as the relations that are made with it.

    Parameters
    ----------
    database
        File of a database; by default it is in memory.
    spill
        Folder for what does not fit into memory, made and removed if need be; by default a temporary one.
    """
    connection = duckdb.connect(
        database=":memory:" if database is None else str(database),
        config={
            "python_enable_replacements": "false",  # or a table name could be any Python variable
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": str(spill or Path(gettempdir()) / f"ator-duckdb-{uuid4().hex}"),
        },
    )
    connection.execute("SET TimeZone = 'UTC'")
    silence(connection)
    return connection


def silence(connection: Connection) -> None:
    """Turn the progress bar off where it is on: it would go into what a command prints.

    In a kernel without ipywidgets it is off, and setting it to anything raises.
    """
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchall() == [(True,)]:
        connection.execute("SET enable_progress_bar = false")


def text(value: str) -> str:
    """Quote a text for SQL."""
    return "'" + value.replace("'", "''") + "'"


def first_line(error: Exception) -> str:
    """Return what DuckDB says is wrong, without its kind of error and its picture of the query."""
    line = str(error).strip().partition("\n")[0] or type(error).__name__
    return re.sub(r"^\w+( \w+)? Error: ", "", line)
