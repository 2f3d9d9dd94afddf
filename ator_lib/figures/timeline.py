"""The figure of a run over time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.compute as pc
from plotly.subplots import make_subplots

from ator_lib.figures import intervals, theme
from ator_lib.figures.rows import floats, moments

_Panel = Callable[[go.Figure, pa.Table, int], None]


def timeline_figure(
    timeline: pa.Table,
    *,
    window: tuple[datetime, datetime] | None = None,
    title: str = "Timeline",
    whole: bool = False,
) -> go.Figure:
    """Draw throughput and failures, users and latency over one time axis (UTC); what is not known has no panel.

    Parameters
    ----------
    timeline
        ``schema.TIMELINE``; the whole run's rows (name null) are drawn. An interval without a request is a gap in
        the latencies.
    window
        When the load began and ended: an interval that it covers in part has the rate of that part, and one that it
        hardly covers is left out, lest every run seem to collapse at its end.
    whole
        Draw every interval, however many; else neighbours are merged where there are too many to be told apart.
    """
    rows = timeline.filter(pc.is_null(timeline["name"]))
    given_s = _usual_s(rows)
    rows, merged_s = (rows, None) if whole else intervals.merged(rows)
    rows = rows.sort_by("interval_start")
    if window is not None:
        rows = _covered(rows, window)
    if not pc.sum(rows["requests"]).as_py():
        return theme.empty_figure(title)
    panels = _panels(rows)
    heights = [height for height, _ in panels]
    figure = make_subplots(rows=len(panels), cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=heights)
    for place, (_, draw) in enumerate(panels, start=1):
        draw(figure, rows, place)
    figure.update_xaxes(title_text=_time_title(given_s, merged_s), row=len(panels))
    figure.update_layout(hovermode="x unified", legend={"y": 1.02, "yanchor": "bottom"})
    styled = theme.styled(figure, title=title, height=150 + round(sum(heights)))
    return styled.update_layout(margin_t=styled.layout.margin.t + theme.LEGEND_PX, margin_b=64)


def _panels(rows: pa.Table) -> list[tuple[float, _Panel]]:
    """Give the height in pixels and the drawing of each panel for which there are figures."""
    panels: list[tuple[float, _Panel]] = [(160, _draw_requests)]
    if _known(rows, "users"):
        panels.append((90, _draw_users))
    if any(_known(rows, column) for column in (*theme.PERCENTILES, "mean_ms")):
        panels.append((220, _draw_latencies))
    return panels


def _known(rows: pa.Table, column: str) -> bool:
    return bool(rows[column].null_count < rows.num_rows)


def _usual_s(rows: pa.Table) -> float | None:
    lengths = pc.value_counts(rows["interval_s"]).to_pylist()
    return max(lengths, key=lambda length: length["counts"])["values"] if lengths else None


def _time_title(given_s: float | None, merged_s: float | None) -> str:
    if given_s is None:
        return "time (UTC)"
    if merged_s is None:
        return f"time (UTC), in intervals of {intervals.spelled(given_s)}"
    parts = f"{intervals.spelled(merged_s)}; latencies are the highest {intervals.spelled(given_s)} of each"
    return f"time (UTC), in intervals of {parts}"


def _covered(rows: pa.Table, window: tuple[datetime, datetime]) -> pa.Table:
    """Shorten the intervals to what lies in the window; drop those less than half in it, unless there is no other."""
    start, end = (np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us") for moment in window)
    begins = moments(rows["interval_start"])
    full_s = floats(rows["interval_s"])
    ends = begins + (full_s * 1e6).astype("timedelta64[us]")
    covered_s = (np.minimum(ends, end) - np.maximum(begins, start)) / np.timedelta64(1, "s")
    kept = covered_s >= full_s / 2
    if not kept.any():
        return rows
    shortened = np.where(kept, covered_s, full_s)
    for column, values in (("interval_s", shortened), ("throughput_rps", floats(rows["requests"]) / shortened)):
        rows = rows.set_column(rows.schema.get_field_index(column), column, pa.array(values))
    return rows.filter(pa.array(kept))


def _draw_requests(figure: go.Figure, rows: pa.Table, place: int) -> None:
    failures = _line(rows, floats(rows["failures"]) / floats(rows["interval_s"]), "failures", theme.FAILURES, "/s")
    failures.update(fill="tozeroy", fillcolor=theme.FAILURES_GROUND, line_dash="dot")
    requests = _line(rows, floats(rows["throughput_rps"]), "requests", theme.TOTAL, "/s")
    figure.add_traces([requests, failures], rows=place, cols=1)
    figure.update_yaxes(title_text="requests/s", rangemode="tozero", row=place)


def _draw_users(figure: go.Figure, rows: pa.Table, place: int) -> None:
    line = _line(rows, floats(rows["users"]), "users", theme.GREEN, "")
    figure.add_trace(line.update(line_shape="hv"), row=place, col=1)
    figure.update_yaxes(title_text="users", rangemode="tozero", row=place)


def _draw_latencies(figure: go.Figure, rows: pa.Table, place: int) -> None:
    colours = {column: colour for column, colour in theme.PERCENTILES.items() if _known(rows, column)}
    colours = colours or {"mean_ms": theme.BLUE}
    columns = list(colours)
    for lower, upper in pairwise(columns):
        figure.add_trace(_band(rows, lower, upper, theme.BANDS[upper]), row=place, col=1)
    for column, colour in colours.items():
        line = _line(rows, floats(rows[column]), column.removesuffix("_ms"), colour, " ms")
        figure.add_trace(line, row=place, col=1)
    drawn = np.concatenate([floats(rows[column]) for column in columns])
    axis = next(figure.select_yaxes(row=place))
    theme.set_latency_axis(axis, drawn[~np.isnan(drawn)].tolist())


def _band(rows: pa.Table, lower: str, upper: str, colour: str) -> go.Scatter:
    """Shade what lies between two percentiles: a polygon for each stretch without a gap."""
    times, low, high = moments(rows["interval_start"]), floats(rows[lower]), floats(rows[upper])
    known = ~(np.isnan(low) | np.isnan(high))
    stretches = np.split(np.arange(len(times)), np.flatnonzero(np.diff(known.astype(int))) + 1)
    gap = np.array(["NaT"], dtype=times.dtype)
    x: list[Any] = []
    y: list[Any] = []
    for stretch in (s for s in stretches if len(s) and known[s[0]]):
        x += [times[stretch], times[stretch][::-1], gap]
        y += [low[stretch], high[stretch][::-1], [np.nan]]
    drawn = {"x": np.concatenate(x), "y": np.concatenate(y)} if x else {}
    return go.Scatter(
        **drawn, mode="lines", line_width=0, fill="toself", fillcolor=colour, hoverinfo="skip", showlegend=False
    )


def _line(rows: pa.Table, values: Any, name: str, colour: str, unit: str) -> go.Scatter:
    times = moments(rows["interval_start"])
    return go.Scatter(
        x=times,
        y=values,
        name=name,
        mode="lines+markers" if len(times) < 30 else "lines",  # a lone point between gaps has no line
        line={"color": colour, "width": 2},
        marker={"size": 4},
        hovertemplate=f"%{{y:,.4~g}}{unit}",
    )
