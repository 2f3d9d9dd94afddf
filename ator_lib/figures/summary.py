"""The summary of a run as a table for the eye: in a notebook, light or dark, and in a page made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ator_lib.figures import markup, theme
from ator_lib.figures.markup import Cell, Column
from ator_lib.figures.rows import busiest_first, label_of
from ator_lib.schema import EXACT, PERCENTILE_RULE
from ator_lib.written import count, digits, percent


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SummaryTable:
    """Shows ``schema.SUMMARIES`` in a notebook: the endpoint with most requests first, the total apart.

    Error rates above 0 are marked by a sign, the cell of a p95 is filled as far as it is of the highest one, and many
    endpoints are in a box that scrolls.

    Parameters
    ----------
    summaries
        ``schema.SUMMARIES`` of one run.
    computed
        Whether the percentiles were computed from samples, so that the rule holds for them.
    """

    summaries: pa.Table
    computed: bool

    def __repr__(self) -> str:
        return f"SummaryTable({self.summaries.num_rows} rows)"

    def _repr_html_(self) -> str:
        rows = self.summaries.to_pylist()
        if not rows:
            return "<p>No requests.</p>"
        endpoints = sorted((row for row in rows if row["scope"] == "name"), key=busiest_first)
        highest = max((row["p95_ms"] or 0.0 for row in endpoints), default=0.0)
        totals = [row for row in rows if row["scope"] == "total"]
        return markup.shown(
            markup.table(endpoints, summary_columns(highest), name="Summary", foot=totals),
            markup.paragraph(" ".join(self.notes)),
        )

    @property
    def notes(self) -> list[str]:
        """How the rows are ordered, and how their figures came about."""
        endpoints = self.summaries["scope"].to_pylist().count("name")
        notes = [f"{endpoints:,} endpoints, most requests first."] if endpoints > 1 else []
        precision = ", ".join(dict.fromkeys(self.summaries["precision"].to_pylist()))
        if not self.computed:
            return [*notes, f"Figures are the tool's own; precision: {precision}."]
        return [*notes, *([] if precision == EXACT else [f"Precision of durations: {precision}."]), PERCENTILE_RULE]


def summary_columns(highest: float) -> list[Column]:
    """Give the columns of ``schema.SUMMARIES``; ``highest`` is the p95 that fills its cell."""
    return [
        Column(heading="Endpoint", write=label_of),
        Column(heading="Requests", write=lambda row: count(row["requests"])),
        Column(heading="Failures", write=lambda row: count(row["failures"])),
        Column(heading="Error rate", write=_error_rate),
        Column(heading="Requests/s", write=lambda row: digits(row["throughput_rps"])),
        *(_latency(name) for name in ("mean_ms", "p50_ms", "p90_ms")),
        Column(heading="p95 (ms)", write=lambda row: _p95(row, highest)),
        *(_latency(name) for name in ("p99_ms", "max_ms")),
    ]


def _latency(name: str) -> Column:
    return Column(heading=f"{name.removesuffix('_ms')} (ms)", write=lambda row: digits(row[name]))


def _error_rate(row: Mapping[str, Any]) -> str | Cell:
    written = percent(row["error_rate"])
    return Cell(text=written, sign="▲", colour=theme.FAILURES, tinted=True) if row["error_rate"] else written


def _p95(row: Mapping[str, Any], highest: float) -> str | Cell:
    written = digits(row["p95_ms"])
    is_bar = row["p95_ms"] is not None and highest > 0 and row["scope"] == "name"
    return Cell(text=written, share=row["p95_ms"] / highest) if is_bar else written
