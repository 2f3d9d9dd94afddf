"""The two stores of a registry in PostgreSQL, as one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Engine

from ator_lib.errors import StoreError
from ator_lib.readers.base import Reading
from ator_lib.results import index
from ator_lib.results.base import StagedResults
from ator_lib.results.extent import ALL_TIME, Window
from ator_lib.results.lending import Lent, RunSets
from ator_lib.results.store import Store


class Stores(Store):
    """Writes to the store that was chosen, and reads each set from where ``ingests.store`` says that it is.

    Parameters
    ----------
    stores
        By the name that stands there.
    chosen
        Where new sets are kept.
    """

    def __init__(self, engine: Engine, stores: Mapping[str, Store], chosen: str) -> None:
        self._engine = engine
        self._stores = stores
        self._chosen = chosen

    def write(self, reading: Reading) -> StagedResults:
        """Write to the chosen one."""
        return self._stores[self._chosen].write(reading)

    def keep(self, ingest_id: str) -> None:
        """Tell both: nothing happens where there is no such set."""
        for store in self._stores.values():
            store.keep(ingest_id)

    def release(self, ingest_id: str) -> None:
        """Tell both."""
        for store in self._stores.values():
            store.release(ingest_id)

    def discard(self, ingest_id: str) -> None:
        """Tell both."""
        for store in self._stores.values():
            store.discard(ingest_id)

    def sweep(self, known: Collection[str]) -> list[str]:
        """Sweep both."""
        return [ingest_id for store in self._stores.values() for ingest_id in store.sweep(known)]

    def put(self, ingest_id: str, tables: Mapping[str, pa.Table]) -> None:
        """Put them where the set is."""
        self._of(ingest_id).put(ingest_id, tables)

    def expire(self, ingest_id: str) -> None:
        """Remove them where the set is."""
        self._of(ingest_id).expire(ingest_id)

    def sample_bytes(self, ingest_id: str) -> int:
        """Ask where the set is."""
        return self._of(ingest_id).sample_bytes(ingest_id)

    def lend(
        self, ingest_id: str, *tables: str, columns: Sequence[str] | None = None, window: Window = ALL_TIME
    ) -> AbstractContextManager[Lent]:
        """Lend from where the set is."""
        return self._of(ingest_id).lend(ingest_id, *tables, columns=columns, window=window)

    @contextmanager
    def lend_all(self, table: str, sets: RunSets, named: Collection[int]) -> Iterator[list[tuple[int, Path]]]:
        """Lend from both."""
        lent: list[tuple[int, Path]] = []
        with ExitStack() as stack:
            for name, store in self._stores.items():
                held = index.sets_in(self._engine, name)
                own = [(run_id, ingest_id) for run_id, ingest_id in sets if ingest_id in held]
                lent += stack.enter_context(store.lend_all(table, own, named))
            yield sorted(lent)

    def _of(self, ingest_id: str) -> Store:
        name = index.store_of(self._engine, ingest_id) or self._chosen  # no run points at what was just staged
        if name not in self._stores:
            raise StoreError(
                f"the results of ingest {ingest_id} are kept in {name!r}, which this ATOR does not know: update ATOR"
            )
        return self._stores[name]
