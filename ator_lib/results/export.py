"""Everything that is kept of runs as one DuckDB file, or as a folder of Parquet or CSV files: a table of each view."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

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
_BULK = ("samples", "timeline", "metrics")

_AT_ONCE = 131_072
"""Rows of a view that are held: the rows of many small runs are written together."""

Add = Callable[[str, pa.Table], None]
"""Takes rows of a view, after those that it took before."""


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

    It is written aside and gets its name when it is whole. Rows pass through in a stream, a run at a time.

    Raises
    ------
    UsageError
        Something is there already, or the target's folder is not; nothing was changed.
    StoreError
        It cannot be written, or the results cannot be read; nothing is left of it.
    """
    _check_free(target, format, overwrite=overwrite)
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        with _writer(aside, format) as add:
            for view, rows in _gathered(_rows(engine, store, run_ids)):
                add(view, rows)
        _give_name(aside, target)
    except (OSError, pa.ArrowException, duck.DuckError) as error:
        raise StoreError(f"{target} cannot be written: {reason(error)}; nothing is left of it") from error
    finally:
        _remove(aside)


def _rows(engine: Engine, store: Store, run_ids: Sequence[int] | None) -> Iterator[tuple[str, pa.RecordBatch]]:
    small = {"runs": runs(engine, run_ids), "summaries": index.summaries(engine, run_ids)}
    small["cases"] = index.cases(engine, run_ids)
    for view, table in small.items():
        yield from ((view, batch) for batch in table.to_batches())
    for run_id, ingest_id in index.file_sets(engine):
        if run_ids is None or run_id in run_ids:
            with store.lend(ingest_id, *_BULK) as lent:
                for view in _BULK[lent.samples_expired :]:  # which come first
                    opened = files.open_runs([(run_id, lent.folder)], view)
                    yield from ((view, batch) for batch in opened.to_batches(batch_readahead=2))


def _gathered(parts: Iterable[tuple[str, pa.RecordBatch]]) -> Iterator[tuple[str, pa.Table]]:
    held: dict[str, list[pa.RecordBatch]] = {view: [] for view in VIEWS}
    for view, batch in parts:
        held[view].append(batch)
        if sum(each.num_rows for each in held[view]) >= _AT_ONCE:
            yield view, pa.Table.from_batches(held[view], VIEWS[view])
            held[view] = []
    for view, batches in held.items():
        yield view, pa.Table.from_batches(batches, VIEWS[view])


def _writer(path: Path, format: str) -> AbstractContextManager[Add]:
    return _database(path) if format == DUCKDB else _folder(path, format)


@contextmanager
def _database(path: Path) -> Iterator[Add]:
    with duck.new_database(path) as connection:
        yield lambda view, rows: duck.append(connection, view, rows)


@contextmanager
def _folder(path: Path, format: str) -> Iterator[Add]:
    path.mkdir()
    kind = pq.ParquetWriter if format == "parquet" else csv.CSVWriter
    with ExitStack() as stack:
        writers = {
            view: stack.enter_context(kind(str(path / f"{view}.{format}"), columns)) for view, columns in VIEWS.items()
        }
        yield lambda view, rows: writers[view].write_table(rows)


def _check_free(target: Path, format: str, *, overwrite: bool) -> None:
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {target.parent} for the export: make it first")
    if not target.exists() or (format != DUCKDB and target.is_dir() and not any(target.iterdir())):
        return
    if not overwrite:
        raise UsageError(f"{target} is there already: nothing was written. Give another name, or say --overwrite")
    own = {f"{view}.{kind}" for view in VIEWS for kind in FORMATS}
    if target.is_dir() == (format == DUCKDB) or (target.is_dir() and {p.name for p in target.iterdir()} - own):
        raise UsageError(f"{target} holds something else than an earlier export: nothing was overwritten")


def _give_name(aside: Path, target: Path) -> None:
    earlier = aside.with_suffix(".earlier")
    if target.is_dir() and any(target.iterdir()):
        target.rename(earlier)
    aside.replace(target)
    _remove(earlier)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
