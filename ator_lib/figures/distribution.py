"""The figure of one run's latency distribution: how many of its requests took how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.analysis.blocks import FloatArray
from ator_lib.analysis.run_data import TOTAL, Endpoint
from ator_lib.figures import theme

MOST_ENDPOINTS = len(theme.LINES)
"""Lines that can be told apart; the caller chooses others."""
_MOST_BINS = 80
"""Steps of the outline: more are a comb of single bins."""
_FINEST = np.log(1.01)
"""Bins are known to 1 %, so steps are no narrower."""
_BEYOND = 0.0005
"""Share of the requests at either end that is not drawn: a single outlier would squeeze all others."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Histogram:
    """Requests of an endpoint by latency, and the percentiles that are known of it."""

    endpoint: Endpoint
    lower_ms: FloatArray
    upper_ms: FloatArray
    counts: FloatArray
    percentiles: Mapping[str, float]

    def shares(self, edges: FloatArray) -> FloatArray:
        """Return the percent of the requests between each two edges, a bin's spread evenly over it."""
        widths = np.maximum(self.upper_ms - self.lower_ms, 1e-9)
        below = ((edges[:, None] - self.lower_ms) / widths).clip(0, 1) @ self.counts
        shares: FloatArray = 100 * np.diff(below) / self.counts.sum()
        return shares

    def range_ms(self) -> tuple[float, float]:
        """Return where nearly all of it lies; above 0, as the axis is logarithmic."""
        reached = self.counts.cumsum() / self.counts.sum()
        first, last = np.searchsorted(reached, [_BEYOND, 1 - _BEYOND])
        upper = float(self.upper_ms[min(last, len(reached) - 1)])
        return float(self.lower_ms[first]) or min(float(self.upper_ms[first]) / 2, upper), upper


def distribution_figure(
    distributions: pa.Table,
    summaries: pa.Table,
    endpoints: Sequence[Endpoint],
    *,
    title: str = "Latency distribution",
) -> go.Figure:
    """Draw the share of the requests by latency (logarithmic), with p50, p95 and p99 marked; up to six endpoints.

    Parameters
    ----------
    distributions
        ``schema.DISTRIBUTIONS``; the bins of several blocks are added up.
    summaries
        ``schema.SUMMARIES``, which has the percentiles.
    endpoints
        Those to draw, each in a colour of its own; those without a histogram are left out.
    """
    drawn = [found for e in endpoints if (found := _histogram(distributions, summaries, e)) is not None]
    if not drawn:
        return theme.empty_figure(title, "no distribution")
    shown = drawn[:MOST_ENDPOINTS]
    edges = _edges(shown)
    figure = go.Figure()
    if len(shown) == 1:
        ground = _outline(shown[0], edges, theme.GREY)
        figure.add_trace(ground.update(fill="tozeroy", fillcolor=theme.GREY_GROUND, showlegend=False))
        figure.add_traces(_marks_of_one(shown[0], edges))
    else:
        for histogram, line in zip(shown, theme.LINES, strict=False):
            colour = theme.TOTAL if histogram.endpoint == TOTAL else line
            figure.add_traces([_outline(histogram, edges, colour), _marks_of_many(histogram, edges, colour)])
    theme.set_latency_axis(figure.layout.xaxis, [edges[0], edges[-1]], log_from=1.0)
    figure.update_xaxes(range=np.log10([edges[0], edges[-1]]).tolist())
    figure.update_yaxes(title_text="requests (%)", rangemode="tozero")
    figure.update_layout(hovermode="closest", legend={"y": 1.02, "yanchor": "bottom"})
    others = f", {len(shown)} of {len(drawn)} endpoints" if len(drawn) > len(shown) else ""
    styled = theme.styled(figure, title=f"{title}{others}", height=360)
    return styled.update_layout(margin_t=styled.layout.margin.t + theme.LEGEND_PX)


def _histogram(distributions: pa.Table, summaries: pa.Table, endpoint: Endpoint) -> _Histogram | None:
    ours = _rows_of(distributions, endpoint).group_by(["lower_ms", "upper_ms"]).aggregate([("count", "sum")])
    bins = ours.sort_by([("lower_ms", "ascending"), ("upper_ms", "ascending")])
    counts = bins["count_sum"].to_numpy().astype(float)
    if not counts.sum():
        return None
    rows: list[dict[str, Any]] = _rows_of(summaries, endpoint).to_pylist()
    said = {column: rows[0][column] for column in theme.PERCENTILES if rows and rows[0][column]}
    lower, upper = (bins[column].to_numpy() for column in ("lower_ms", "upper_ms"))
    return _Histogram(endpoint=endpoint, lower_ms=lower, upper_ms=upper, counts=counts, percentiles=said)


def _rows_of(table: pa.Table, endpoint: Endpoint) -> pa.Table:
    for column, value in (("name", endpoint.name), ("method", endpoint.method)):
        field = pc.field(column)
        table = table.filter(field.is_null() if value is None else field == value)
    return table


def _edges(histograms: Sequence[_Histogram]) -> FloatArray:
    ranges = [histogram.range_ms() for histogram in histograms]
    low = min(low for low, _ in ranges)
    high = max(max(high for _, high in ranges), low * 1.01)
    steps = int(min(_MOST_BINS, max(np.log(high / low) / _FINEST, 1)))
    edges: FloatArray = np.geomspace(low, high, steps + 1)
    return edges


def _outline(histogram: _Histogram, edges: FloatArray, colour: str) -> go.Scatter:
    shares = histogram.shares(edges)
    return go.Scatter(
        x=edges,
        y=np.append(shares, shares[-1]),
        name=theme.short(histogram.endpoint.label),
        mode="lines",
        line={"color": colour, "width": 2, "shape": "hv"},
        customdata=np.append(edges[1:], edges[-1]),
        hovertemplate="%{x:,.4~g} to %{customdata:,.4~g} ms: %{y:.3~g} % of the requests",
    )


def _marks_of_one(histogram: _Histogram, edges: FloatArray) -> list[go.Scatter]:
    """Draw a line from the ground up at each percentile, with its value in the legend."""
    top = float(histogram.shares(edges).max())
    return [
        go.Scatter(
            x=[value, value],
            y=[0, top],
            name=f"{column.removesuffix('_ms')} {value:,.4g} ms",
            mode="lines+markers",
            line={"color": theme.PERCENTILES[column], "width": 2, "dash": "dot"},
            marker={"symbol": theme.SYMBOLS[column], "size": [0, 9]},
            hovertemplate=f"{column.removesuffix('_ms')}: %{{x:,.4~g}} ms<extra></extra>",
        )
        for column, value in histogram.percentiles.items()
    ]


def _marks_of_many(histogram: _Histogram, edges: FloatArray, colour: str) -> go.Scatter:
    """Mark the percentiles on the outline; a shape each."""
    shares = histogram.shares(edges)
    values = list(histogram.percentiles.values())
    steps = (np.searchsorted(edges, values, side="right") - 1).clip(0, len(shares) - 1).astype(int)
    return go.Scatter(
        x=values,
        y=shares[steps],
        mode="markers",
        marker={"color": colour, "size": 9, "symbol": [theme.SYMBOLS[column] for column in histogram.percentiles]},
        customdata=[column.removesuffix("_ms") for column in histogram.percentiles],
        name=theme.short(histogram.endpoint.label),
        showlegend=False,
        hovertemplate="%{customdata}: %{x:,.4~g} ms",
    )
