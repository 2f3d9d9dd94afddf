"""Parquet files of the canonical tables: written in a stream, read lazily, versioned."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

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
    "overview": schema.TIMELINE,
    "errors": schema.ERRORS,
}
"""The tables of a file set; each is ``<table>.parquet`` in the set's folder.

``blocks`` and ``distributions`` per block are there once the samples have expired, and from the beginning where these
are many (``staging.CONDENSED_FROM``); else they are computed of the samples. ``overview`` is the timeline in
intervals that a figure can show, unless those are the ones of ``timeline``.
"""

OPTIONAL = ("distributions", "rejected", "blocks", "overview")
"""Tables that have no file when they have no rows."""

_VERSION_KEY = b"ator_schema"
_ROW_GROUP = 131_072
"""Rows that are held in memory at most; a capture's batches of one second each would make tiny row groups."""

_BATCH = 65_536

_REPEATED = ("name", "method", "user", "worker", "group", "scenario")
_PLAIN = ds.ParquetFileFormat()
_ENCODED = ds.ParquetFileFormat(read_options=ds.ParquetReadOptions(dictionary_columns=_REPEATED))
_LOCAL = fs.LocalFileSystem()


def write(
    folder: Path, table: str, batches: Iterable[pa.RecordBatch], *, columns: Collection[str] | None = None
) -> None:
    """Write a table of a file set from batches of its schema, or some of its columns; nulls are checked against it."""
    fields = [field for field in TABLES[table] if columns is None or field.name in columns]
    marked = pa.schema(fields, {_VERSION_KEY: str(schema.VERSION)})
    texts = [field.name for field in fields if pa.types.is_string(field.type)]  # dictionaries of numbers only cost time
    with pq.ParquetWriter(path_of(folder, table), marked, compression="zstd", use_dictionary=texts) as writer:
        for rows in _gathered(batches):
            writer.write_table(rows.cast(marked), row_group_size=_ROW_GROUP)


def write_query(folder: Path, table: str, rows: Query, *, required: str) -> int:
    """Write a table of a file set from rows that DuckDB reads in bulk; returns how many could not be read.

    Those have null in the column ``required``, and are left out. There are seldom any, nor rows that the query itself
    leaves out in the end, so all are written at first, and if there are, the file is written again without them.
    ``users``, if the query has them, stay in the file, where nobody sees them.
    """
    path = path_of(folder, table)
    columns = ", ".join(f'"{field.name}"' for field in TABLES[table]) + (", users" if rows.has_users else "")
    options = (
        f"COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP}, KV_METADATA {{{_VERSION_KEY.decode()}: {schema.VERSION}}}"
    )

    def copy(source: str, target: str) -> None:
        rows.connection.execute(f"COPY ({source}) TO {text(target)} (FORMAT parquet, {options})")

    copy(f"SELECT {columns} FROM ({rows.sql})", path)  # noqa: S608 – SQL of our own
    unread = _null_count(path, required)
    written = f"read_parquet({text(path)}, file_row_number = true, hive_partitioning = false)"
    settled = rows.settle and rows.settle(written)
    if unread or settled:
        whole = f"{path}.whole"
        copy(f'SELECT {columns} FROM {written} WHERE "{required}" IS NOT NULL AND {settled or True}', whole)  # noqa: S608
        Path(whole).replace(path)
    return unread


