"""What files of results hold, before anything of them is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from ator_lib.execution.files import Files
from ator_lib.execution.ingest import Ingester
from ator_lib.figures.rows import busiest_first
from ator_lib.figures.summary import SummaryTable
from ator_lib.model import IngestReport
from ator_lib.results import files as bulk
from ator_lib.results.base import StagedResults
from ator_lib.results.parquet import ParquetStore
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.uploads import temporary_folder

MOST_LISTED = 20
"""Endpoints, and rejected rows, that ``Preview.to_dict`` lists."""

_BULK = ("samples", "timeline", "metrics", "distributions")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Preview:
    """What would become of files of results; shows itself in a notebook.

    Attributes
    ----------
    report
        What was read and left out, as ``run.ingest_report()`` would say.
    tables
        Rows by table, of those that have any.
    """

    report: IngestReport
    tables: Mapping[str, int]
    _summaries: pa.Table
    _rejected: pa.Table

    @property
    def format(self) -> str | None:
        """Name of the reader."""
        return self.report.format

    @property
    def summary(self) -> pd.DataFrame:
        """The SUMMARIES rows, as ``run.summary()`` would give: one per name and method, and the total last."""
        frame: pd.DataFrame = self._summaries.to_pandas()
        return frame

    @property
    def rejected(self) -> pd.DataFrame:
        """A row per row of the files that could not be taken in: source, line, reason, text."""
        frame: pd.DataFrame = self._rejected.to_pandas()
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it: of the endpoints those with most requests, of the rejected rows the first."""
        rows = self._summaries.to_pylist()
        endpoints = sorted((row for row in rows if row["scope"] == "name"), key=busiest_first)
        return {
            "report": self.report.to_json(),
            "lines": self.report.lines(),
            "tables": dict(self.tables),
            "total": next((row for row in rows if row["scope"] == "total"), None),
            "endpoints": endpoints[:MOST_LISTED],
            "rejected": self._rejected.slice(0, MOST_LISTED).to_pylist(),
        }

    def __repr__(self) -> str:
        return f"Preview({'; '.join(self.report.lines()[:1])})"

    def _repr_html_(self) -> str:
        table = SummaryTable(summaries=self._summaries, computed="summaries" in self.report.computed)
        return self.report._repr_html_() + (table._repr_html_() if len(self._summaries) else "")


def preview(parts: Parts, files: Files) -> Preview:
    """Read files as an ingest would, into a store of their own that goes again; see ``Workspace.preview``."""
    with temporary_folder(parts.data) as folder:
        store = ParquetStore(folder)
        ingester = Ingester(
            registry=parts.registry, engine=parts.engine, store=store, max_error_rate=parts.max_error_rate
        )
        staged = ingester.stage(files)
        rows = _rows_of(staged, folder / staged.ingest_id)
    tables = {table: count for table, count in rows.items() if count}
    return Preview(report=staged.report, tables=tables, _summaries=staged.summaries, _rejected=staged.rejected)


def _rows_of(staged: StagedResults, folder: Path) -> dict[str, int]:
    held = {"summaries": staged.summaries, "cases": staged.cases, "errors": staged.errors, "rejected": staged.rejected}
    written = {table: bulk.row_count(folder, table) for table in _BULK if bulk.size(folder, table)}
    return written | {table: len(rows) for table, rows in held.items()}
