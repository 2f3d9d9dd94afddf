"""Several runs against one baseline: how far each is from it, endpoint by endpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import plotly.graph_objects as go

from ator_lib.analysis.metrics import METRICS
from ator_lib.analysis.result import ComparisonResult, ComparisonRow
from ator_lib.analysis.run_data import TOTAL, Endpoint
from ator_lib.errors import UsageError
from ator_lib.figures import theme
from ator_lib.figures.rows import interval_bars

_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
_RUN_PX = 9


def side_by_side_figure(results: Mapping[int, ComparisonResult], metric: str) -> go.Figure:
    """Draw a dot and an interval per endpoint (down) and run (colour and shape, one below the other).

    Changes are relative (%), the error rate's in percentage points. The shaded band is ± the minimum effect; a run
    without a dot has no figure there.

    Raises
    ------
    UsageError
        The metric is none that is compared.
    """
    if metric not in METRICS:
        raise UsageError(f"there is no metric {metric!r} to draw: use {', '.join(METRICS)}")
    rows = {
        run: [r for r in result.rows if r.metric == metric and r.effect is not None] for run, result in results.items()
    }
    baseline = ", ".join(str(run.run_id) for run in next(iter(results.values())).baseline)
    title = f"{METRICS[metric].label} of {len(results)} runs against run {baseline}"
    endpoints = _ordered(rows.values())
    if not endpoints:
        return theme.empty_figure(title, "no figures to compare")
    figure = go.Figure()
    for number, (run, found) in enumerate(rows.items()):
        figure.add_trace(_dots(f"run {run}", number, len(rows), found, endpoints))
    _add_band(figure, next(iter(results.values())), metric)
    labels = theme.short_labels([endpoint.label for endpoint in endpoints])
    theme.label_rows(
        figure, [f"<b>{text}</b>" if e.scope != "name" else text for text, e in zip(labels, endpoints, strict=True)]
    )
    unit = "%" if METRICS[metric].relative else "percentage points"
    figure.update_xaxes(title=f"change of {METRICS[metric].label} ({unit})")
    figure.update_layout(hovermode="closest", legend={"y": 1, "yanchor": "bottom"})
    height = 160 + len(endpoints) * max(theme.ROW_PX, _RUN_PX * len(rows))
    return theme.styled(figure, title=title, height=height).update_layout(margin_t=64 + theme.LEGEND_PX)


def _ordered(found: Iterable[Sequence[ComparisonRow]]) -> list[Endpoint]:
    """Put the total first, then what is common, then the endpoints by name."""
    endpoints = {row.endpoint for rows in found for row in rows}
    return sorted(endpoints, key=lambda endpoint: (endpoint != TOTAL, endpoint.scope == "name", endpoint.label))


def _dots(
    name: str, number: int, runs: int, rows: Sequence[ComparisonRow], endpoints: Sequence[Endpoint]
) -> go.Scatter:
    colour = theme.LINES[number % len(theme.LINES)]
    offset = 0.7 * ((number + 0.5) / runs - 0.5)
    return go.Scatter(
        name=name,
        x=[100 * (row.effect or 0.0) for row in rows],
        y=[endpoints.index(row.endpoint) + offset for row in rows],
        mode="markers",
        marker={"color": colour, "symbol": _SYMBOLS[number // len(theme.LINES) % len(_SYMBOLS)], "size": 8},
        error_x=interval_bars(rows, colour, thickness=1.5),
        customdata=[[f"<b>{theme.plain(row.endpoint.label)}</b>: {row.verdict or 'not judged'}"] for row in rows],
        hovertemplate=f"{name} %{{customdata[0]}}<br>%{{x:+.3g}}<extra></extra>",
    )


def _add_band(figure: go.Figure, result: ComparisonResult, metric: str) -> None:
    minimum = 100 * result.options.minimum_effect_of(metric)
    figure.add_vrect(x0=-minimum, x1=minimum, fillcolor=theme.BAND, line_width=0, layer="below")
    figure.add_vline(x=0, line={"color": theme.BLACK, "width": 1}, layer="below")
