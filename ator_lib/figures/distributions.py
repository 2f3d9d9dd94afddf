"""The figure of latency distributions: both sides of a comparison laid over each other, whole and not cut to three."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.compute as pc
from plotly.subplots import make_subplots

from ator_lib.analysis.blocks import FloatArray
from ator_lib.analysis.run_data import TOTAL, Endpoint, RunData
from ator_lib.figures import theme
from ator_lib.schema import PERCENTILES

MOST_PANELS = 12
"""More are a wall of small pictures; the caller chooses others."""
_TAIL = 10
"""Requests beyond the last point of a curve: fewer are single outliers, which would draw the eye."""
_FIRST = 1 / 0.95
"""Curves begin where 5 % of the requests are faster: the very fastest would stretch the axis."""
_PANEL_PX = 220
_TICKS = {2: "50", 10: "90", 100: "99", 1e3: "99.9", 1e4: "99.99", 1e5: "99.999"}
"""1 ÷ the share that is slower → how people say it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Curve:
    """Latency by 1 ÷ the share of requests that were slower."""

    rarity: FloatArray
    latency_ms: FloatArray


Curves = dict[Endpoint, _Curve]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Side:
    """One side of the figure: a curve per run, and one of all their requests."""

    name: str
    colour: str
    dash: str
    runs: Mapping[str, Curves]
    whole: Curves


