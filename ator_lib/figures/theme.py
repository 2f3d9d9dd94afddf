"""One look for all figures: colours that colour-blind people can tell apart, units on axes, one layout.

Colours: Okabe and Ito, "Color Universal Design" (2008). Shapes say the same as colours, for print in grey.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import plotly.graph_objects as go

from ator_lib.analysis.verdicts import Verdict
from ator_lib.written import cut

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
GREY = "#8A8A8A"
GREY_GROUND = "rgba(138, 138, 138, 0.3)"
PALE = "#C4C4C4"
GRID = "#E6E6E6"
BAND = "#E3EEF6"
"""± the minimum effect."""

BASELINE = BLUE
"""The baseline in every figure that has both sides."""
CONTENDER = ORANGE
"""The contender in every figure that has both sides."""
FAILURES = VERMILION
FAILURES_GROUND = "rgba(213, 94, 0, 0.25)"
PERCENTILES = {"p50_ms": SKY, "p95_ms": BLUE, "p99_ms": PURPLE}
"""A percentile's colour, the darker the further out."""
SYMBOLS = {"p50_ms": "circle", "p95_ms": "diamond", "p99_ms": "square"}
BANDS = {"p95_ms": "rgba(86, 180, 233, 0.22)", "p99_ms": "rgba(204, 121, 167, 0.16)"}
"""The ground below a percentile, down to the one before it."""
HEAT = "Viridis_r"
"""The darker the slower, for colour-blind people and in grey, too; none of it looks like a cell that is empty."""
TOTAL = BLACK
LINES = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)
"""For lines that have no meaning of their own; yellow is too faint on white."""

VERDICTS: dict[Verdict | None, tuple[str, str]] = {
    Verdict.REGRESSED: (VERMILION, "diamond"),
    Verdict.IMPROVED: (GREEN, "square"),
    Verdict.NO_CHANGE: (BLUE, "circle"),
    Verdict.NOT_ENOUGH_EVIDENCE: (GREY, "circle-open"),
    Verdict.NOT_COMPARABLE: (GREY, "x"),
    None: (GREY, "line-ns-open"),
}
"""Verdict → colour and marker; ``None`` is a metric that is shown and not judged."""

ROW_PX = 24
"""Height of one endpoint, so that sixty are as legible as two."""
LEGEND_PX = 24
"""Height of a legend of one line."""

_AXIS = {
    "gridcolor": GRID,
    "linecolor": GREY,
    "showline": True,
    "ticks": "outside",
    "tickcolor": GREY,
    "zeroline": False,
    "automargin": True,
    "separatethousands": True,
}

TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": "Helvetica, Arial, sans-serif", "size": 12, "color": "#222222"},
        "title": {
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",  # on a phone the legend wraps and grows up to it
            "pad": {"l": 12, "t": 12},
            "font": {"size": 15},
        },
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "colorway": LINES,
        "hoverlabel": {"bgcolor": "white", "align": "left", "namelength": -1},
        "legend": {"orientation": "h", "xref": "paper", "x": 0, "xanchor": "left"},
        "margin": {"l": 60, "r": 24, "t": 64, "b": 48},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
    }
)


def styled(figure: go.Figure, *, title: str, height: int) -> go.Figure:
    """Give a figure its look; the title is escaped and wrapped, the width is the page's."""
    lines = textwrap.wrap(title, 95) or [""]
    figure.update_layout(template=TEMPLATE, title_text="<br>".join(map(plain, lines)), height=height)
    figure.update_layout(margin_t=64 + 20 * (len(lines) - 1))
    return figure


def empty_figure(title: str, words: str = "no requests") -> go.Figure:
    """Return a figure that says why there is nothing to see."""
    figure = go.Figure()
    figure.add_annotation(text=words, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font_size=20)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return styled(figure, title=title, height=240)


def plain(text: str) -> str:
    """Escape what plotly would read as markup: names come from other people's tests."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def short(text: str, most: int = 40) -> str:
    """Cut a long name in its middle, and escape it."""
    return plain(cut(text, most))


def short_labels(texts: Sequence[str], most: int = 40) -> list[str]:
    """Cut long names, but keep more of those that would then look the same.

    Examples
    --------
    >>> short_labels(["/orders/1/items", "/orders/2/items", "/a/very/long/name"], most=9)
    ['/orders/1/items', '/orders/2/items', '/a/v…name']
    """
    cut = [short(text, most) for text in texts]
    return [label if cut.count(label) == 1 else short(text, 2 * most) for text, label in zip(texts, cut, strict=True)]


def others(count: int) -> str:
    """Name the endpoints that have no place of their own."""
    return f"{count:,} others" if count > 1 else "1 other"


def label_rows(figure: go.Figure, labels: Sequence[str]) -> None:
    """Name the rows at 0, 1, 2 …, the first on top."""
    places = list(range(len(labels)))
    figure.update_yaxes(tickvals=places, ticktext=labels, range=[len(labels) - 0.4, -0.6], showgrid=False)


def log_ticks(values: Sequence[float]) -> list[float]:
    """Return 1, 2, 5, 10 … around positive ``values``; finer ones or the decades alone, so that there are a few.

    Examples
    --------
    >>> log_ticks([3, 40])
    [2.0, 5.0, 10.0, 20.0, 50.0]
    """
    low, high = math.log10(min(values)), math.log10(max(values))
    fine = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    steps = fine if high - low < 0.6 else (1, 2, 5) if high - low < 3 else (1,)
    decades = range(math.floor(low) - 1, math.ceil(high) + 2)
    ticks = [float(f"{step}e{decade}") for decade in decades for step in steps]
    first = max(index for index, tick in enumerate(ticks) if tick <= min(values) or index == 0)
    last = min(index for index, tick in enumerate(ticks) if tick >= max(values) or index == len(ticks) - 1)
    return ticks[first : last + 1]


def set_latency_axis(
    axis: go.layout.XAxis | go.layout.YAxis, values: Sequence[float], *, log_from: float = 20.0
) -> None:
    """Label an axis of milliseconds; logarithmic where the values span more than a factor of ``log_from``."""
    known = [value for value in values if value > 0]
    if known and len(known) == len(values) and max(known) > log_from * min(known):
        ticks = log_ticks(known)
        axis.title = {"text": "latency (ms), logarithmic"}
        axis.type = "log"
        axis.tickvals = ticks
        axis.ticktext = [f"{tick:,.10g}" for tick in ticks]
    else:
        axis.title = {"text": "latency (ms)"}
        axis.rangemode = "tozero"
