"""One series of a trend over time, in a panel of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ator_lib.analysis.trend.query import NAMES, TOTAL, TrendQuery
from ator_lib.analysis.trend.result import ChangeKind, LevelChange, TrendResult, TrendSeries, is_about
from ator_lib.analysis.verdicts import Verdict
from ator_lib.figures import theme
from ator_lib.figures.rows import moments
from ator_lib.written import change as written_change
from ator_lib.written import interval, measured, moment

_MOST_POINTS = 1_000
_LOG_FROM = 20.0
_LEAST_REACH = 0.15
"""How far an axis reaches at least, so that noise of a percent does not look like a mountain range."""

_UNITS = {"throughput_rps": "requests/s", "duration_s": "s"}
_HOVER = {"error_rate": ".3~%"}
_MOST_FACTS = 6

_KINDS: dict[str, tuple[str, str]] = {
    "regressed": theme.VERDICTS[Verdict.REGRESSED],
    "improved": theme.VERDICTS[Verdict.IMPROVED],
    "changed": (theme.BLUE, "hexagon"),
    str(ChangeKind.UNIT_FAULT): (theme.GREY, "cross"),
    str(ChangeKind.MARKED): (theme.PURPLE, "triangle-up"),
}
"""What a change is said to be → colour and marker."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Axis:
    """The axis that all panels share: when each run started, or where that is not known of all, which one it was."""

    positions: Any
    title: str
    step: int

    @classmethod
    def of(cls, result: TrendResult) -> Axis:
        """Make the axis of a trend; of very many runs every so-many-th is drawn."""
        step = math.ceil(result.runs.num_rows / _MOST_POINTS)
        thinned = f"; outliers, and every {step}th run" if step > 1 else ""
        if result.runs["started_at"].null_count:
            return cls(positions=np.arange(1, result.runs.num_rows + 1), title=f"runs, in order{thinned}", step=step)
        return cls(positions=moments(result.runs["started_at"]), title=f"start of the run (UTC){thinned}", step=step)


def draw_panel(figure: go.Figure, result: TrendResult, series: TrendSeries, axis: Axis, place: int) -> None:
    """Draw the runs of a series, its levels, outliers, changes and marks."""
    changes = [change for change in result.changes if change.series == series.label]
    traces = [
        *_lines(result, series, axis, {change.run_id for change in changes}),
        *_changes(result, changes, axis),
        *_remarks(result, series, axis),
    ]
    drawn = {trace.name for trace in figure.data}
    for trace in traces:
        figure.add_trace(trace.update(legendgroup=trace.name, showlegend=trace.name not in drawn), row=place, col=1)
    _set_axis(next(figure.select_yaxes(row=place)), result.query, series.values)


def change_groups(changes: Sequence[LevelChange]) -> Iterator[tuple[str, str, str, list[LevelChange]]]:
    """Give the changes by what is said of them, with colour and marker."""
    for word, (colour, symbol) in _KINDS.items():
        if chosen := [change for change in changes if _word(change) == word]:
            yield word, colour, symbol, chosen


def change_data(metric: str, change: LevelChange) -> list[Any]:
    """Give what a point of a change carries: its words, its first run, and the run before."""
    return [_hover(metric, change), change.run_id, change.previous_run_id]


def _hover(metric: str, change: LevelChange) -> str:
    size = written_change(change.change) if metric != "error_rate" else ""
    bounds = f" ({interval(change.low, change.high)})" if change.low is not None and size else ""
    kind = "" if change.kind is ChangeKind.CHANGE else f", {change.kind}"
    lines = [
        f"<b>{theme.plain(change.series)}</b>: {_word(change)}{kind}",
        f"from run {change.run_id} on, {moment(change.started_at)} UTC",
        f"{measured(metric, change.before)} → {measured(metric, change.after)}, {size}{bounds}".rstrip(", "),
        *(theme.plain(str(one)) for one in change.what[:_MOST_FACTS]),
        *([theme.plain(change.text)] if change.text else []),
    ]
    return "<br>".join(lines)


def _word(change: LevelChange) -> str:
    if change.kind in (ChangeKind.UNIT_FAULT, ChangeKind.MARKED):
        return str(change.kind)
    return str(change.verdict or "changed")


