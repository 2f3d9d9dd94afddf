"""The summary of a run: the total on top, then a row per request name, sorted as chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import panel as pn
from panel.viewable import Viewer

from panel_app import formats
from panel_app.fragment import Fragment
from panel_app.frames import records
from panel_app.markup import render


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table: a SUMMARIES name (``name``: the request), its heading and how it is written."""

    key: str
    heading: str
    write: Callable[[Any], str]
    kind: str = "n"


COLUMNS = (
    Column(key="name", heading="Request", write=formats.text, kind=""),
    Column(key="requests", heading="Requests", write=formats.count),
    Column(key="failures", heading="Failures", write=formats.count),
    Column(key="error_rate", heading="Errors", write=formats.percent),
    Column(key="throughput_rps", heading="Requests/s", write=formats.rate),
    Column(key="mean_ms", heading="Mean, ms", write=formats.milliseconds),
    Column(key="p50_ms", heading="p50, ms", write=formats.milliseconds),
    Column(key="p90_ms", heading="p90, ms", write=formats.milliseconds),
    Column(key="p95_ms", heading="p95, ms", write=formats.milliseconds),
    Column(key="p99_ms", heading="p99, ms", write=formats.milliseconds),
    Column(key="max_ms", heading="Max, ms", write=formats.milliseconds),
)


class SummaryTable(Viewer):
    """Shows SUMMARIES rows; a click on a heading sorts by it, another one the other way round."""

    def __init__(self) -> None:
        super().__init__()
        self.sort, self.descending = "name", False
        self._rows: list[dict[str, Any]] = []
        self._table = Fragment(on_choice=self.choose)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._table

    def display(self, summary: pd.DataFrame) -> None:
        """Show the rows of a run."""
        self._rows = records(summary)
        self._render()

    def choose(self, key: str) -> None:
        """Sort by that column: names from A, numbers from the greatest; again: the other way round."""
        if key not in {column.key for column in COLUMNS}:
            return
        self.descending = not self.descending if key == self.sort else key != "name"
        self.sort = key
        self._render()

    def _render(self) -> None:
        html = render(
            "summary.html",
            columns=COLUMNS,
            rows=[_written(row) for row in ordered(self._rows, self.sort, descending=self.descending)],
            sort=self.sort,
            descending=self.descending,
            precision=", ".join(dict.fromkeys(row["precision"] for row in self._rows)),
        )
        self._table.display(html)


def ordered(rows: list[dict[str, Any]], key: str, *, descending: bool) -> list[dict[str, Any]]:
    """Put the total first, then the others sorted by ``key``; rows without a value come last either way."""
    named = [row for row in rows if row["scope"] != "total"]
    known = sorted((row for row in named if row[key] is not None), key=lambda row: row[key], reverse=descending)
    unknown = [row for row in named if row[key] is None]
    return [row for row in rows if row["scope"] == "total"] + known + unknown


def _written(row: dict[str, Any]) -> dict[str, Any]:
    label = "All requests" if row["scope"] == "total" else " ".join(filter(None, (row["method"], row["name"])))
    written: dict[str, Any] = {column.key: column.write(row[column.key]) for column in COLUMNS}
    bad = {"failures", "error_rate"} if row["failures"] else set()
    return {**written, "name": label, "is_total": row["scope"] == "total", "bad": bad}
