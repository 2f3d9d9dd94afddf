"""Parquet files of the canonical tables: written in a stream, read lazily, versioned."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as fs
import pyarrow.parquet as pq

from ator_lib import schema
from ator_lib.errors import StoreVersionError
from ator_lib.readers.duck import Query, text

TABLES: dict[str, pa.Schema] = {
    "samples": schema.SAMPLES,
    "timeline": schema.TIMELINE,
    "metrics": schema.METRICS,
    "distributions": schema.DISTRIBUTIONS,
    "rejected": schema.REJECTED,
    "blocks": schema.TIMELINE,
    "errors": schema.ERRORS,
}
"""The tables of a file set; each is ``<table>.parquet`` in the set's folder.

``blocks`` and ``errors`` are there once the samples have expired, of which they are else computed.
"""

OPTIONAL = ("distributions", "rejected", "blocks", "errors")
"""Tables that have no file when they have no rows."""

_VERSION_KEY = b"ator_schema"
_ROW_GROUP = 131_072
"""Rows that are held in memory at most; a capture's batches of one second each would make tiny row groups."""

_FORMAT = ds.ParquetFileFormat()
_LOCAL = fs.LocalFileSystem()


def write(
    folder: Path, table: str, batches: Iterable[pa.RecordBatch], *, columns: Collection[str] | None = None
) -> None:
    """Write a table of a file set from batches of its schema, or some of its columns; nulls are checked against it."""
    fields = [field for field in TABLES[table] if columns is None or field.name in columns]
    marked = pa.schema(fields, {_VERSION_KEY: str(schema.VERSION)})
    with pq.ParquetWriter(_path(folder, table), marked, compression="zstd") as writer:
        for rows in _gathered(batches):
            writer.write_table(rows.cast(marked), row_group_size=_ROW_GROUP)


def write_query(folder: Path, table: str, rows: Query, *, required: str) -> int:
    """Write a table of a file set from rows that DuckDB reads in bulk; returns how many were left out.

    Left out are rows in which the column ``required`` is null. There are seldom any, so they are written at first, and
    only if the statistics of the file tell of some, the file is written again without them.
    """
    path = _path(folder, table)
    columns = ", ".join(f'"{field.name}"' for field in TABLES[table])
    options = (
        f"COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP}, KV_METADATA {{{_VERSION_KEY.decode()}: {schema.VERSION}}}"
    )

    def copy(source: str, target: str) -> None:
        rows.connection.execute(f"COPY ({source}) TO {text(target)} (FORMAT parquet, {options})")

    copy(f"SELECT {columns} FROM ({rows.sql})", path)  # noqa: S608 – SQL of our own
    left_out = _null_count(path, required)
    if left_out:
        whole = f"{path}.whole"
        copy(f'FROM read_parquet({text(path)}) WHERE "{required}" IS NOT NULL', whole)
        Path(whole).replace(path)
    return left_out


def _null_count(path: str, column: str) -> int:
    metadata = pq.read_metadata(path)
    position = metadata.schema.names.index(column)
    groups = (metadata.row_group(group).column(position) for group in range(metadata.num_row_groups))
    return sum(group.statistics.null_count for group in groups)


def row_count(folder: Path, table: str) -> int:
    """Rows of a table, from the file's footer."""
    return int(pq.read_metadata(_path(folder, table)).num_rows)


def size(folder: Path, table: str) -> int:
    """Bytes of a table's file; 0 when there is none."""
    try:
        return Path(_path(folder, table)).stat().st_size
    except FileNotFoundError:
        return 0


def remove(folder: Path, table: str) -> None:
    """Remove a table's file, if there is one."""
    Path(_path(folder, table)).unlink(missing_ok=True)


def open_table(folder: Path, table: str) -> ds.Dataset:
    """Open a table for reading, lazily.

    Raises
    ------
    StoreVersionError
        It was written by a newer ATOR.
    FileNotFoundError, OSError, pyarrow.ArrowException
        The file is missing, cannot be read, or is no Parquet.
    """
    path = _path(folder, table)
    if table in OPTIONAL and not Path(path).exists():
        return ds.dataset(TABLES[table].empty_table())
    version = int((pq.read_schema(path).metadata or {}).get(_VERSION_KEY, b"0"))
    if version > schema.VERSION:
        raise StoreVersionError(
            f"{path} has version {version} of the tables and this ATOR knows up to {schema.VERSION}: update ATOR"
        )
    return ds.FileSystemDataset([_fragment(path)], schema=TABLES[table], format=_FORMAT, filesystem=_LOCAL)


def open_runs(sets: Sequence[tuple[int, Path]], table: str) -> ds.Dataset:
    """Open a table of many runs as one with ``run_id`` first; no file is touched yet.

    The run_id is a partition: a query that filters on it reads only those runs' files.
    """
    fragments = [_fragment(_path(folder, table), ds.field("run_id") == run_id) for run_id, folder in sets]
    return ds.FileSystemDataset(fragments, schema=with_run_id(TABLES[table]), format=_FORMAT, filesystem=_LOCAL)


def with_run_id(table: pa.Schema) -> pa.Schema:
    """Put ``run_id`` before the columns of a table."""
    return pa.schema([pa.field("run_id", pa.int64(), nullable=False), *table])


def _path(folder: Path, table: str) -> str:
    return str(folder / f"{table}.parquet")


def _fragment(path: str, partition: ds.Expression | None = None) -> ds.Fragment:
    return _FORMAT.make_fragment(path, _LOCAL, partition_expression=partition)


def _gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        if rows >= _ROW_GROUP:
            yield pa.Table.from_batches(held)
            held, rows = [], 0
    if rows:
        yield pa.Table.from_batches(held)
