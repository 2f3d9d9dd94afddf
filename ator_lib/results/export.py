"""Everything that is kept of runs as one DuckDB file, or as a folder of Parquet or CSV files."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
from sqlalchemy import Engine

from ator_lib.errors import StoreError, UsageError
from ator_lib.results import duck, files, index
from ator_lib.results.faults import reason
from ator_lib.results.query import VIEWS, runs
from ator_lib.results.store import Store

DUCKDB = "duckdb"
FORMATS = (DUCKDB, "parquet", "csv")

_DATABASE_SUFFIXES = (".duckdb", ".ddb", ".db")
_BULK = ("samples", "timeline", "metrics", "distributions")

TABLES: dict[str, pa.Schema] = {
    **VIEWS,
    **{table: files.with_run_id(files.TABLES[table]) for table in ("errors", "distributions")},
}
"""Every table of an export with its columns: the views, and what is kept beside the samples or in place of them."""

_AT_ONCE = 131_072
"""Rows of a table that are held: the rows of many small runs are written together."""

Add = Callable[[str, pa.Table], None]
"""Takes rows of a table, after those that it took before."""


def format_of(target: Path, format: str | None) -> str:
    """Say what a target is to be: what is asked for, or else what its name says.

    Raises
    ------
    UsageError
        There is no such format, or the name says nothing.
    """
    if format is not None and format not in FORMATS:
        raise UsageError(f"there is no export format {format!r}: use {', '.join(FORMATS)}")
    if format is None and target.suffix.lower() in _DATABASE_SUFFIXES:
        return DUCKDB
    if format is None and target.suffix:
        raise UsageError(f"{target}: say by format what it is to be ({', '.join(FORMATS)}), or name it like out.duckdb")
    return format or "parquet"


def export(
    target: Path,
    format: str,
    *,
    engine: Engine,
    store: Store,
    run_ids: Sequence[int] | None = None,
    overwrite: bool = False,
) -> None:
    """Write all runs, or some, with all that is kept of them.

    It is written aside and gets its name when it is whole. Rows pass through in a stream, a run at a time. An earlier
    folder is called ``….earlier`` for the moment in which the new one gets its name.

    Raises
    ------
    UsageError
        Something is there already, or the target's folder is not; nothing was changed.
    StoreError
        It cannot be written, or the results cannot be read; nothing is left of it, and an earlier one is as it was.
    """
    _check_free(target, format, overwrite=overwrite)
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        with _writer(aside, format) as add:
            for table, rows in _gathered(_rows(engine, store, run_ids)):
                add(table, rows)
        _give_name(aside, target)
    except (OSError, pa.ArrowException, duck.DuckError) as error:
        raise StoreError(f"{target} cannot be written: {reason(error)}; what was there is as it was") from error
    finally:
        _remove(aside)


def _rows(engine: Engine, store: Store, run_ids: Sequence[int] | None) -> Iterator[tuple[str, pa.RecordBatch]]:
    small = {"runs": runs(engine, run_ids), "summaries": index.summaries(engine, run_ids)}
    small["cases"] = index.cases(engine, run_ids)
    for table, rows in small.items():
        yield from ((table, batch) for batch in rows.to_batches())
    for run_id, ingest_id in index.file_sets(engine):
        if run_ids is None or run_id in run_ids:
            for table, batch in _bulk_rows(store, ingest_id):
                numbers = pa.array(np.full(batch.num_rows, run_id))
                yield table, pa.RecordBatch.from_arrays([numbers, *batch.columns], schema=TABLES[table])


def _bulk_rows(store: Store, ingest_id: str) -> Iterator[tuple[str, pa.RecordBatch]]:
    yield from (("errors", batch) for batch in store.errors(ingest_id).to_batches())
    with store.borrowed(ingest_id, *_BULK) as lent:
        for table in _BULK[lent.samples_expired :]:  # which come first
            opened = files.open_table(lent.folder, table)
            yield from ((table, batch) for batch in opened.to_batches(batch_readahead=2))


def _gathered(parts: Iterable[tuple[str, pa.RecordBatch]]) -> Iterator[tuple[str, pa.Table]]:
    held: dict[str, list[pa.RecordBatch]] = {table: [] for table in TABLES}
    for table, batch in parts:
        held[table].append(batch)
        if sum(each.num_rows for each in held[table]) >= _AT_ONCE:
            yield table, pa.Table.from_batches(held[table], TABLES[table])
            held[table] = []
    for table, batches in held.items():
        yield table, pa.Table.from_batches(batches, TABLES[table])


def _writer(path: Path, format: str) -> AbstractContextManager[Add]:
    return _database(path) if format == DUCKDB else _folder(path, format)


@contextmanager
def _database(path: Path) -> Iterator[Add]:
    with duck.new_database(path) as connection:
        yield lambda table, rows: duck.append(connection, table, rows)


@contextmanager
def _folder(path: Path, format: str) -> Iterator[Add]:
    path.mkdir()
    kind = pq.ParquetWriter if format == "parquet" else csv.CSVWriter
    with ExitStack() as stack:
        writers = {
            table: stack.enter_context(kind(str(path / f"{table}.{format}"), columns))
            for table, columns in TABLES.items()
        }
        yield lambda table, rows: writers[table].write_table(rows)


def _check_free(target: Path, format: str, *, overwrite: bool) -> None:
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {target.parent} for the export: make it first")
    if not target.exists() or (format != DUCKDB and target.is_dir() and not any(target.iterdir())):
        return
    if not overwrite:
        raise UsageError(f"{target} is there already: nothing was written. Give another name, or say --overwrite")
    own = {f"{table}.{kind}" for table in TABLES for kind in FORMATS}
    if target.is_dir() == (format == DUCKDB) or (target.is_dir() and {p.name for p in target.iterdir()} - own):
        raise UsageError(f"{target} holds something else than an earlier export: nothing was overwritten")


def _give_name(aside: Path, target: Path) -> None:
    if not target.is_dir() or not any(target.iterdir()):
        aside.replace(target)
        return
    earlier = target.with_name(aside.with_suffix(".earlier").name[1:])  # seen by all, should we be killed here
    target.rename(earlier)
    try:
        aside.replace(target)
    except OSError as error:
        _give_back(earlier, target, error)
        raise
    _remove(earlier)


def _give_back(earlier: Path, target: Path, why: OSError) -> None:
    try:
        earlier.rename(target)
    except OSError as error:
        raise StoreError(
            f"{target} cannot be written: {reason(why)}; the earlier export is {earlier} now, as it cannot get its "
            f"name back: {reason(error)}"
        ) from why


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
