"""What a reader makes of files, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ator_lib.readers.base import NO_OPTIONS, Findings, Reading, ReadOptions, Source
from ator_lib.readers.duck import Query
from ator_lib.readers.formats import reader

RECORDED = Path(__file__).parents[1] / "recorded"


@dataclass(frozen=True, kw_only=True)
class Read:
    """A reading whose samples have been consumed, so that its findings are complete."""

    reading: Reading
    samples: list[dict[str, Any]]

    @property
    def findings(self) -> Findings:
        return self.reading.findings

    @property
    def summaries(self) -> list[dict[str, Any]]:
        """Rows of names."""
        assert self.reading.summaries is not None
        return [row for row in self.reading.summaries.to_pylist() if row["scope"] == "name"]

    @property
    def total(self) -> dict[str, Any]:
        """The row of the whole run."""
        assert self.reading.summaries is not None
        return next(row for row in self.reading.summaries.to_pylist() if row["scope"] == "total")


def source(path: Path) -> Source:
    """Name a file as people do."""
    return Source(path=path, name=path.name)


def read(format: str, *paths: Path, options: ReadOptions = NO_OPTIONS) -> Read:
    """Read files by the reader of that format."""
    reading = reader(format).read([source(path) for path in paths], options)
    return Read(reading=reading, samples=_consumed(reading.samples))


def _consumed(samples: pa.RecordBatchReader | Query | None) -> list[dict[str, Any]]:
    if isinstance(samples, Query):
        samples = samples.connection.sql(samples.sql).to_arrow_reader()
    rows: list[dict[str, Any]] = [] if samples is None else samples.read_all().to_pylist()
    return rows


def recognises(format: str, path: Path) -> bool:
    """Ask the reader of that format."""
    return reader(format).recognises(source(path))
