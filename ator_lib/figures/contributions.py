"""The figure of an explanation: from nothing to the whole change, part by part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ator_lib.analysis.explain.result import KINDS, MEASURES, Contribution, ExplanationResult, Moved
from ator_lib.errors import UsageError
from ator_lib.figures import theme
from ator_lib.written import measured, percent, sentence

_MOST_ROWS = 10
"""Parts with a row of their own in each panel; the others share one."""
_HEADING_PX, _TITLE_PX, _BELOW_PX = 56, 64, 96
_BESIDE_PX = 130
"""Room for the figures at the ends of the bars, on a phone, too."""
_WIDE, _NARROW = 0.72, 0.34
_COLOURS = {"own change": theme.PURPLE, "change of mix": theme.SKY, "whole change": theme.BLACK}
_PATTERNS = {"own change": "", "change of mix": "/", "whole change": ""}
"""Seen without colours, too."""
_TOO_THIN = 0.01
"""Below this share of its row, a change has no bar of its own."""


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A row of a panel; ``start`` is where the row above ended, all in the unit of the axis."""

    label: str
    start: float
    own: float
    mix: float
    says: str
    hover: str
    is_whole: bool = False

    @property
    def end(self) -> float:
        return self.start + self.own + self.mix

    @property
    def reaches(self) -> float:
        """The right end of what is drawn."""
        return max(self.start, self.start + self.own, self.end)

    def bars(self) -> list[tuple[str, float, float, float, float]]:
        """Give name, base, length, offset from the row's middle, and width of each bar."""
        if self.is_whole:
            return [("whole change", self.start, self.own, 0.0, _WIDE)]
        smaller, larger = sorted((abs(self.own), abs(self.mix)))
        if smaller > _TOO_THIN * larger:
            own = ("own change", self.start, self.own, -0.18, _NARROW)
            return [own, ("change of mix", self.start + self.own, self.mix, 0.18, _NARROW)]
        name = "change of mix" if abs(self.mix) > abs(self.own) else "own change"
        return [(name, self.start, self.own + self.mix, 0.0, _WIDE)]


def contributions_figure(result: ExplanationResult, measure: str | None = None) -> go.Figure:
    """Draw a measure's change: a panel for each way of taking it apart, a row for each part, the largest first.

    A bar begins where that of the row above ends, so that they lead from 0 to the whole change, the black bar. The
    upper half of a row is the part's own change, the lower half that of its share of the requests.

    Raises
    ------
    UsageError
        There is no such measure.
    """
    if measure is not None and measure not in MEASURES:
        raise UsageError(f"no measure {measure!r}: there are {', '.join(MEASURES)}")
    moved = next((found for found in result.moved if measure in (None, found.measure)), None)
    if moved is None:
        return theme.empty_figure("What moved", "not known of both sides")
    kinds = result.of(moved.measure)
    if _is_still(moved, [row for rows in kinds.values() for row in rows]):
        return theme.empty_figure(_title(result, moved), f"the {MEASURES[moved.measure][0]} did not change")
    panels = {kind: _rows(_in_order(kind, rows), moved) for kind, rows in kinds.items() if kind != "endpoint phase"}
    drawn_px = sum(_HEADING_PX + theme.ROW_PX * len(rows) for rows in panels.values())
    figure = make_subplots(
        rows=len(panels),
        cols=1,
        shared_xaxes="all",
        row_heights=[len(rows) for rows in panels.values()],
        vertical_spacing=_HEADING_PX / drawn_px if len(panels) > 1 else 0.0,
        subplot_titles=[sentence(KINDS[kind]).rstrip(".") for kind in panels],
    )
    for place, rows in enumerate(panels.values(), start=1):
        _draw(figure, rows, place)
    _set_axes(figure, [row for rows in panels.values() for row in rows], moved, last=len(panels))
    height = round(_TITLE_PX + drawn_px + _BELOW_PX)
    styled = theme.styled(figure, title=_title(result, moved), height=height)
    top = styled.layout.margin.t + 24
    styled.update_layout(margin={"t": top, "b": _BELOW_PX, "r": _BESIDE_PX})
    return styled.update_layout(legend={"y": -60 / drawn_px, "yanchor": "top"})


def contributed(moved: Moved, value: float) -> str:
    """Write a contribution with its sign and unit, to three digits of the whole change.

    Examples
    --------
    >>> moved = Moved(measure="mean_ms", baseline=54.9, contender=63.3, difference=8.4, change=0.153)
    >>> contributed(moved, 8.08), contributed(moved, -0.0002)
    ('+8.08 ms', '0 ms')
    """
    places = 2 - math.floor(math.log10(abs(_scaled(moved, moved.difference)))) if moved.difference else 2
    written = f"{_scaled(moved, value):+,.{min(max(places, 0), 9)}f}"
    unit = "ms" if moved.measure == "mean_ms" else "points"
    return f"{written if written.strip('+-0.,') else '0'} {unit}"


def figure_of(measure: str, value: float | None) -> str:
    """Write a figure that is taken apart, with its unit.

    Examples
    --------
    >>> figure_of("mean_ms", 52.13), figure_of("beyond_p95", 0.05)
    ('52.1 ms', '5.00 %')
    """
    return measured(measure, value) if measure == "mean_ms" else percent(value)


def _title(result: ExplanationResult, moved: Moved) -> str:
    if moved == result.moved[0]:
        return sentence(result.headline).rstrip(".")
    figures = (figure_of(moved.measure, value) for value in (moved.baseline, moved.contender))
    return f"{sentence(MEASURES[moved.measure][0]).rstrip('.')}: {' → '.join(figures)}"


