"""All series of a trend at once: how far each run is from its series' median, as colours."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ator_lib.analysis.trend.result import TrendResult, TrendSeries
from ator_lib.figures import theme
from ator_lib.figures.trend_panels import Axis, change_data, change_groups
from ator_lib.written import measured

_MOST_COLUMNS = 400
"""More runs than this cannot be told apart: neighbours share a column, which has their median."""
_REACHES = (0.1, 0.2, 0.5, 1.0)
"""What the strongest colours may stand for; points of one (0.1 is ten percentage points) for error rates."""
_MOST_LETTERS = 20
"""Of a label: phones have room for no more, and whole ones are shown where one points at."""

Grid = np.ndarray[Any, np.dtype[np.float64]]


def draw_map(figure: go.Figure, result: TrendResult, rows: Sequence[TrendSeries], axis: Axis, place: int) -> None:
    """Draw a row per series, the first on top, and mark where levels changed."""
    values, columns = _grid(rows, result.runs.num_rows)
    away = _away(values, is_relative=result.query.is_relative)
    top = next(figure.select_yaxes(row=place)).domain[1]
    figure.add_trace(_heat(result, rows, away, values, axis.positions[columns], top), row=place, col=1)
    by_label = {one.label: number for number, one in enumerate(rows)}
    drawn = {trace.name for trace in figure.data}
    for word, colour, symbol, chosen in change_groups([c for c in result.changes if c.series in by_label]):
        figure.add_trace(
            go.Scatter(
                x=axis.positions[result.places_of([change.run_id for change in chosen])],
                y=[by_label[change.series] for change in chosen],
                name=word,
                legendgroup=word,
                showlegend=word not in drawn,
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 9, "line": {"color": "white", "width": 1.5}},
                customdata=[change_data(result.query.metric, change) for change in chosen],
                hovertemplate="%{customdata[0]}<extra></extra>",
            ),
            row=place,
            col=1,
        )
    labels = theme.short_labels([one.label for one in rows], _MOST_LETTERS)
    numbers = list(range(len(rows)))
    figure.update_yaxes(tickvals=numbers, ticktext=labels, range=[len(rows) - 0.5, -0.5], showgrid=False, row=place)


def _grid(rows: Sequence[TrendSeries], runs: int) -> tuple[Grid, Any]:
    """Give the values, a row per series and a column per run or per few, and the places of the columns' first runs."""
    width = math.ceil(runs / _MOST_COLUMNS)
    columns = np.arange(0, runs, width)
    grid = np.full((len(rows), len(columns) * width), np.nan)
    for number, one in enumerate(rows):
        grid[number, one.places] = one.values
    if width == 1:
        return grid, columns
    with warnings.catch_warnings(category=RuntimeWarning, action="ignore"):  # a column without a value stays without
        return np.nanmedian(grid.reshape(len(rows), len(columns), width), axis=2), columns


def _away(values: Grid, *, is_relative: bool) -> Grid:
    with warnings.catch_warnings(category=RuntimeWarning, action="ignore"):
        medians = np.nanmedian(values, axis=1, keepdims=True)
    if not is_relative:
        return np.asarray(values - medians)
    return np.asarray(np.divide(values, medians, out=np.full_like(values, np.nan), where=medians > 0) - 1)


def _heat(result: TrendResult, rows: Sequence[TrendSeries], away: Grid, values: Grid, x: Any, top: float) -> go.Heatmap:
    known = np.abs(away[np.isfinite(away)])
    usual = float(np.quantile(known, 0.98)) if len(known) else 0.0
    reach = next((reach for reach in _REACHES if usual <= reach), _REACHES[-1])
    ends = [theme.BLUE, "#F7F7F7", theme.VERMILION]
    if result.query.higher_is_better:
        ends.reverse()
    metric = result.query.metric
    labels = [theme.plain(one.label) for one in rows]
    texts = [
        [f"{label}: {measured(metric, value)}" for value in row] for label, row in zip(labels, values, strict=True)
    ]
    return go.Heatmap(
        x=x,
        y=list(range(len(away))),
        z=away.astype(np.float32),
        zmin=-reach,
        zmax=reach,
        colorscale=[[0, ends[0]], [0.5, ends[1]], [1, ends[2]]],
        colorbar={
            "orientation": "h",
            "x": 1,
            "xanchor": "right",
            "y": top,
            "yanchor": "bottom",
            "len": 0.45,
            "thickness": 8,
            "ypad": 2,
            "xpad": 0,
            "outlinewidth": 0,
            "tickvals": [-reach, 0, reach],
            "tickformat": "+.0%",
        },
        ygap=1,
        hoverongaps=False,
        text=texts,
        hovertemplate="%{text}<br>%{x}: %{z:+.1%} from the median<extra></extra>",
    )
