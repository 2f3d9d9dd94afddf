"""The figure of a trend: a metric over many runs, its levels, and where they changed."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ator_lib.analysis.trend.result import TrendResult, TrendSeries
from ator_lib.figures import theme
from ator_lib.figures.trend_map import draw_map
from ator_lib.figures.trend_panels import Axis, draw_panel
from ator_lib.written import cut, sentence

_MOST_PANELS = 6
_MOST_ROWS = 60
"""Series that can be told apart: of more, those whose changes are the latest."""
_PANEL_PX = 150
_GAP_PX = 48
_BELOW_PX = 150
"""For the time axis and a legend of some lines."""


def trend_figure(result: TrendResult, labels: Sequence[str] | None = None, *, title: str | None = None) -> go.Figure:
    """Draw each series over time (UTC): a dot a run, the level as a line, each change with its interval.

    Up to six series have a panel each. Of more, those that changed last have one, and a map below shows all: how far
    each run is from its series' median, the changes marked.

    Parameters
    ----------
    labels
        The series to draw, in this order; all without it.
    title
        By default the headline, or the metric and test where only some series are drawn.
    """
    query = result.query
    title = title or (sentence(result.headline) if labels is None else f"{query.label} of {query.tests}")
    chosen = _ranked(result) if labels is None else _named(result, labels)
    if not chosen:
        return theme.empty_figure(title, "no series")
    rows = chosen[:_MOST_ROWS] if len(chosen) > _MOST_PANELS else []
    panels = [one for one in chosen if not rows or _last_change(result, one.label)][:_MOST_PANELS]
    axis = Axis.of(result)
    heights = [_PANEL_PX] * len(panels) + [theme.ROW_PX * max(len(rows), 3)] * bool(rows)
    figure = _empty_panels(heights, [_heading(one.label) for one in panels] + [_map_heading(rows, chosen)] * bool(rows))
    for place, one in enumerate(panels, start=1):
        draw_panel(figure, result, one, axis, place)
    if rows:
        draw_map(figure, result, rows, axis, len(heights))
    figure.update_xaxes(title_text=axis.title, row=len(heights))
    figure.update_layout(hovermode="closest")
    return _laid_out(figure, title, heights)


def _ranked(result: TrendResult) -> list[TrendSeries]:
    """Put the series first whose levels changed last."""
    return sorted(result.series, key=lambda one: (-_last_change(result, one.label), one.label))


def _named(result: TrendResult, labels: Sequence[str]) -> list[TrendSeries]:
    by_label = {one.label: one for one in result.series}
    return [by_label[label] for label in dict.fromkeys(labels)]


def _last_change(result: TrendResult, label: str) -> int:
    """Give the place of the last change of a series among all changes, from 1; 0 without one."""
    return max((place for place, change in enumerate(result.changes, start=1) if change.series == label), default=0)


def _heading(label: str) -> str:
    return f"<b>{theme.short(label)}</b>"


def _map_heading(rows: Sequence[TrendSeries], chosen: Sequence[TrendSeries]) -> str:
    which = f"All {len(rows)}" if len(rows) == len(chosen) else f"{len(rows)} of {len(chosen):,}"
    return f"<b>{which} series</b>, from the median"


def _empty_panels(heights: Sequence[int], headings: Sequence[str]) -> go.Figure:
    whole = sum(heights) + _GAP_PX * (len(heights) - 1)
    figure = make_subplots(
        rows=len(heights),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=_GAP_PX / whole if len(heights) > 1 else 0,
        row_heights=list(heights),
        subplot_titles=headings,
    )
    return figure.update_annotations(x=0, xanchor="left", font_size=13)


def _laid_out(figure: go.Figure, title: str, heights: Sequence[int]) -> go.Figure:
    inside = sum(heights) + _GAP_PX * (len(heights) - 1)
    styled = theme.styled(figure, title=cut(title, 300), height=inside)
    top = styled.layout.margin.t + 24
    legend = {"y": -64 / inside, "yanchor": "top"}
    return styled.update_layout(height=inside + top + _BELOW_PX, margin={"t": top, "b": _BELOW_PX}, legend=legend)
