"""Figures that put endpoints side by side: by percentile, and by latency."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import pyarrow as pa

from ator_lib.figures import theme
from ator_lib.figures.rows import label_of
from ator_lib.schema import PERCENTILES

_MOST_LINES = len(theme.LINES)
"""Curves with a colour and a name of their own; more cannot be told apart."""
_MOST_ROWS = 60
"""Endpoints with a row of their own; the others are summed up."""


def latency_figure(summaries: pa.Table, *, title: str = "Latency by percentile") -> go.Figure:
    """Draw a line per endpoint from p50 to p99.9, and the total's.

    ``summaries`` is ``schema.SUMMARIES``. The endpoints with the highest p95 have colours and names; where there are
    more than six the others are thin and grey, with their names on hovering.
    """
    rows = _with_latencies(summaries)
    if not rows:
        return theme.empty_figure(title)
    endpoints = sorted((r for r in rows if r["scope"] == "name"), key=_slowest_first)
    others = endpoints[_MOST_LINES:]
    figure = go.Figure()
    for row in others:
        figure.add_trace(_percentile_line(row, colour=theme.PALE, width=1, named=False))
    if others:
        figure.add_trace(_key_of_others(len(others)))
    for row, colour in zip(endpoints[:_MOST_LINES], theme.LINES, strict=False):
        figure.add_trace(_percentile_line(row, colour=colour, width=2, named=True))
    for row in (r for r in rows if r["scope"] == "total"):
        figure.add_trace(_percentile_line(row, colour=theme.TOTAL, width=3, named=True).update(line_dash="dot"))
    figure.update_xaxes(title_text="share of requests that were faster", type="category")
    theme.set_latency_axis(figure.layout.yaxis, [r[c] for r in rows for c in PERCENTILES if r[c] is not None])
    figure.update_layout(legend={"orientation": "v", "x": 1.01, "y": 1, "yanchor": "top", "traceorder": "normal"})
    return theme.styled(figure, title=title, height=420)


_LABELS = [f"{q * 100:g} %" for q in PERCENTILES.values()]


def _percentile_line(row: dict[str, Any], *, colour: str, width: int, named: bool) -> go.Scatter:
    return go.Scatter(
        x=_LABELS,
        y=[row[column] for column in PERCENTILES],
        name=theme.short(label_of(row)),
        mode="lines+markers" if named else "lines",
        line={"color": colour, "width": width},
        marker={"size": 2 + 2 * width},
        showlegend=named,
        legendrank=1000 if named else 1001,
        hovertemplate="%{x} of requests: %{y:,.4~g} ms",
    )


def _key_of_others(count: int) -> go.Scatter:
    """Draw nothing: it stands in the legend for the grey lines."""
    line = {"color": theme.PALE, "width": 1}
    return go.Scatter(x=[None], y=[None], name=theme.others(count), mode="lines", line=line, legendrank=1001)


def endpoints_figure(summaries: pa.Table, *, title: str = "Latency by endpoint") -> go.Figure:
    """Draw each endpoint's p50, p95 and p99 on one line, the highest p95 on top; the total comes first.

    ``summaries`` is ``schema.SUMMARIES``. The figure grows with the number of endpoints up to sixty; where there are
    more, the range of the others is one grey line at the bottom.
    """
    known = _with_latencies(summaries)
    rows = sorted(known, key=lambda row: (row["scope"] != "total", *_slowest_first(row)))
    if not rows:
        return theme.empty_figure(title)
    rows, others = rows[: _MOST_ROWS + 1], rows[_MOST_ROWS + 1 :]
    ranges = [_values([row]) for row in rows] + ([_values(others)] if others else [])
    figure = go.Figure(_ranges(ranges))
    for column, colour in theme.PERCENTILES.items():
        figure.add_trace(_percentile_dots(rows, column, colour))
    if others:
        figure.add_trace(_range_of_others(others, len(rows)))
    labels = theme.short_labels([label_of(row) for row in rows]) + ([theme.others(len(others))] if others else [])
    theme.label_rows(figure, labels)
    theme.set_latency_axis(figure.layout.xaxis, [value for values in ranges for value in values])
    figure.update_layout(legend={"y": 1, "yanchor": "bottom"})
    return theme.styled(figure, title=title, height=150 + theme.ROW_PX * len(labels))


def _values(rows: list[dict[str, Any]]) -> list[float]:
    return [row[column] for row in rows for column in theme.PERCENTILES if row[column] is not None]


def _ranges(ranges: list[list[float]]) -> go.Scatter:
    """Draw all lines from the lowest to the highest value as one trace, with gaps between."""
    x: list[float | None] = []
    y: list[float | None] = []
    for place, values in enumerate(ranges):
        x += [min(values), max(values), None]
        y += [place, place, None]
    return go.Scatter(
        x=x, y=y, mode="lines", line={"color": theme.PALE, "width": 3}, showlegend=False, hoverinfo="skip"
    )


def _percentile_dots(rows: list[dict[str, Any]], column: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=[row[column] for row in rows],
        y=list(range(len(rows))),
        name=column.removesuffix("_ms"),
        mode="markers",
        marker={"color": colour, "size": 10, "symbol": theme.SYMBOLS[column]},
        customdata=[[theme.plain(label_of(row)), row["requests"]] for row in rows],
        hovertemplate="%{customdata[0]}: %{x:,.4~g} ms of %{customdata[1]:,} requests",
    )


def _range_of_others(others: list[dict[str, Any]], place: int) -> go.Scatter:
    """Mark both ends of the others' range, so that there is something to hover over."""
    words = f"{theme.others(len(others))}: p50 to p99 between %{{customdata[0]:,.4~g}} and %{{customdata[1]:,.4~g}} ms"
    ends = [min(_values(others)), max(_values(others))]
    return go.Scatter(
        x=ends,
        y=[place, place],
        mode="markers",
        marker={"color": theme.GREY, "size": 10, "symbol": "line-ns-open"},
        showlegend=False,
        customdata=[ends, ends],
        hovertemplate=f"{words}<extra></extra>",
    )


def _with_latencies(summaries: pa.Table) -> list[dict[str, Any]]:
    """Return the rows that have at least one of the percentiles that are drawn."""
    rows: list[dict[str, Any]] = summaries.to_pylist()
    return [row for row in rows if row["requests"] and any(row[c] is not None for c in theme.PERCENTILES)]


def _slowest_first(row: dict[str, Any]) -> tuple[float, str]:
    """Sort by p95, the highest first."""
    return (-(row["p95_ms"] or 0.0), label_of(row))