def _lines(result: TrendResult, series: TrendSeries, axis: Axis, changed: set[int]) -> Iterator[go.Scatter]:
    """Draw runs as dots with a thin line between neighbours, the level as a thick line, and outliers."""
    run_ids = result.run_ids
    here = series.places
    begins = np.isin(run_ids[here], list(changed))
    kept = (np.arange(len(here)) % axis.step == 0) | begins | np.append(begins[1:], False)
    kept[-1] = True
    dots, values = _dots(series, kept & ~series.is_outlier, has_gaps=result.query.by in (NAMES, TOTAL))
    hover = f"run %{{customdata}}: %{{y:{_HOVER.get(result.query.metric, ',.4~g')}}}"
    yield go.Scatter(
        x=axis.positions[dots],
        y=values,
        customdata=run_ids[dots],
        name="run",
        mode="lines+markers",
        line={"color": theme.PALE, "width": 1},
        marker={"color": theme.BLUE, "size": 4},
        hovertemplate=f"{hover}<extra></extra>",
    )
    yield go.Scatter(
        x=axis.positions[here[kept]],
        y=series.levels[kept],
        name="level",
        mode="lines",
        line={"color": theme.BLACK, "width": 2, "shape": "hv"},
        hoverinfo="skip",
    )
    odd = here[series.is_outlier]
    if len(odd):
        yield go.Scatter(
            x=axis.positions[odd],
            y=series.values[series.is_outlier],
            customdata=run_ids[odd],
            name="outlier",
            mode="markers",
            marker={"color": theme.BLUE, "size": 8, "symbol": "x-thin", "line": {"color": theme.BLUE, "width": 2}},
            hovertemplate=f"outlier, {hover}<extra></extra>",
        )


def _dots(series: TrendSeries, drawn: Any, *, has_gaps: bool) -> tuple[Any, Any]:
    """Give the places and values of the dots; nan, which interrupts the line, where a run has no figure."""
    if not has_gaps:  # the runs between are other series'
        return series.places[drawn], series.values[drawn]
    first = series.places[0]
    values = np.full(series.places[-1] - first + 1, np.nan)
    values[series.places - first] = series.values
    taken = np.isnan(values)
    taken[series.places[drawn] - first] = True
    return np.flatnonzero(taken) + first, values[taken]


def _changes(result: TrendResult, changes: Sequence[LevelChange], axis: Axis) -> Iterator[go.Scatter]:
    """Draw the first run of each new level at its level, with the interval of the change."""
    metric = result.query.metric
    for word, colour, symbol, chosen in change_groups(changes):
        bounds = [_bounds(change, metric) for change in chosen]
        yield go.Scatter(
            x=axis.positions[result.places_of([change.run_id for change in chosen])],
            y=[change.after for change in chosen],
            name=word,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 11, "line": {"color": "white", "width": 1}},
            error_y={
                "type": "data",
                "array": [high - change.after for change, (_, high) in zip(chosen, bounds, strict=True)],
                "arrayminus": [change.after - low for change, (low, _) in zip(chosen, bounds, strict=True)],
                "color": colour,
                "thickness": 2,
                "width": 4,
            },
            customdata=[change_data(metric, change) for change in chosen],
            hovertemplate="%{customdata[0]}<extra></extra>",
        )


def _bounds(change: LevelChange, metric: str) -> tuple[float, float]:
    """Give the ends of the interval of the new level; the level itself where there is none."""
    if change.low is None or change.high is None:
        return change.after, change.after
    unit = 1.0 if metric == "error_rate" else abs(change.before)
    return change.before + change.low * unit, change.before + change.high * unit


def _remarks(result: TrendResult, series: TrendSeries, axis: Axis) -> Iterator[go.Scatter]:
    """Draw the marks that reset nothing, at the values of their runs."""
    told = {
        mark.run_id: mark.text
        for mark in result.marks
        if not mark.resets and is_about(mark, result.query, series.label)
    }
    here = [index for index, run_id in enumerate(result.run_ids[series.places].tolist()) if run_id in told]
    if here:
        yield go.Scatter(
            x=axis.positions[series.places[here]],
            y=series.values[here],
            name="remark",
            mode="markers",
            marker={"color": theme.PURPLE, "size": 11, "symbol": "triangle-up-open", "line": {"width": 2}},
            customdata=[[theme.plain(told[run_id]), run_id] for run_id in result.run_ids[series.places[here]].tolist()],
            hovertemplate="%{customdata[0]}<extra></extra>",
        )


def _set_axis(axis: go.layout.YAxis, query: TrendQuery, values: Any) -> None:
    """Label the axis of a metric; logarithmic where the values span more than a factor of twenty."""
    metric, known = query.metric, values[np.isfinite(values)]
    unit = "ms" if metric.endswith("_ms") else _UNITS.get(metric)
    axis.title = {"text": f"{query.label} ({unit})" if unit else query.label}
    axis.nticks = 5
    if metric == "error_rate":
        axis.tickformat = ".2~%"
    if not len(known):
        return
    low, high = float(known.min()), float(known.max())
    if low > 0 and high > _LOG_FROM * low:
        ticks = theme.log_ticks(known.tolist())
        axis.type, axis.tickvals, axis.ticktext = "log", ticks, [f"{tick:,.10g}" for tick in ticks]
        return
    middle = float(np.median(known))
    low, high = min(low, middle * (1 - _LEAST_REACH)), max(high, middle * (1 + _LEAST_REACH))
    margin = 0.06 * (high - low) or 0.005
    axis.range = [low - margin if low > margin or low < 0 else -margin, high + margin]
