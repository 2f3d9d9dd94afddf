"""The summary of a run as a table for the eye: in a notebook, light or dark, and in a page made of it."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ator_lib.figures.rows import busiest_first, label_of
from ator_lib.schema import EXACT, PERCENTILE_RULE

MISSING = "–"
_MOST_LETTERS = 56


def digits(value: float) -> str:
    """Write a number with three significant digits, but every digit before the point.

    Examples
    --------
    >>> digits(0.01234), digits(0.5), digits(12.34), digits(1234.5)
    ('0.0123', '0.500', '12.3', '1,234')
    """
    magnitude = abs(value)
    if magnitude >= 99.95:
        return f"{value:,.0f}"
    return (
        f"{value:.1f}"
        if magnitude >= 9.995
        else f"{value:.2f}"
        if magnitude >= 0.9995
        else f"{value:#.3g}"
        if value
        else "0"
    )


def percent(share: float) -> str:
    """Write a share of 1 in percent; what is above 0 never reads as 0, nor what is below 1 as 100.

    Examples
    --------
    >>> percent(0), percent(0.00001), percent(0.0123), percent(0.9999)
    ('0 %', '< 0.01 %', '1.23 %', '> 99.9 %')
    """
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    if share < 0.0001:
        return "< 0.01 %"
    if share > 0.999:
        return "> 99.9 %"
    return f"{share * 100:.{2 if share < 0.0995 else 1}f} %"


_COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "requests": ("Requests", "{:,}".format),
    "failures": ("Failures", "{:,}".format),
    "error_rate": ("Error rate", percent),
    "throughput_rps": ("Requests/s", digits),
    **{f"{name}_ms": (f"{name} (ms)", digits) for name in ("mean", "p50", "p90", "p95", "p99", "max")},
}
"""SUMMARIES name → heading, and how a value is written."""


_CSS = """
.ator-summary {
  --ground: var(--jp-layout-color0, var(--vscode-editor-background, #fff));
  --ink: var(--jp-content-font-color0, var(--vscode-editor-foreground, #1f2933));
  --line: rgba(128, 128, 128, 0.45);
  color: var(--ink);
}
.ator-summary .ator-rows { max-height: 30rem; width: fit-content; max-width: 100%; overflow: auto; }
.ator-summary .ator-rows table {
  margin: 0; border: 0; border-collapse: separate; border-spacing: 0;
  font-size: 0.875rem; font-variant-numeric: tabular-nums;
}
.ator-summary .ator-rows tr > * {
  padding: 0.3rem 0.7rem; border: 0; border-bottom: 1px solid var(--line); color: var(--ink);
  background: var(--ground); text-align: right; vertical-align: top; white-space: nowrap;
  font-weight: 400;
}
.ator-summary .ator-rows tr > :first-child {
  min-width: 9rem; text-align: left; white-space: normal; overflow-wrap: anywhere;
}
.ator-summary .ator-rows thead tr > *, .ator-summary .ator-rows tfoot tr > * {
  position: sticky; z-index: 1; font-weight: 600;
}
.ator-summary .ator-rows thead tr > * { top: 0; border-bottom: 2px solid var(--line); }
.ator-summary .ator-rows tfoot tr > * { bottom: 0; border-top: 2px solid var(--line); border-bottom: 0; }
.ator-summary .ator-rows tr > .ator-failed {
  font-weight: 700;
  background: linear-gradient(rgba(213, 94, 0, 0.2), rgba(213, 94, 0, 0.2)), var(--ground);
}
.ator-summary .ator-rows tr > .ator-bar {
  background: linear-gradient(to right, rgba(0, 114, 178, 0.28) var(--share), transparent 0), var(--ground);
}
.ator-summary p { max-width: 60rem; margin: 0.5rem 0; font-size: 0.8125rem; }
@media print { .ator-summary .ator-rows { max-height: none; overflow: visible; } }
"""
"""Takes its colours from JupyterLab or VS Code, light or dark; elsewhere it is light. Tints let the ground through."""


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
        headings = "".join(f'<th scope="col">{heading}</th>' for heading, _ in _COLUMNS.values())
        body = "".join(_row(row, highest) for row in endpoints)
        totals = "".join(_row(row, 0.0) for row in rows if row["scope"] == "total")
        return (
            f"<style>{_CSS}</style>"
            '<div class="ator-summary"><div class="ator-rows" tabindex="0" role="region" aria-label="Summary"><table>'
            f'<thead><tr><th scope="col">Endpoint</th>{headings}</tr></thead>'
            f"<tbody>{body}</tbody><tfoot>{totals}</tfoot></table></div>"
            f"<p>{html.escape(' '.join(self._notes(rows, len(endpoints))))}</p></div>"
        )

    def _notes(self, rows: list[dict[str, Any]], endpoints: int) -> list[str]:
        notes = [f"{endpoints:,} endpoints, most requests first."] if endpoints > 1 else []
        precision = ", ".join(dict.fromkeys(row["precision"] for row in rows))
        if not self.computed:
            return [*notes, f"Figures are the tool's own; precision: {precision}."]
        return [*notes, *([] if precision == EXACT else [f"Precision of durations: {precision}."]), PERCENTILE_RULE]


def _row(row: dict[str, Any], highest: float) -> str:
    cells = "".join(_cell(row, column, highest) for column in _COLUMNS)
    return f"<tr>{_name(label_of(row))}{cells}</tr>"


def _name(label: str) -> str:
    """Head a row; a long name is cut in its middle and stands whole in the tooltip."""
    if len(label) <= _MOST_LETTERS:
        return f'<th scope="row">{html.escape(label)}</th>'
    half = _MOST_LETTERS // 2
    short = f"{label[: half - 1]}…{label[-half:]}"
    return f'<th scope="row" title="{html.escape(label, quote=True)}">{html.escape(short)}</th>'


def _cell(row: dict[str, Any], column: str, highest: float) -> str:
    value = row[column]
    if value is None:
        return f"<td>{MISSING}</td>"
    text = _COLUMNS[column][1](value)
    if column == "error_rate" and value > 0:
        return f'<td class="ator-failed"><span title="requests failed">▲</span> {html.escape(text)}</td>'
    if column == "p95_ms" and highest > 0:
        return f'<td class="ator-bar" style="--share:{100 * value / highest:.1f}%">{text}</td>'
    return f"<td>{html.escape(text)}</td>"
