"""Sets on their way into PostgreSQL and out of it, between their Parquet files and the bulk tables."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
from sqlalchemy import Engine

from ator_lib.errors import NotFoundError, StoreError
from ator_lib.results import adbc, files
from ator_lib.results.faults import reason
from ator_lib.sql.bulk import bulk_tables

_KEYS = [pa.field("set_key", pa.int32()), pa.field("position", pa.int32())]


class Sending:
    """A set on its way in a thread of its own, in one transaction: the samples first, the rest once it is staged."""

    def __init__(self, engine: Engine, ingest_id: str, folder: Path) -> None:
        self._engine = engine
        self._ingest_id = ingest_id
        self._folder = folder
        self._is_staged = threading.Event()
        self._gave_up = False
        self._thread = ThreadPoolExecutor(1)
        self._done: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gave_up = kind is not None
        self._is_staged.set()
        self._thread.shutdown()

    def begin(self) -> None:
        """Send the samples."""
        self._done = self._thread.submit(self._send)

    def finish(self) -> None:
        """Send the rest, and wait for the commit."""
        self._is_staged.set()
        if self._done is not None:
            self._done.result()

    def _send(self) -> None:
        with adbc.session(self._engine) as session:
            key = _new_set(session, self._ingest_id, files.row_count(self._folder, "samples"))
            send(session, key, self._folder, "samples", wanted=lambda: not self._gave_up)
            self._is_staged.wait()
            if not self._gave_up:
                for table in files.TABLES.keys() - {"samples"}:
                    send(session, key, self._folder, table)
                session.commit()


def _new_set(session: adbc.Session, ingest_id: str, samples: int) -> int:
    row = session.row(
        "INSERT INTO bulk_sets (ingest_id, staged_at, samples, samples_expired) "
        "VALUES ($1, clock_timestamp(), $2, false) RETURNING set_key",
        ingest_id,
        samples,
    )
    assert row is not None  # noqa: S101 – what RETURNING means
    return int(row[0])


def found(session: adbc.Session, ingest_id: str, *, hold: bool = False) -> tuple[int, bool]:
    """Give the set's key, and whether its samples have expired; ``hold`` keeps others from changing it."""
    known = "SELECT set_key, samples_expired FROM bulk_sets WHERE ingest_id = $1 AND removed_at IS NULL"
    row = session.row(known + (" FOR UPDATE" if hold else ""), ingest_id)
    if row is None:
        raise NotFoundError(f"the results of ingest {ingest_id} are missing in the database: was the run deleted?")
    return int(row[0]), bool(row[1])


def send(
    session: adbc.Session, key: int, folder: Path, table: str, *, wanted: Callable[[], bool] = lambda: True
) -> None:
    """Append a table's rows, as long as they are wanted, each with its set and its place in it."""
    opened = files.open_table(folder, table)
    if opened.count_rows():
        columns = pa.schema([*_KEYS, *files.TABLES[table]])
        batches = takewhile(lambda _: wanted(), opened.to_batches(batch_readahead=2))
        rows = pa.RecordBatchReader.from_batches(columns, _keyed(key, batches, columns))
        session.send(bulk_tables[table].name, rows)


def _keyed(key: int, batches: Iterable[pa.RecordBatch], columns: pa.Schema) -> Iterator[pa.RecordBatch]:
    first = 0
    for batch in batches:
        after = first + batch.num_rows
        keys = [np.full(batch.num_rows, key, np.int32), np.arange(first, after, dtype=np.int32)]
        yield pa.RecordBatch.from_arrays([*map(pa.array, keys), *batch.columns], schema=columns)
        first = after


def fetch(session: adbc.Session, key: int, folder: Path, table: str, columns: Sequence[str] | None) -> None:
    """Write a table's rows in their order. They come in it, unless they fill gaps that others left."""
    wanted = [name for name in files.TABLES[table].names if columns is None or name in columns]
    listed = ", ".join(f'"{name}"' for name in wanted)
    sql = f"SELECT position, {listed} FROM {bulk_tables[table].name} WHERE set_key = {key}"  # noqa: S608
    for order in ("", " ORDER BY position"):
        try:
            with session.fetched(sql + order) as rows:
                ordered = _Ordered(rows)
                files.write(folder, table, ordered, columns=wanted)
        except (OSError, pa.ArrowException) as error:  # also of the connection, once the rows are coming
            raise StoreError(f"the {table} of a run cannot be fetched from the database: {reason(error)}") from error
        if ordered.in_order:
            return


class _Ordered:
    """Batches without their positions, and whether those ascend."""

    def __init__(self, rows: pa.RecordBatchReader) -> None:
        self._rows = rows
        self.in_order = True

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        last = -1
        for batch in self._rows:
            positions = batch.column(0).to_numpy()
            if len(positions):
                self.in_order = self.in_order and last < positions[0] and bool((np.diff(positions) > 0).all())
                last = positions[-1]
            yield batch.select(batch.schema.names[1:])
