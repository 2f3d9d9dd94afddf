"""The figure of failed requests: of what kind, and where."""

from __future__ import annotations

from collections import Counter
from typing import Any

import plotly.graph_objects as go
import pyarrow as pa

from ator_lib.figures import theme
from ator_lib.figures.rows import label_of

_MOST_KINDS = 10
_MOST_ENDPOINTS = 5
_BELOW_PX = 130
"""Room for the axis and a legend of three lines."""
_OTHERS = object()
"""The key of what has no bar or colour of its own: no name of a kind or endpoint equals it."""

_Counts = dict[Any, Counter[Any]]


def errors_figure(errors: pa.Table, *, title: str = "Errors") -> go.Figure:
    """Draw a bar per kind of failure, the most frequent on top, with a part for each endpoint.

    ``errors`` is ``schema.ERRORS``. The ten most frequent kinds and the five endpoints with most failures have names;
    the others are summed up.
    """
    rows = errors.to_pylist()
    if not rows:
        return theme.empty_figure(title, "no request failed")
    kinds, endpoints = _counted(rows, _kind), _counted(rows, label_of)
    bars, parts = _most(kinds, _MOST_KINDS), _most(endpoints, _MOST_ENDPOINTS)
    counts: _Counts = {part: Counter() for part in parts}
    for row in rows:
        kind, endpoint = _kind(row), label_of(row)
        part = endpoint if endpoint in counts else _OTHERS
        counts[part][kind if kind in bars else _OTHERS] += row["requests"]
    names = {_OTHERS: f"{len(endpoints) - _MOST_ENDPOINTS} other endpoints"}
    colours = [theme.GREY if part is _OTHERS else theme.LINES[place] for place, part in enumerate(parts)]
    looks = zip(parts, colours, strict=True)
    figure = go.Figure([_part(names.get(part, part), counts[part], bars, colour) for part, colour in looks])
    labels = [f"{len(kinds) - _MOST_KINDS} other kinds" if bar is _OTHERS else bar for bar in bars]
    theme.label_rows(figure, theme.short_labels(labels, 60))
    _write_totals(figure, [sum(count[bar] for count in counts.values()) for bar in bars])
    figure.update_xaxes(title_text="failed requests", rangemode="tozero")
    drawn_px = (theme.ROW_PX + 4) * max(len(bars), 3)
    legend = {"y": -54 / drawn_px, "yanchor": "top", "traceorder": "normal"}
    figure.update_layout(barmode="stack", bargap=0.3, legend=legend)
    styled = theme.styled(figure, title=title, height=64 + drawn_px + _BELOW_PX)
    return styled.update_layout(margin_b=_BELOW_PX)


def _kind(row: dict[str, Any]) -> str:
    status = None if row["status_code"] is None else str(row["status_code"])
    words = " ".join((row["error"] or "").split())
    return " · ".join(filter(None, (status, words if words != status else None))) or "failed, no reason given"


def _counted(rows: list[dict[str, Any]], key: Any) -> Counter[str]:
    counted: Counter[str] = Counter()
    for row in rows:
        counted[key(row)] += row["requests"]
    return counted


def _most(counted: Counter[str], most: int) -> list[Any]:
    """Give the most frequent, and a key for the others if there are any."""
    return [key for key, _ in counted.most_common(most)] + ([_OTHERS] if len(counted) > most else [])


def _part(name: str, counts: Counter[Any], bars: list[Any], colour: str) -> go.Bar:
    return go.Bar(
        x=[counts[bar] or None for bar in bars],
        y=list(range(len(bars))),
        orientation="h",
        name=theme.short(name),
        marker={"color": colour, "line": {"color": "white", "width": 1}},  # parts stay apart in grey, too
        hovertemplate="%{x:,} failed requests",
    )


def _write_totals(figure: go.Figure, totals: list[int]) -> None:
    """Write each bar's number and its share at its end."""
    whole = sum(totals)
    figure.add_trace(
        go.Scatter(
            x=totals,
            y=list(range(len(totals))),
            mode="text",
            text=[f" {total:,} ({total / whole:.0%})" for total in totals],
            textposition="middle right",
            cliponaxis=False,
            showlegend=False,
            hoverinfo="skip",
        )
    )
    figure.update_xaxes(range=[0, max(totals) * 1.15])
