"""The figure of endpoints over time: where and when it was slow."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.figures import intervals, theme
from ator_lib.figures.rows import busiest_first, floats, label_of, moments

_MOST_ROWS = 30
"""Endpoints with a row of their own; the others are summed up."""

Grid = np.ndarray[Any, np.dtype[np.float64]]


def heatmap_figure(timeline: pa.Table, *, title: str = "p95 by endpoint over time", whole: bool = False) -> go.Figure:
    """Draw the p95 of each endpoint in each interval as colours, the endpoint with the highest one on top.

    ``timeline`` is ``schema.TIMELINE``; its rows with a name are drawn. Where there are more than thirty endpoints
    those with most requests are named, and the others are one row with the highest p95 of any of them. A grey cell
    had no request. ``whole`` is as in ``timeline_figure``.
    """
    rows = timeline.filter(pc.and_(pc.is_valid(timeline["name"]), pc.is_valid(timeline["p95_ms"])))
    if not rows.num_rows:
        return theme.empty_figure(title)
    rows, _ = (rows, None) if whole else intervals.merged(rows)
    endpoints, places = _endpoints(rows)
    edges, columns = _edges(rows)
    p95, requests = _cells(rows, places, columns, shape=(len(endpoints), len(edges) - 1))
    labels, p95, requests = _named([label_of(endpoint) for endpoint in endpoints], p95, requests)
    figure = go.Figure(_heat(edges, p95, requests))
    theme.label_rows(figure, theme.short_labels(labels))
    figure.update_yaxes(range=[len(labels) - 0.5, -0.5])
    length_s = float((edges[1] - edges[0]) / np.timedelta64(1, "s"))
    figure.update_xaxes(title_text=f"time (UTC), in intervals of {intervals.spelled(length_s)}", showgrid=False)
    styled = theme.styled(figure, title=title, height=140 + theme.ROW_PX * max(len(labels), 6))
    return styled.update_layout(plot_bgcolor=theme.GRID)  # where there was no request


def _endpoints(rows: pa.Table) -> tuple[list[dict[str, Any]], Grid]:
    """Give the endpoints, the busiest first, and the place of each row's among them."""
    totals = rows.group_by(["name", "method"]).aggregate([("requests", "sum")])
    endpoints = sorted(totals.rename_columns({"requests_sum": "requests"}).to_pylist(), key=busiest_first)
    place_of = {(e["name"], e["method"]): place for place, e in enumerate(endpoints)}
    names = zip(rows["name"].to_pylist(), rows["method"].to_pylist(), strict=True)
    return endpoints, np.array([place_of[name] for name in names])


def _edges(rows: pa.Table) -> tuple[Any, Any]:
    """Give the edges of equal intervals over the whole time, and the number of each row's."""
    starts = moments(rows["interval_start"])
    length = np.timedelta64(max(round(pc.min(rows["interval_s"]).as_py() * 1e6), 1), "us")
    steps = np.diff(np.unique(starts))
    length = max(length, steps.min()) if len(steps) else length
    columns = ((starts - starts.min()) // length).astype(int)
    return starts.min() + length * np.arange(columns.max() + 2), columns


def _cells(rows: pa.Table, places: Any, columns: Any, *, shape: tuple[int, int]) -> tuple[Grid, Grid]:
    p95, requests = np.full(shape, np.nan), np.zeros(shape)
    np.fmax.at(p95, (places, columns), floats(rows["p95_ms"]))
    np.add.at(requests, (places, columns), floats(rows["requests"]))
    return p95, requests


def _named(labels: list[str], p95: Grid, requests: Grid) -> tuple[list[str], Grid, Grid]:
    """Put the endpoint with the highest p95 on top, and the highest of those without a row at the bottom."""
    named = labels[:_MOST_ROWS]
    order = np.argsort(-np.nanmax(p95[: len(named)], axis=1), kind="stable")
    texts = [named[place] for place in order]
    if len(labels) == len(named):
        return texts, p95[order], requests[order]
    rest = np.fmax.reduce(p95[len(named) :], axis=0)
    texts.append(f"{theme.others(len(labels) - len(named))}, the highest")
    return texts, np.vstack([p95[order], rest]), np.vstack([requests[order], requests[len(named) :].sum(axis=0)])


def _heat(edges: Any, p95: Grid, requests: Grid) -> go.Heatmap:
    known = p95[p95 > 0]
    is_log = known.size > 0 and known.max() > 20 * known.min()
    ticks = theme.log_ticks(known.tolist()) if is_log else None
    bar = {"title": {"text": "p95 (ms)", "side": "top"}, "outlinewidth": 0, "thickness": 14}
    if ticks is not None:
        bar |= {"tickvals": [np.log10(tick) for tick in ticks], "ticktext": [f"{tick:,.10g}" for tick in ticks]}
    return go.Heatmap(
        x=edges,
        y=list(range(len(p95))),
        z=np.log10(np.where(p95 > 0, p95, np.nan)) if is_log else p95,
        zmin=None if is_log else 0,
        colorscale=theme.HEAT,
        colorbar=bar,
        ygap=1,
        hoverongaps=False,
        customdata=np.dstack([p95, requests]).astype(np.float32),
        hovertemplate="%{y}<br>%{x}: p95 %{customdata[0]:,.4~g} ms of %{customdata[1]:,} requests<extra></extra>",
    )
