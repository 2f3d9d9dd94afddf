"""The card with the chart of a run over time and the choice of its interval."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING

import panel as pn
import param
from panel.custom import JSComponent
from panel.viewable import Viewer

from panel_app.fragment import Fragment
from panel_app.markup import render, source

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from ator_lib import Run

INTERVALS = MappingProxyType({"1 s": "1s", "5 s": "5s", "10 s": "10s", "30 s": "30s", "1 min": "1min"})
"""Label → what ``RunHandle.figure`` is told."""

_SECONDS = {"1s": 1, "5s": 5, "10s": 10, "30s": 30, "1min": 60}

POINTS = 240
"""Unless one is chosen, the finest interval that draws at most so many points."""


class Chart(JSComponent):
    """Draws a plotly figure in the width that it has, with the plotly.js that Panel brings.

    Panel's own pane keeps the default width when it was drawn before it had a place, and
    tells the server every movement of the mouse.
    """

    figure = param.String(default="", doc="A plotly figure as JSON; empty: nothing is drawn.")

    _esm = source("chart.js")


class TimelineCard(Viewer):
    """Shows a figure and the choice of intervals; nothing until it has a figure."""

    def __init__(self, on_choice: Callable[[str], None]) -> None:
        super().__init__()
        self._heading = Fragment(on_choice=on_choice)
        self._chart = Chart(sizing_mode="stretch_width", margin=0)
        self._card = pn.Column(
            self._heading,
            self._chart,
            stylesheets=[source("card.css")],
            css_classes=["card"],
            sizing_mode="stretch_width",
            visible=False,
        )

    def __panel__(self) -> pn.Column:
        return self._card

    def display(self, figure: Figure, interval: str, uncut: str = "") -> None:
        """Show a figure that was drawn at ``interval``, or say why there is no choice of them (``uncut``)."""
        figure.update_layout(title=None, margin_t=40)  # the page has the title; the legend is above the drawing
        self._heading.display(render("chart.html", intervals=INTERVALS, chosen=interval, uncut=uncut))
        self._chart.param.update(figure=figure.to_json(), height=figure.layout.height or 450)
        self._card.visible = True


def finest(run: Run) -> str:
    """Choose the finest interval that keeps the chart readable for the run's length."""
    if run.start_time is None or run.end_time is None:
        return "1s"
    length_s = (run.end_time - run.start_time).total_seconds()
    return next((interval for interval, s in _SECONDS.items() if length_s / s <= POINTS), "1min")
