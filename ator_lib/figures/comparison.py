"""The figure of a comparison: what changed, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ator_lib.analysis.metrics import METRICS
from ator_lib.analysis.result import ComparisonResult, ComparisonRow
from ator_lib.analysis.run_data import Endpoint
from ator_lib.analysis.verdicts import Verdict
from ator_lib.analysis.wording import size
from ator_lib.figures import theme
from ator_lib.figures.rows import interval_bars
from ator_lib.written import change, interval, measured, sentence

_METRICS = ("p50_ms", "p95_ms", "p99_ms", "mean_ms", "error_rate", "throughput_rps")
_LEGEND_PX = 40


def comparison_figure(
    result: ComparisonResult, *, endpoints: Sequence[Endpoint] | None = None, title: str | None = None
) -> go.Figure:
    """Draw a dot and an interval per endpoint (down) and metric (across), coloured by verdict.

    Changes are relative (%), the error rate's in percentage points (pp). Where a shift common to all endpoints was
    taken out, it is the row "all endpoints", and the endpoints' dots are their own changes beside it. The shaded band
    is ± the minimum effect. A dot without a line has no interval; an endpoint without a dot has no figure on one side.
    The title is the headline unless one is given; without ``endpoints`` all are drawn, those that need eyes on top.
    """
    title = title or sentence(result.headline()).rstrip(".")
    if not any(row.effect is not None for row in result.rows):
        return theme.empty_figure(title, "no figures to compare")
    drawn = ordered_endpoints(result) if endpoints is None else endpoints
    places = {endpoint: place for place, endpoint in enumerate(drawn)}
    figure = make_subplots(
        rows=1,
        cols=len(_METRICS),
        shared_yaxes=True,
        horizontal_spacing=0.022,
        subplot_titles=[_heading(metric) for metric in _METRICS],
    )
    for column, metric in enumerate(_METRICS, start=1):
        _draw_metric(figure, result, metric, places, column)
    _label_endpoints(figure, result, list(places))
    height = 154 + _LEGEND_PX + theme.ROW_PX * len(places)
    figure.update_layout(legend={"y": -70 / (height - 150), "yanchor": "top"}, hovermode="closest")
    styled = theme.styled(figure, title=title, height=height)
    return styled.update_layout(margin_t=styled.layout.margin.t + 8, margin_b=96)


def ordered_endpoints(result: ComparisonResult) -> list[Endpoint]:
    """Put the total first, then what is common, then the endpoints by verdict and certainty: what needs eyes on top."""
    ranks = list(Verdict)
    said = {e.endpoint: e.verdict for e in result.endpoints}
    sure: dict[Endpoint, float] = {}
    for row in result.rows:
        if row.p_value is not None:
            sure[row.endpoint] = min(row.p_value, sure.get(row.endpoint, 1.0))
    scopes = ("total", "common", "name")
    return sorted(said, key=lambda e: (scopes.index(e.scope), ranks.index(said[e]), sure.get(e, 1.0), e.label))


def _heading(metric: str) -> str:
    return f"{METRICS[metric].label} ({'%' if METRICS[metric].relative else 'pp'})"


def _draw_metric(
    figure: go.Figure, result: ComparisonResult, metric: str, places: Mapping[Endpoint, int], column: int
) -> None:
    for verdict, (colour, symbol) in theme.VERDICTS.items():
        rows = [r for r in result.rows if r.metric == metric and r.verdict is verdict and r.effect is not None]
        rows = [row for row in rows if row.endpoint in places]
        name = "shown, not judged" if verdict is None else str(verdict)
        trace = _dots(rows, [places[row.endpoint] for row in rows], colour, symbol)
        # an empty trace keeps every verdict in the legend, once
        trace.update(name=name, legendgroup=name, showlegend=column == 1, x=trace.x if rows else [None])
        figure.add_trace(trace, row=1, col=column)
    for minimum, endpoints in groupby(places, key=lambda e: result.options.minimum_effect_of(metric, e)):
        rows_of_band = [places[endpoint] for endpoint in endpoints]
        figure.add_shape(  # after the traces: plotly skips empty subplots
            type="rect",
            x0=-100 * minimum,
            x1=100 * minimum,
            y0=rows_of_band[0] - 0.5,
            y1=rows_of_band[-1] + 0.5,
            fillcolor=theme.BAND,
            line_width=0,
            layer="below",
            row=1,
            col=column,
        )
    figure.add_vline(x=0, line={"color": theme.BLACK, "width": 1}, layer="below", col=column, row=1)


def _dots(rows: Sequence[ComparisonRow], places: list[int], colour: str, symbol: str) -> go.Scatter:
    return go.Scatter(
        x=[100 * (row.effect or 0.0) for row in rows],
        y=places or [0],
        mode="markers",
        marker={"color": colour, "symbol": symbol, "size": 9, "line": {"color": colour, "width": 2}},
        error_x=interval_bars(rows, colour, thickness=2),
        customdata=[["<br>".join(_hover(row))] for row in rows],
        hovertemplate="%{customdata[0]}<extra></extra>",
    )


def _hover(row: ComparisonRow) -> list[str]:
    metric = METRICS[row.metric]
    unit = "%" if metric.relative else "pp"
    lines = [f"<b>{theme.plain(row.endpoint.label)}</b> {metric.label}: {row.verdict or 'shown, not judged'}"]
    if row.scope != "common":
        sides = (measured(row.metric, value) for value in (row.baseline, row.contender))
        lines.append(f"baseline {' → contender '.join(sides)}")
    lines.append(change(row.effect, unit=unit))
    if row.low is not None and row.high is not None:
        lines[-1] += f" ({interval(row.low, row.high)})"
    if row.common is not None:
        lines.append(f"beside the common shift of {change(row.common, unit=unit)}")
    if row.detectable is not None and row.verdict is Verdict.NOT_ENOUGH_EVIDENCE:
        lines.append(f"could be seen from {size(row.detectable, unit=unit)} on")
    if row.runs_needed is not None:
        lines.append(f"about {row.runs_needed:,} runs a side would settle it")
    return [*lines, row.reason] if row.reason else lines


def _label_endpoints(figure: go.Figure, result: ComparisonResult, endpoints: list[Endpoint]) -> None:
    """Name the rows; all columns share them."""
    drawn = {row.endpoint for row in result.rows if row.effect is not None}
    labels = theme.short_labels([endpoint.label for endpoint in endpoints])
    labels = [text if e in drawn else f"<i>{text} (one side)</i>" for text, e in zip(labels, endpoints, strict=True)]
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=[f"<b>{text}</b>" if e.scope != "name" else text for text, e in zip(labels, endpoints, strict=True)],
        range=[len(labels) - 0.4, -0.6],
    )
    figure.update_xaxes(nticks=5, tickangle=0)
    figure.update_annotations(font_size=13)
