"""The figure of a run that still runs: how it did at each heartbeat so far."""

from __future__ import annotations

import plotly.graph_objects as go
import pyarrow as pa
from plotly.subplots import make_subplots

from ator_lib.figures import theme

_PANELS = (
    ("throughput_rps", "requests/s", theme.TOTAL, 120),
    ("users", "users", theme.GREEN, 70),
    ("p95_ms", "p95 (ms)", theme.BLUE, 120),
    ("error_rate", "errors", theme.FAILURES, 70),
)
"""What is drawn of each point, its title, its colour, and the panel's height in pixels."""

_HEIGHTS = [height for *_, height in _PANELS]


def progress_figure(progress: pa.Table, *, title: str = "Progress") -> go.Figure:
    """Draw throughput, users, p95 and the share of failed requests over the seconds since the run's start.

    There is a trace for each, whatever is known, with its column as ``meta``: what comes later can be added to them.

    Parameters
    ----------
    progress
        A row per point, the oldest first: elapsed_s, throughput_rps, users, p95_ms, error_rate.
    """
    figure = make_subplots(rows=len(_PANELS), cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=_HEIGHTS)
    elapsed_s = progress["elapsed_s"].to_pylist()
    for row, (column, heading, colour, _) in enumerate(_PANELS, start=1):
        line = go.Scatter(x=elapsed_s, y=progress[column].to_pylist(), name=heading, meta=column, mode="lines")
        line.update(line={"color": colour, "width": 2}, hovertemplate="%{y:.2%}" if _is_share(column) else "%{y:,.4~g}")
        figure.add_trace(line, row=row, col=1)
        figure.update_yaxes(title_text=heading, rangemode="tozero", row=row)
        if _is_share(column):
            figure.update_yaxes(tickformat=".3~%", row=row)
    figure.update_xaxes(title_text="seconds since the start", row=len(_PANELS))
    figure.update_layout(hovermode="x unified", showlegend=False)
    return theme.styled(figure, title=title, height=150 + sum(_HEIGHTS)).update_layout(margin_b=64)


def _is_share(column: str) -> bool:
    return column.endswith("_rate")
