"""DuckDB for readers: bulk parsing of text, with nothing that would reach for the network."""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

Connection = duckdb.DuckDBPyConnection
DuckError = duckdb.Error


@dataclass(frozen=True, kw_only=True)
class Query:
    """Rows that DuckDB will read in bulk: a SELECT of ours and the connection that it runs on."""

    connection: Connection
    sql: str


def connect() -> Connection:
    """Open a connection in memory, in UTC; it lives as long as the relations that are made with it."""
    connection = duckdb.connect(
        config={
            "python_enable_replacements": "false",  # or a table name could be any Python variable
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def text(value: str) -> str:
    """Quote a text for SQL."""
    return "'" + value.replace("'", "''") + "'"


def first_line(error: Exception) -> str:
    """Return what DuckDB says is wrong, without its kind of error and its picture of the query."""
    line = str(error).strip().splitlines()[0]
    return re.sub(r"^\w+( \w+)? Error: ", "", line)
