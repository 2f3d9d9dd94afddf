"""The store of teams without a shared disk: rows of all sets in a few tables of the registry's own PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Connection, Engine, delete, exists, func, select, update

from ator_lib.errors import StoreError
from ator_lib.readers.base import Reading
from ator_lib.results import adbc, files, folders
from ator_lib.results.base import POSTGRES, StagedResults
from ator_lib.results.extent import ALL_TIME, Window
from ator_lib.results.faults import reason
from ator_lib.results.lending import UNFETCHED, Lent, RunSets
from ator_lib.results.staging import stage
from ator_lib.results.store import Store, kept_in
from ator_lib.results.transfer import Sending, fetch, found, send
from ator_lib.sql.bulk import bulk_sets, bulk_tables
from ator_lib.sql.engine import read, write
from ator_lib.sql.tables import ingests
from ator_lib.sql.translate import shown
from ator_lib.sql.types import Clock

DELETED_AT_ONCE = 100_000
"""Rows of a transaction: others wait for none of them, and a kill loses little."""

_SETS = bulk_sets.c


class PostgresStore(Store):
    """Sets in the tables of ``sql/bulk.py``, in the database that says whose they are.

    A set is staged as Parquet files, as in the other store, so that all its figures are the same, and then sent in one
    transaction. To be read it is fetched into such files again, its rows in the order of their ``position``.

    Parameters
    ----------
    scratch
        Folder for those files; the sweep of a ``ParquetStore`` there removes what killed processes leave.
    """

    def __init__(self, engine: Engine, scratch: Path) -> None:
        self._engine = engine
        self._scratch = scratch

    def write(self, reading: Reading) -> StagedResults:
        """Stage the set as files, and send them; the samples while their summaries and timeline are computed."""
        ingest_id = folders.new_ingest_id()
        where = f"{shown(self._engine.url)}, by way of {self._scratch}"
        try:
            with (
                kept_in(where),
                folders.scratch(self._scratch) as folder,
                Sending(self._engine, ingest_id, folder) as sent,
            ):
                staged = stage(ingest_id, folder, reading, on_samples=sent.begin)
                sent.finish()
        except BaseException:
            with suppress(StoreError):  # what is left is swept
                self.discard(ingest_id)
            raise
        return replace(staged, store=POSTGRES)

    def keep(self, ingest_id: str) -> None:
        """Do nothing: the sweep sees in the same database that a run points at the set."""

    def release(self, ingest_id: str) -> None:
        """Do nothing: the sweep sees in the same database that no run points at the set any more."""

    def discard(self, ingest_id: str) -> None:
        """Mark the set as going, which hides all of it, then delete its rows."""
        with write(self._engine) as connection:
            key = _mark_removed(connection, ingest_id)
        if key is not None:
            self._delete(key, *bulk_tables)
            with write(self._engine) as connection:
                connection.execute(delete(bulk_sets).where(_SETS.set_key == key))

    def sweep(self, known: Collection[str]) -> list[str]:
        """Remove sets of no run, but those that are being written. What cannot be removed stays."""
        swept = []
        with suppress(StoreError):
            for ingest_id in self._orphans():
                if ingest_id not in known and self._claim(ingest_id):
                    self.discard(ingest_id)
                    swept.append(ingest_id)
        return swept

    def put(self, ingest_id: str, tables: Mapping[str, pa.Table]) -> None:
        """Replace rows in one transaction."""
        with kept_in(shown(self._engine.url)), folders.scratch(self._scratch) as folder:
            for table, rows in tables.items():
                files.write(folder, table, rows.to_batches())
            with adbc.session(self._engine) as session:
                key = found(session, ingest_id, hold=True).key
                for table in tables:
                    session.execute(f"DELETE FROM {bulk_tables[table].name} WHERE set_key = {key}")  # noqa: S608
                    send(session, key, folder, table)
                session.commit()

    def expire(self, ingest_id: str) -> None:
        """Say that they have expired, then delete their rows."""
        this = update(bulk_sets).where(_SETS.ingest_id == ingest_id).returning(_SETS.set_key)
        with write(self._engine) as connection:
            key = connection.scalar(this.values(samples_expired=True))
        if key is not None:
            self._delete(key, "samples")
            with write(self._engine) as connection:
                connection.execute(this.values(samples=0))

    def sample_bytes(self, ingest_id: str) -> int:
        """Give the set's share of the table, by its number of rows."""
        whole = func.pg_table_size(bulk_tables["samples"].name)
        every = select(func.sum(_SETS.samples)).scalar_subquery()
        share = select(whole * _SETS.samples / every).where(_SETS.ingest_id == ingest_id, _SETS.samples > 0)
        with read(self._engine) as connection:
            size = connection.scalar(share)
        return 0 if size is None else max(int(size), 1)

    @contextmanager
    def lend(
        self, ingest_id: str, *tables: str, columns: Sequence[str] | None = None, window: Window = ALL_TIME
    ) -> Iterator[Lent]:
        """Fetch the tables into a folder of their own; of the samples those in the window."""
        with ExitStack() as stack:
            with self._fetching():
                folder = stack.enter_context(folders.scratch(self._scratch))
                with adbc.session(self._engine, of_one_moment=True) as session:
                    known = found(session, ingest_id)
                    for table in tables:
                        if table != "samples":
                            fetch(session, known, folder, table)
                        elif not known.samples_expired:
                            fetch(session, known, folder, table, columns, window)
            yield Lent(folder=folder, samples_expired=known.samples_expired)

    @contextmanager
    def lend_all(self, table: str, sets: RunSets, named: Collection[int]) -> Iterator[list[tuple[int, Path]]]:
        """Fetch the table of the runs that are named."""
        with ExitStack() as stack:
            with self._fetching():
                folder = stack.enter_context(folders.scratch(self._scratch))
                for ingest_id in [ingest_id for run_id, ingest_id in sets if run_id in named]:
                    (folder / ingest_id).mkdir()
                    with adbc.session(self._engine, of_one_moment=True) as session:
                        fetch(session, found(session, ingest_id), folder / ingest_id, table)
            yield [(run_id, folder / (ingest_id if run_id in named else UNFETCHED)) for run_id, ingest_id in sets]

    @contextmanager
    def _fetching(self) -> Iterator[None]:
        """Tell what keeps rows from being fetched, but nothing that happens while they are lent."""
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise StoreError(f"the results of a run cannot be fetched into {self._scratch}: {reason(error)}") from error

    def _orphans(self) -> list[str]:
        has_run = exists().where(ingests.c.ingest_id == _SETS.ingest_id)
        is_old = _SETS.staged_at < Clock(-folders.ORPHAN_AGE_S)
        with read(self._engine) as connection:
            return list(connection.scalars(select(_SETS.ingest_id).where(~has_run, is_old)))

    def _claim(self, ingest_id: str) -> bool:
        """Mark a set for removal, unless it is being written or recorded, or was recorded after all."""
        with write(self._engine) as connection:
            held = select(_SETS.set_key).where(_SETS.ingest_id == ingest_id).with_for_update(skip_locked=True)
            recorded = select(ingests.c.run_id).where(ingests.c.ingest_id == ingest_id)
            if connection.scalar(held) is None or connection.scalar(recorded) is not None:
                return False
            return _mark_removed(connection, ingest_id) is not None

    def _delete(self, key: int, *tables: str) -> None:
        for name in tables:
            rows = bulk_tables[name].c
            with read(self._engine) as connection:
                last = connection.scalar(select(func.max(rows.position)).where(rows.set_key == key))
            for first in range(0, 0 if last is None else last + 1, DELETED_AT_ONCE):
                chunk = rows.position.between(first, first + DELETED_AT_ONCE - 1)
                with write(self._engine) as connection:
                    connection.execute(delete(bulk_tables[name]).where(rows.set_key == key, chunk))


def _mark_removed(connection: Connection, ingest_id: str) -> int | None:
    marked = update(bulk_sets).where(_SETS.ingest_id == ingest_id).values(removed_at=Clock())
    key: int | None = connection.scalar(marked.returning(_SETS.set_key))
    return key
