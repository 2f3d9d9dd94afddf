"""Figures of one run: over time, by percentile, by endpoint."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.compute as pc
from plotly.subplots import make_subplots

from ator_lib.figures import theme
from ator_lib.schema import PERCENTILES

_MOST_NAMED = len(theme.LINES)
"""Curves with a colour and a name of their own; more cannot be told apart."""


def timeline_figure(
    timeline: pa.Table, *, window: tuple[datetime, datetime] | None = None, title: str = "Timeline"
) -> go.Figure:
    """Draw throughput and failures, users (where known) and latency over one time axis (UTC).

    ``timeline`` is ``schema.TIMELINE``; the whole run's rows (name null) are drawn. An interval without a request is
    a gap in the latencies. ``window`` is when the load began and ended: an interval that it covers in part has the
    rate of that part, and one that it hardly covers is left out, lest every run seem to collapse at its end.
    """
    rows = timeline.filter(pc.is_null(timeline["name"])).sort_by("interval_start")
    if window is not None:
        rows = _covered(rows, window)
    if not pc.sum(rows["requests"]).as_py():
        return theme.empty_figure(title)
    has_users = rows["users"].null_count < rows.num_rows
    heights = [0.35, 0.2, 0.45] if has_users else [0.45, 0.55]
    figure = make_subplots(rows=len(heights), cols=1, shared_xaxes=True, vertical_spacing=0.05, row_heights=heights)
    _draw_requests(figure, rows)
    if has_users:
        _draw_users(figure, rows)
    _draw_latencies(figure, rows, row=len(heights))
    figure.update_xaxes(title_text="time (UTC)", row=len(heights))
    figure.update_layout(hovermode="x unified", legend={"y": -0.14, "yanchor": "top"})
    return theme.styled(figure, title=title, height=600 if has_users else 480)


def _covered(rows: pa.Table, window: tuple[datetime, datetime]) -> pa.Table:
    """Shorten the intervals to what lies in the window; drop those less than half in it, unless there is no other."""
    start, end = (np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us") for moment in window)
    begins = rows["interval_start"].cast(pa.timestamp("us")).to_numpy()
    full_s = _floats(rows["interval_s"])
    ends = begins + (full_s * 1e6).astype("timedelta64[us]")
    covered_s = (np.minimum(ends, end) - np.maximum(begins, start)) / np.timedelta64(1, "s")
    kept = covered_s >= full_s / 2
    if not kept.any():
        return rows
    shortened = np.where(kept, covered_s, full_s)
    for column, values in (("interval_s", shortened), ("throughput_rps", _floats(rows["requests"]) / shortened)):
        rows = rows.set_column(rows.schema.get_field_index(column), column, pa.array(values))
    return rows.filter(pa.array(kept))


def _draw_requests(figure: go.Figure, rows: pa.Table) -> None:
    failures = _floats(rows["failures"]) / _floats(rows["interval_s"])
    figure.add_trace(_over_time(rows, _floats(rows["throughput_rps"]), "requests", theme.TOTAL, "/s"), row=1, col=1)
    figure.add_trace(_over_time(rows, failures, "failures", theme.FAILURES, "/s"), row=1, col=1)
    figure.update_yaxes(title_text="requests/s", rangemode="tozero", row=1)


def _draw_users(figure: go.Figure, rows: pa.Table) -> None:
    line = _over_time(rows, _floats(rows["users"]), "users", theme.GREEN, "")
    figure.add_trace(line.update(line_shape="hv"), row=2, col=1)
    figure.update_yaxes(title_text="users", rangemode="tozero", row=2)


def _draw_latencies(figure: go.Figure, rows: pa.Table, *, row: int) -> None:
    for column, colour in theme.PERCENTILES.items():
        line = _over_time(rows, _floats(rows[column]), column.removesuffix("_ms"), colour, " ms")
        figure.add_trace(line, row=row, col=1)
    figure.update_yaxes(title_text="latency (ms)", rangemode="tozero", row=row)


def _over_time(rows: pa.Table, values: Any, name: str, colour: str, unit: str) -> go.Scatter:
    times = rows["interval_start"].cast(pa.timestamp("us")).to_numpy()  # plotly shows what it is given: UTC
    return go.Scatter(
        x=times,
        y=values,
        name=name,
        mode="lines+markers" if len(times) < 30 else "lines",  # a lone point between gaps has no line
        line={"color": colour, "width": 2},
        marker={"size": 4},
        hovertemplate=f"%{{y:,.4~g}}{unit}",
    )


def latency_figure(summaries: pa.Table, *, title: str = "Latency by percentile") -> go.Figure:
    """Draw a line per endpoint from p50 to p99.9, and the total's.

    ``summaries`` is ``schema.SUMMARIES``. The endpoints with the highest p95 have colours and names; where there are
    more than six the others are thin and grey, with their names on hovering.
    """
    rows = _with_latencies(summaries)
    if not rows:
        return theme.empty_figure(title)
    endpoints = sorted((r for r in rows if r["scope"] == "name"), key=_slowest_first)
    figure = go.Figure()
    for row in endpoints[_MOST_NAMED:]:
        figure.add_trace(_percentile_line(row, colour=theme.PALE, width=1, named=False))
    for row, colour in zip(endpoints[:_MOST_NAMED], theme.LINES, strict=False):
        figure.add_trace(_percentile_line(row, colour=colour, width=2, named=True))
    for row in (r for r in rows if r["scope"] == "total"):
        figure.add_trace(_percentile_line(row, colour=theme.TOTAL, width=3, named=True).update(line_dash="dot"))
    figure.update_xaxes(title_text="share of requests that were faster", type="category")
    theme.set_latency_axis(figure.layout.yaxis, [r[c] for r in rows for c in PERCENTILES if r[c] is not None])
    figure.update_layout(legend={"orientation": "v", "x": 1.01, "y": 1, "yanchor": "top"})
    return theme.styled(figure, title=title, height=420)


_LABELS = [f"{q * 100:g} %" for q in PERCENTILES.values()]


def _percentile_line(row: dict[str, Any], *, colour: str, width: int, named: bool) -> go.Scatter:
    return go.Scatter(
        x=_LABELS,
        y=[row[column] for column in PERCENTILES],
        name=theme.short(_label(row)),
        mode="lines+markers" if named else "lines",
        line={"color": colour, "width": width},
        marker={"size": 2 + 2 * width},
        showlegend=named,
        hovertemplate="%{x} of requests: %{y:,.4~g} ms",
    )


def endpoints_figure(summaries: pa.Table, *, title: str = "Latency by endpoint") -> go.Figure:
    """Draw each endpoint's p50, p95 and p99 on one line, the highest p95 on top; the total comes first.

    ``summaries`` is ``schema.SUMMARIES``. The figure grows with the number of endpoints.
    """
    rows = sorted(_with_latencies(summaries), key=lambda row: (row["scope"] != "total", *_slowest_first(row)))
    if not rows:
        return theme.empty_figure(title)
    figure = go.Figure(_ranges(rows))
    for column, colour in theme.PERCENTILES.items():
        figure.add_trace(_percentile_dots(rows, column, colour))
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=theme.short_labels([_label(row) for row in rows]),
        range=[len(rows) - 0.4, -0.6],
        showgrid=False,
    )
    drawn = [row[column] for row in rows for column in theme.PERCENTILES if row[column] is not None]
    theme.set_latency_axis(figure.layout.xaxis, drawn)
    figure.update_layout(legend={"y": 1, "yanchor": "bottom"})
    return theme.styled(figure, title=title, height=150 + theme.ROW_PX * len(rows))


def _ranges(rows: list[dict[str, Any]]) -> go.Scatter:
    """Draw all lines from p50 to p99 as one trace, with gaps between."""
    x: list[float | None] = []
    y: list[float | None] = []
    for place, row in enumerate(rows):
        known = [row[column] for column in theme.PERCENTILES if row[column] is not None]
        x += [min(known), max(known), None]
        y += [place, place, None]
    return go.Scatter(x=x, y=y, mode="lines", line={"color": "#BBBBBB", "width": 3}, showlegend=False, hoverinfo="skip")


def _percentile_dots(rows: list[dict[str, Any]], column: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=[row[column] for row in rows],
        y=list(range(len(rows))),
        name=column.removesuffix("_ms"),
        mode="markers",
        marker={"color": colour, "size": 10},
        customdata=[[theme.plain(_label(row)), row["requests"]] for row in rows],
        hovertemplate="%{customdata[0]}: %{x:,.4~g} ms of %{customdata[1]:,} requests",
    )


def _with_latencies(summaries: pa.Table) -> list[dict[str, Any]]:
    """Rows that have at least one of the percentiles that are drawn."""
    rows: list[dict[str, Any]] = summaries.to_pylist()
    return [row for row in rows if row["requests"] and any(row[c] is not None for c in theme.PERCENTILES)]


def _slowest_first(row: dict[str, Any]) -> tuple[float, str]:
    return (-(row["p95_ms"] or 0.0), _label(row))


def _label(row: dict[str, Any]) -> str:
    if row["scope"] == "total":
        return "total"
    return f"{row['method']} {row['name']}" if row["method"] else str(row["name"])


def _floats(column: Any) -> Any:
    """Float64 with nan for null."""
    return pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy()
