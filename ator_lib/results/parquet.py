"""The store of embedded registries: one folder of immutable Parquet files per set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from ator_lib.errors import NotFoundError, StoreError
from ator_lib.readers.base import Reading, named
from ator_lib.results import files, folders
from ator_lib.results.base import StagedResults
from ator_lib.results.extent import ALL_TIME, Window
from ator_lib.results.faults import reason
from ator_lib.results.lending import Lent, RunSets
from ator_lib.results.staging import stage
from ator_lib.results.store import Store, kept_in


class ParquetStore(Store):
    """File sets under ``root``, one folder per ingest id; the first write makes the folder.

    Parameters
    ----------
    registry
        What tells the registry whose runs are kept here from others that share the folder.
    """

    def __init__(self, root: Path, *, registry: str = "") -> None:
        self.root = root
        self._registry = registry

    def write(self, reading: Reading) -> StagedResults:
        """Write the files into a hidden folder and rename it."""
        ingest_id = folders.new_ingest_id()
        with kept_in(named(self.root)), folders.staging(self.root, ingest_id) as folder:
            return stage(ingest_id, folder, reading)

    def keep(self, ingest_id: str) -> None:
        """Take the mark off that makes it sweepable."""
        folders.keep(self.root, ingest_id)

    def release(self, ingest_id: str) -> None:
        """Mark it with the registry that gives it up."""
        with _removing(ingest_id):
            folders.release(self.root, ingest_id, self._registry)

    def discard(self, ingest_id: str) -> None:
        """Rename the folder, then remove it: readers see all of it or none."""
        with _removing(ingest_id):
            folders.remove(self.root, ingest_id)

    def sweep(self, known: Collection[str]) -> list[str]:
        """Remove folders; those of registries that share the root are left alone."""
        return folders.sweep(self.root, known, self._registry)

    def put(self, ingest_id: str, tables: Mapping[str, pa.Table]) -> None:
        """Write each file aside and rename it."""
        with kept_in(named(self.root)), folders.adding_to(self._folder(ingest_id)) as aside:
            for table, rows in tables.items():
                files.write(aside, table, rows.to_batches())

    def expire(self, ingest_id: str) -> None:
        """Remove the file."""
        with _removing(ingest_id):
            files.remove(self._folder(ingest_id), "samples")

    def sample_bytes(self, ingest_id: str) -> int:
        """Look at the file."""
        return files.size(self.root / ingest_id, "samples")

    @contextmanager
    def lend(
        self, ingest_id: str, *tables: str, columns: Sequence[str] | None = None, window: Window = ALL_TIME
    ) -> Iterator[Lent]:
        """Give the set's own folder: of its files only the row groups that are asked for are read."""
        folder = self._folder(ingest_id)
        is_condensed = files.size(folder, "blocks") > 0
        yield Lent(folder=folder, samples_expired=is_condensed and not files.size(folder, "samples"))

    @contextmanager
    def lend_all(self, table: str, sets: RunSets, named: Collection[int]) -> Iterator[list[tuple[int, Path]]]:
        """Give the sets' own folders."""
        yield [(run_id, self.root / ingest_id) for run_id, ingest_id in sets]

    def _folder(self, ingest_id: str) -> Path:
        folder = self.root / ingest_id
        if not folders.is_ingest_id(ingest_id) or not folder.is_dir():
            raise NotFoundError(
                f"the results of ingest {ingest_id} are missing under {self.root}: was the folder moved or cleaned, "
                "or is it another machine's? ATOR_DATA names the data folder"
            )
        return folder


@contextmanager
def _removing(ingest_id: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"the results of ingest {ingest_id} cannot be removed: {reason(error)}") from error
