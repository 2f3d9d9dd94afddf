"""Sets of bulk rows as Parquet files, which every store lends for as long as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ator_lib.results import duck, files

UNFETCHED = "not-fetched-from-its-store"
"""Name of a folder that is never there: who reads it has not named the run."""


@dataclass(frozen=True, kw_only=True)
class Lent:
    """Tables of a set as Parquet files in a folder; once the samples have expired they have none."""

    folder: Path
    samples_expired: bool

    @property
    def has_samples(self) -> bool:
        """Whether there are any; a tool may have left summaries alone."""
        return not self.samples_expired and files.row_count(self.folder, "samples") > 0

    @property
    def block_s(self) -> float | None:
        """How long the stored blocks are that were counted from samples; null where there are none."""
        if not files.size(self.folder, "blocks"):
            return None
        lengths = files.open_table(self.folder, "blocks").head(1, columns=["interval_s"])["interval_s"]
        return float(lengths[0].as_py()) if len(lengths) else None

    def stored(self, table: str) -> pa.Table:
        """Give a table as it is."""
        return files.open_table(self.folder, table).to_table()

    def opened(self, *tables: str) -> AbstractContextManager[duck.Connection]:
        """Give tables that have files to SQL of ours; they are read in a third of the time that a sandbox takes."""
        return duck.open_files({table: files.readable_path(self.folder, table) for table in tables})

    def sandboxed(self, *tables: str) -> AbstractContextManager[duck.Connection]:
        """Give tables to SQL of anybody's."""
        return duck.open_sandbox({table: files.open_table(self.folder, table, for_sql=True) for table in tables})


RunSets = Sequence[tuple[int, str]]
"""(run_id, ingest_id) of sets."""