def distributions_figure(
    contender: Sequence[RunData],
    baseline: Sequence[RunData],
    endpoints: Sequence[Endpoint],
    *,
    title: str = "Latency distributions",
) -> go.Figure:
    """Draw latency over the share of requests that were faster, a panel per endpoint, up to twelve.

    The axis of shares gives each further nine (90, 99, 99.9 %) as much room as the one before. Several runs of a side
    are thin lines below the thick one of all their requests (histograms are added, percentiles never averaged). A
    curve ends where ten requests lie beyond it. Of a run without a histogram, the percentiles that its tool reported
    are drawn.

    Parameters
    ----------
    endpoints
        Those to draw, in that order; those without figures on either side are left out.
    """
    sides = [
        _side("baseline", theme.BASELINE, "dash", baseline),
        _side("contender", theme.CONTENDER, "solid", contender),
    ]
    known = [endpoint for endpoint in endpoints if any(_drawn(side, endpoint) for side in sides)]
    if not known:
        return theme.empty_figure(title, "no distributions to compare")
    panels = known[:MOST_PANELS]
    columns = 1 if len(panels) == 1 else 2 if len(panels) <= 4 else 3
    rows = -(-len(panels) // columns)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=_headings(panels),
        horizontal_spacing=0.07,
        vertical_spacing=0.28 / max(rows, 2),
    )
    for place, endpoint in enumerate(panels):
        _draw_panel(figure, sides, endpoint, row=place // columns + 1, col=place % columns + 1)
    _label_axes(figure, rows, columns)
    others = f", {len(panels)} of {len(known)} panels" if len(known) > len(panels) else ""
    figure.update_layout(hovermode="closest", legend={"y": 1 + 26 / (rows * _PANEL_PX), "yanchor": "bottom"})
    styled = theme.styled(figure, title=f"{title}{others}", height=176 + rows * _PANEL_PX)
    return styled.update_layout(margin_t=styled.layout.margin.t + 2 * theme.LEGEND_PX, margin_b=64)


def _headings(panels: Sequence[Endpoint]) -> list[str]:
    labels = theme.short_labels([endpoint.label for endpoint in panels], most=34)
    return [f"<b>{text}</b>" if e == TOTAL else text for text, e in zip(labels, panels, strict=True)]


def _side(name: str, colour: str, dash: str, runs: Sequence[RunData]) -> _Side:
    bins = [_bins(run) for run in runs]
    curves = {run.label: {**_reported(run), **_measured(table)} for run, table in zip(runs, bins, strict=True)}
    whole = _measured(pa.concat_tables(bins)) if bins else {}
    return _Side(
        name=f"{name}, {len(runs)} runs" if len(runs) > 1 else name,
        colour=colour,
        dash=dash,
        runs=curves if len(runs) > 1 else {},
        whole={**next(iter(curves.values()), {}), **whole} if len(runs) == 1 else whole,
    )


def _bins(run: RunData) -> pa.Table:
    """Give a run's bins over its whole time; those of time blocks, if it has them."""
    timed = run.distributions.filter(pc.is_valid(run.distributions["block_start"]))
    chosen = timed if timed.num_rows else run.distributions
    return chosen.select(["name", "method", "lower_ms", "upper_ms", "count"])


def _measured(bins: pa.Table) -> Curves:
    """Return the curve of each endpoint that has a histogram."""
    keys = ["name", "method", "lower_ms", "upper_ms"]
    sums = bins.group_by(keys).aggregate([("count", "sum")]).sort_by([(key, "ascending") for key in keys])
    names = list(zip(sums["name"].to_pylist(), sums["method"].to_pylist(), strict=True))
    starts = [place for place, name in enumerate(names) if place == 0 or name != names[place - 1]]
    columns = [sums[column].to_numpy() for column in ("lower_ms", "upper_ms", "count_sum")]
    parts = zip(*(np.split(column, starts[1:]) for column in columns), strict=True)
    return {
        Endpoint.named(*names[start]): _curve(*part)
        for start, part in zip(starts, parts, strict=False)
        if part[2].sum()
    }


def _curve(lower_ms: FloatArray, upper_ms: FloatArray, counts: FloatArray) -> _Curve:
    """Spread each bin's requests evenly over it: that is as exact as the bins, which are about 1 % wide."""
    after = counts.cumsum()
    last = np.log10(max(after[-1] / _TAIL, _FIRST * 2))
    rarity = np.logspace(np.log10(_FIRST), last, num=8 + int(20 * last))
    edges, ranks = np.column_stack([lower_ms, upper_ms]).ravel(), np.column_stack([after - counts, after]).ravel()
    return _Curve(rarity=rarity, latency_ms=np.interp((1 - 1 / rarity) * after[-1], ranks, edges))


def _reported(run: RunData) -> Curves:
    """Return what a tool's own percentiles say of each endpoint."""
    curves = {}
    for endpoint, row in run.summary_rows().items():
        known = [(1 / (1 - q), row[name]) for name, q in PERCENTILES.items() if row[name] is not None]
        if known:
            rarity, latency_ms = np.array(known).T
            curves[endpoint] = _Curve(rarity=rarity, latency_ms=latency_ms)
    return curves


def _drawn(side: _Side, endpoint: Endpoint) -> bool:
    return endpoint in side.whole or any(endpoint in curves for curves in side.runs.values())


def _draw_panel(figure: go.Figure, sides: Sequence[_Side], endpoint: Endpoint, *, row: int, col: int) -> None:
    named = row == 1 and col == 1
    drawn: list[float] = []
    for side in sides:
        for label, curves in side.runs.items():
            if endpoint in curves:
                line = _line(curves[endpoint], theme.plain(label), side.colour, width=1)
                figure.add_trace(line.update(opacity=0.45, showlegend=False), row=row, col=col)
                drawn += curves[endpoint].latency_ms.tolist()
        curve = side.whole.get(endpoint, _Curve(rarity=np.array([]), latency_ms=np.array([])))
        thick = _line(curve, side.name, side.colour, width=3)
        # an empty trace keeps the side in the legend
        thick.update(line_dash=side.dash, showlegend=named, x=curve.rarity if len(curve.rarity) else [None])
        figure.add_trace(thick, row=row, col=col)
        drawn += curve.latency_ms.tolist()
    axis = next(figure.select_yaxes(row=row, col=col))
    theme.set_latency_axis(axis, drawn, log_from=1.0)  # always: equal ratios are equally far apart
    if axis.tickvals:
        axis.range = np.log10([axis.tickvals[0], axis.tickvals[-1]])


def _line(curve: _Curve, name: str, colour: str, *, width: int) -> go.Scatter:
    return go.Scatter(
        x=curve.rarity,
        y=curve.latency_ms,
        name=name,
        mode="lines",
        line={"color": colour, "width": width},
        customdata=100 - 100 / curve.rarity,
        hovertemplate="%{customdata:.4~g} % faster than %{y:,.4~g} ms",
        legendgroup=name,
    )


def _label_axes(figure: go.Figure, rows: int, columns: int) -> None:
    """Name the axes once: at the left and at the bottom."""
    figure.update_xaxes(type="log", tickvals=list(_TICKS), ticktext=list(_TICKS.values()), tickangle=0)
    figure.update_xaxes(title_text="faster requests (%)", row=rows)
    for column in range(2, columns + 1):
        figure.update_yaxes(title_text=None, col=column)
    figure.update_annotations(font_size=13)