def rewrite(folder: Path, table: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """Write a table again, changed a batch at a time."""
    batches = open_table(folder, table).to_batches(batch_readahead=1)
    changed = (part for batch in batches for part in change(pa.Table.from_batches([batch])).to_batches())
    with TemporaryDirectory(dir=folder) as aside:
        write(Path(aside), table, changed)
        Path(path_of(Path(aside), table)).replace(path_of(folder, table))


def _null_count(path: str, column: str) -> int:
    metadata = pq.read_metadata(path)
    position = metadata.schema.names.index(column)
    groups = (metadata.row_group(group).column(position) for group in range(metadata.num_row_groups))
    return sum(group.statistics.null_count for group in groups)


def row_count(folder: Path, table: str) -> int:
    """Rows of a table, from the file's footer."""
    return int(pq.read_metadata(path_of(folder, table)).num_rows)


def rows_between(folder: Path, table: str, first: int, after: int) -> Iterator[pa.RecordBatch]:
    """Give the rows of a table from the number ``first`` up to, not including, ``after``, counted from 0."""
    with pq.ParquetFile(path_of(folder, table)) as file:
        start = 0
        for group in range(file.metadata.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            if start < after and first < end:
                begin = max(first, start)
                rows = file.read_row_group(group, columns=TABLES[table].names).slice(begin - start, after - begin)
                yield from rows.cast(TABLES[table]).combine_chunks().to_batches(max_chunksize=_BATCH)
            start = end


def size(folder: Path, table: str) -> int:
    """Bytes of a table's file; 0 when there is none."""
    try:
        return Path(path_of(folder, table)).stat().st_size
    except FileNotFoundError:
        return 0


def remove(folder: Path, table: str) -> None:
    """Remove a table's file, if there is one."""
    Path(path_of(folder, table)).unlink(missing_ok=True)


def open_table(folder: Path, table: str, *, for_sql: bool = False) -> ds.Dataset:
    """Open a table for reading, lazily.

    Parameters
    ----------
    for_sql
        Texts that repeat come by their dictionary: to DuckDB they are the same texts, in half of the time.

    Raises
    ------
    StoreVersionError
        It was written by a newer ATOR.
    FileNotFoundError, OSError, pyarrow.ArrowException
        The file is missing, cannot be read, or is no Parquet.
    """
    if table in OPTIONAL and not Path(path_of(folder, table)).exists():
        return ds.dataset(TABLES[table].empty_table())
    return _dataset([(readable_path(folder, table), None)], TABLES[table], for_sql)


def readable_path(folder: Path, table: str) -> str:
    """Where a table's file lies, whose version was looked at.

    Raises
    ------
    StoreVersionError
        It was written by a newer ATOR.
    FileNotFoundError, OSError, pyarrow.ArrowException
        The file is missing, cannot be read, or is no Parquet.
    """
    path = path_of(folder, table)
    version = int((pq.read_schema(path).metadata or {}).get(_VERSION_KEY, b"0"))
    if version > schema.VERSION:
        raise StoreVersionError(
            f"{path} has version {version} of the tables and this ATOR knows up to {schema.VERSION}: update ATOR"
        )
    return path


def open_runs(sets: Sequence[tuple[int, Path]], table: str, *, for_sql: bool = False) -> ds.Dataset:
    """Open a table of many runs as one with ``run_id`` first, as ``open_table`` does; no file is touched yet.

    The run_id is a partition: a query that filters on it reads only those runs' files.
    """
    parts = [(path_of(folder, table), ds.field("run_id") == run_id) for run_id, folder in sets]
    return _dataset(parts, with_run_id(TABLES[table]), for_sql)


def with_run_id(table: pa.Schema) -> pa.Schema:
    """Put ``run_id`` before the columns of a table."""
    return pa.schema([pa.field("run_id", pa.int64(), nullable=False), *table])


def path_of(folder: Path, table: str) -> str:
    """Where a table's file lies."""
    return str(folder / f"{table}.parquet")


def _dataset(parts: Sequence[tuple[str, ds.Expression | None]], columns: pa.Schema, for_sql: bool) -> ds.Dataset:
    parquet = _ENCODED if for_sql else _PLAIN
    if for_sql:
        encoded = pa.dictionary(pa.int32(), pa.string())
        columns = pa.schema([field.with_type(encoded) if field.name in _REPEATED else field for field in columns])
    fragments = [parquet.make_fragment(path, _LOCAL, partition_expression=partition) for path, partition in parts]
    return ds.FileSystemDataset(fragments, schema=columns, format=parquet, filesystem=_LOCAL)


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