def _is_still(moved: Moved, rows: Sequence[Contribution]) -> bool:
    """Whether no part contributes more than rounding does."""
    least = 1e-9 * max(abs(moved.baseline), abs(moved.contender))
    return all(abs(row.own) <= least and abs(row.mix) <= least for row in rows)


def _scaled(moved: Moved, value: float) -> float:
    """Turn a share into percentage points."""
    return value if moved.measure == "mean_ms" else 100 * value


def _in_order(kind: str, rows: Sequence[Contribution]) -> Sequence[Contribution]:
    """Draw tenths of the run as they came; all else is drawn as it is ranked."""
    return sorted(rows, key=lambda row: (len(row.part), row.part)) if kind == "time" else rows


def _rows(contributions: Sequence[Contribution], moved: Moved) -> list[_Row]:
    shown, others = contributions[:_MOST_ROWS], contributions[_MOST_ROWS:]
    if len(others) == 1:
        shown, others = contributions, ()
    labels = theme.short_labels([row.part for row in shown])
    parts = [(label, row.own, row.mix, _hover(row, moved)) for label, row in zip(labels, shown, strict=True)]
    if others:
        sums = sum(row.own for row in others), sum(row.mix for row in others)
        parts.append((theme.others(len(others)), *sums, theme.others(len(others))))
    starts = accumulate((own + mix for _, own, mix, _ in parts), initial=0.0)
    rows = [
        _Row(
            label=label,
            start=_scaled(moved, start),
            own=_scaled(moved, own),
            mix=_scaled(moved, mix),
            says=_says(own + mix, moved),
            hover=f"{hover}<br>contributes {_says(own + mix, moved)}",
        )
        for (label, own, mix, hover), start in zip(parts, starts, strict=False)
    ]
    return [*rows, _whole(moved)]


def _whole(moved: Moved) -> _Row:
    says = contributed(moved, moved.difference)
    return _Row(
        label="<b>whole change</b>",
        start=0.0,
        own=_scaled(moved, moved.difference),
        mix=0.0,
        says=says,
        hover=f"<b>whole change</b>: {says}",
        is_whole=True,
    )


def _says(value: float, moved: Moved) -> str:
    share = f" ({round(100 * value / moved.difference)} %)" if moved.difference else ""
    return f"{contributed(moved, value)}{share}"


def _hover(row: Contribution, moved: Moved) -> str:
    figures = f"{figure_of(row.measure, row.baseline)} → {figure_of(row.measure, row.contender)}"
    lines = [f"<b>{theme.plain(row.part)}</b>" + ("" if row.baseline is row.contender is None else f": {figures}")]
    if row.baseline_share is not None and row.phase is None:
        lines.append(f"share of requests {percent(row.baseline_share)} → {percent(row.contender_share)}")
    lines.append(f"own change {contributed(moved, row.own)}, mix {contributed(moved, row.mix)}")
    return "<br>".join(lines)


def _draw(figure: go.Figure, rows: Sequence[_Row], place: int) -> None:
    for name, colour in _COLOURS.items():
        bars = [(at, row, bar) for at, row in enumerate(rows) for bar in row.bars() if bar[0] == name]
        trace = go.Bar(
            orientation="h",
            name=name,
            legendgroup=name,
            showlegend=place == 1,
            y=[at + bar[3] for at, _, bar in bars] or [0],
            x=[bar[2] for _, _, bar in bars] or [0],
            base=[bar[1] for _, _, bar in bars] or [0],
            width=[bar[4] for _, _, bar in bars] or [0],
            marker={"color": colour, "pattern": {"shape": _PATTERNS[name], "fgcolor": "white", "bgcolor": colour}},
            hovertext=[row.hover for _, row, _ in bars],
            hovertemplate="%{hovertext}<extra></extra>",
        )
        figure.add_trace(trace, row=place, col=1)
    figure.add_trace(_steps(rows), row=place, col=1)
    figure.add_trace(_figures(rows), row=place, col=1)
    places = list(range(len(rows)))
    ticks = {"tickvals": places, "ticktext": [row.label for row in rows]}
    figure.update_yaxes(**ticks, range=[len(rows) - 0.4, -0.6], showgrid=False, row=place, col=1)


def _steps(rows: Sequence[_Row]) -> go.Scatter:
    """Draw thin lines from where a row ends to where the next one begins."""
    x: list[float | None] = []
    y: list[float | None] = []
    for at, row in enumerate(rows[:-1]):
        x += [row.end, row.end, None]
        y += [at, at + 1, None]
    line = {"color": theme.GREY, "width": 1}
    return go.Scatter(x=x, y=y, mode="lines", line=line, showlegend=False, hoverinfo="skip")


def _figures(rows: Sequence[_Row]) -> go.Scatter:
    """Write what each row contributes at its right end."""
    return go.Scatter(
        x=[row.reaches for row in rows],
        y=list(range(len(rows))),
        mode="text",
        text=[f" {row.says}" for row in rows],
        textposition="middle right",
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )


def _set_axes(figure: go.Figure, rows: Sequence[_Row], moved: Moved, *, last: int) -> None:
    """Show all bars and 0, and name the axis once, below all panels."""
    left = min(0.0, *(value for row in rows for value in (row.start, row.start + row.own, row.end)))
    right = max(0.0, *(row.reaches for row in rows))
    span = (right - left) or 1.0
    name, unit = MEASURES[moved.measure]
    figure.update_xaxes(range=[left - 0.03 * span, right + 0.02 * span], nticks=8)
    figure.update_xaxes(title_text=f"change of the {name} ({unit})", row=last, col=1)
    figure.add_vline(x=0, line={"color": theme.BLACK, "width": 1}, layer="below")
    figure.update_layout(barmode="overlay", hovermode="closest")
    figure.update_annotations(font_size=13, x=0, xref="paper", xanchor="left")
