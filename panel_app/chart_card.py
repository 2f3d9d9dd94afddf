"""A card with a figure in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import panel as pn
from panel.viewable import Viewer

from panel_app.chart import Chart
from panel_app.fragment import Fragment
from panel_app.markup import source

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


class ChartCard(Viewer):
    """Shows a heading, a figure, and what belongs below it; nothing until it has one of them.

    Parameters
    ----------
    tallest_px
        A figure that is taller is scrolled.
    chart
        As for ``Chart``.
    """

    def __init__(self, *, tallest_px: int = 3000, **chart: Any) -> None:
        super().__init__()
        self.heading, self.below = Fragment(), Fragment()
        self.chart = Chart(**chart)
        self._figure: Figure | None = None
        scrolled = pn.Column(
            self.chart,
            sizing_mode="stretch_width",
            styles={"overflow-y": "auto", "max-height": f"{tallest_px}px"},
        )
        self._card = pn.Column(
            self.heading,
            scrolled,
            self.below,
            stylesheets=[source("card.css")],
            css_classes=["card"],
            sizing_mode="stretch_width",
            visible=False,
        )

    def __panel__(self) -> pn.Column:
        return self._card

    def display(self, heading: str = "", figure: Figure | None = None, below: str = "") -> None:
        """Show HTML, a figure, HTML; the same figure is not sent again, and none of them takes no room."""
        self.heading.display(heading)
        self.below.display(below)
        if figure is not self._figure:
            self.chart.display(figure)
            self._figure = figure
        self._card.visible = bool(heading or figure or below)
