"""Sets on their way into PostgreSQL and out of it, between their Parquet files and the bulk tables."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise, takewhile
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
from sqlalchemy import Engine

from ator_lib.errors import NotFoundError
from ator_lib.results import adbc, files
from ator_lib.results.extent import ALL_TIME, Window
from ator_lib.sql.bulk import bulk_tables

_KEYS = [pa.field("set_key", pa.int32()), pa.field("position", pa.int32())]


PART = 250_000
"""Rows that are worth a connection of their own."""

SENDERS = 2
"""Connections that send at once: client and server wait for each other on one, and on two hardly ever."""

Range = tuple[int, int]
"""Positions from the first up to, not including, the second."""


def parts_of(rows: int) -> list[Range]:
    """Cut a table into what goes over one connection each, and so comes back in its order."""
    number = min(max(rows // PART, 1), SENDERS)
    cuts = [rows * part // number for part in range(number + 1)]
    return list(pairwise(cuts))


class Sending:
    """A set on its way in threads of their own: the samples first, the rest once it is staged.

    It is hidden until all is there. A row of it that was locked all the time tells the sweep that it is not forgotten.
    """

    def __init__(self, engine: Engine, ingest_id: str, folder: Path) -> None:
        self._engine = engine
        self._ingest_id = ingest_id
        self._folder = folder
        self._is_staged = threading.Event()
        self._gave_up = False
        self._threads = ThreadPoolExecutor(SENDERS)
        self._done: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gave_up = kind is not None
        self._is_staged.set()
        self._threads.shutdown()

    def begin(self) -> None:
        """Send the samples."""
        self._done = self._threads.submit(self._send)

    def finish(self) -> None:
        """Send the rest, and wait until all is there."""
        self._is_staged.set()
        if self._done is not None:
            self._done.result()

    def _send(self) -> None:
        samples = files.row_count(self._folder, "samples")
        first, *others = parts_of(samples)
        with adbc.session(self._engine) as session:
            key = _new_set(session, self._ingest_id, samples)
            session.commit()
            session.execute(f"SELECT 1 FROM bulk_sets WHERE set_key = {key} FOR UPDATE")  # noqa: S608
            sent = [self._threads.submit(self._send_part, key, part) for part in others]
            self._send_rows(session, key, first)
            for part in sent:
                part.result()
            self._is_staged.wait()
            if not self._gave_up:
                for table in files.TABLES.keys() - {"samples"}:
                    send(session, key, self._folder, table)
                _show(session, key)
                session.commit()

    def _send_part(self, key: int, part: Range) -> None:
        with adbc.session(self._engine) as session:
            self._send_rows(session, key, part)
            session.commit()

    def _send_rows(self, session: adbc.Session, key: int, part: Range) -> None:
        send(session, key, self._folder, "samples", part, wanted=lambda: not self._gave_up)


def _new_set(session: adbc.Session, ingest_id: str, samples: int) -> int:
    row = session.row(
        "INSERT INTO bulk_sets (ingest_id, staged_at, samples, samples_expired, removed_at) "
        "VALUES ($1, clock_timestamp(), $2, false, clock_timestamp()) RETURNING set_key",
        ingest_id,
        samples,
    )
    assert row is not None  # noqa: S101 – what RETURNING means
    return int(row[0])


def _show(session: adbc.Session, key: int) -> None:
    """Let the set be read; the time in which it is to be recorded begins here, however long it took to send."""
    sql = f"UPDATE bulk_sets SET removed_at = NULL, staged_at = clock_timestamp() WHERE set_key = {key}"  # noqa: S608
    session.execute(sql)


class Found(NamedTuple):
    """A set that can be read."""

    key: int
    samples: int
    samples_expired: bool


def found(session: adbc.Session, ingest_id: str, *, hold: bool = False) -> Found:
    """Look a set up; ``hold`` keeps others from changing it.

    Raises
    ------
    NotFoundError
        There is none.
    """
    known = "SELECT set_key, samples, samples_expired FROM bulk_sets WHERE ingest_id = $1 AND removed_at IS NULL"
    row = session.row(known + (" FOR UPDATE" if hold else ""), ingest_id)
    if row is None:
        raise NotFoundError(f"the results of ingest {ingest_id} are missing in the database: was the run deleted?")
    return Found(*row)


def send(
    session: adbc.Session,
    key: int,
    folder: Path,
    table: str,
    part: Range | None = None,
    *,
    wanted: Callable[[], bool] = lambda: True,
) -> None:
    """Append a table's rows, or a part of them, as long as they are wanted, with their set and place in it."""
    first, after = part or (0, files.row_count(folder, table) if files.size(folder, table) else 0)
    if first < after:
        columns = pa.schema([*_KEYS, *files.TABLES[table]])
        batches = takewhile(lambda _: wanted(), files.rows_between(folder, table, first, after))
        rows = pa.RecordBatchReader.from_batches(columns, _keyed(key, first, batches, columns))
        session.send(bulk_tables[table].name, rows)


def _keyed(key: int, first: int, batches: Iterable[pa.RecordBatch], columns: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        after = first + batch.num_rows
        keys = [np.full(batch.num_rows, key, np.int32), np.arange(first, after, dtype=np.int32)]
        yield pa.RecordBatch.from_arrays([*map(pa.array, keys), *batch.columns], schema=columns)
        first = after


def fetch(
    session: adbc.Session,
    known: Found,
    folder: Path,
    table: str,
    columns: Sequence[str] | None = None,
    window: Window = ALL_TIME,
) -> None:
    """Write a table's rows, or some columns of them, in their order; they seldom lie in another one.

    ``window`` is of samples alone.

    Raises
    ------
    OSError, pyarrow.ArrowException
        They cannot be written.
    """
    wanted = [name for name in files.TABLES[table].names if columns is None or name in columns]
    listed = ", ".join(f'"{name}"' for name in wanted)
    sql = f"SELECT position, {listed} FROM {bulk_tables[table].name} WHERE set_key = {known.key}"  # noqa: S608
    sql += _within(window)
    parts = parts_of(known.samples) if table == "samples" else [(0, 2**31 - 1)]
    as_sent = [f"{sql} AND position >= {first} AND position < {after}" for first, after in parts]
    for queries in (as_sent, [f"{sql} ORDER BY position"]):
        ordered = _Ordered(session, queries)
        files.write(folder, table, ordered, columns=wanted)
        if ordered.in_order:
            return


def _within(window: Window) -> str:
    bounds = zip((">=", "<"), window, strict=True)
    return "".join(f" AND started_at {how} '{bound.isoformat()}'" for how, bound in bounds if bound is not None)


class _Ordered:
    """Rows of one query after the other without their positions, and whether those ascend."""

    def __init__(self, session: adbc.Session, queries: Sequence[str]) -> None:
        self._session = session
        self._queries = queries
        self.in_order = True

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        last = -1
        for query in self._queries:
            with self._session.fetched(query) as rows:
                for batch in rows:
                    positions = batch.column(0).to_numpy()
                    if len(positions):
                        ascends = last < positions[0] and bool((np.diff(positions) > 0).all())
                        self.in_order = self.in_order and ascends
                        last = positions[-1]
                    yield batch.select(batch.schema.names[1:])
