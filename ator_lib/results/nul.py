"""NUL characters: PostgreSQL keeps them in no text, so no store does; U+FFFD stands in their place."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.readers import duck
from ator_lib.results import files

_NUL = "\0"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def without_nul(table: pa.Table) -> pa.Table:
    """Give a small table without them."""
    for position, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            column = pc.replace_substring(table.column(position), _NUL, _REPLACEMENT)
            table = table.set_column(position, field, column)
    return table


def replace_nul(connection: duck.Connection, folder: Path, table: str) -> None:
    """Write a table of a set again if there is one in it.

    DuckDB looks at each distinct text of a column once, where Parquet has a dictionary of them: next to nothing.
    """
    texts = [field.name for field in files.TABLES[table] if pa.types.is_string(field.type)]
    held = " OR ".join(f'bool_or(contains("{name}", chr(0)))' for name in texts)
    file = f"read_parquet({duck.text(files.path_of(folder, table))}, hive_partitioning = false)"
    found = connection.execute(f"SELECT {held} FROM {file}").fetchall()  # noqa: S608 – SQL of our own
    if found == [(True,)]:
        files.rewrite(folder, table, without_nul)
