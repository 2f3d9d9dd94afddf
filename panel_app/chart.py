"""A plotly figure in the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import param
from panel.custom import JSComponent
from panel.io.resources import BUNDLE_DIR

from panel_app.markup import source

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

LEGEND_PX = 40
"""Room above the drawing."""

# by its file: Panel puts the scripts of each model that is imported into the head of every page
_PLOTLY_JS = next((BUNDLE_DIR / "plotlyplot").glob("plotly-*.min.js")).relative_to(BUNDLE_DIR)
PLOTLY_JS = f"static/extensions/panel/bundled/{_PLOTLY_JS.as_posix()}"


class Chart(JSComponent):
    """Draws a plotly figure in the width that it has, in the colours of the page, with the plotly.js that Panel brings.

    A page loads plotly.js with its first chart and not before, as it takes longer than all the rest.

    Panel's own pane keeps the default width when it was drawn before it had a place, and
    tells the server every movement of the mouse. Times are UTC in figures and the viewer's on the screen.

    Parameters
    ----------
    zooms
        A stretch of a time axis that somebody marks becomes ``since`` and ``until`` of the address (UTC), and a double
        click takes them out again. Else the browser zooms by itself.
    on_click
        Told the ``customdata`` of a point that is clicked.
    """

    figure = param.String(default="", doc="A plotly figure as JSON; empty: nothing is drawn.")
    zooms = param.Boolean(default=False)
    label = param.String(default="Chart", doc="What screen readers say.")
    narrowest_px = param.Integer(default=0, doc="Where there is less room, it is scrolled.")
    plotly_js = param.String(default=PLOTLY_JS, constant=True, doc="Whence the browser loads it.")

    _esm = source("chart.js")
    _stylesheets: ClassVar[list[str]] = [source("chart.css")]

    def __init__(self, *, on_click: Callable[[Any], None] | None = None, **params: Any) -> None:
        super().__init__(**{"sizing_mode": "stretch_width", "margin": 0, "visible": False, **params})
        self._on_click = on_click

    def display(self, figure: Figure | None) -> None:
        """Draw a figure; ``None`` takes no room. The page has the title, so the figure's own is left out."""
        if figure is None:
            self.param.update(figure="", visible=False)
            return
        layout = figure.layout
        height = (layout.height or 450) - ((layout.margin.t or LEGEND_PX) - LEGEND_PX)  # less by the room of the title
        figure.update_layout(title=None, margin_t=LEGEND_PX, height=height)
        self.param.update(figure=figure.to_json(), height=height, visible=True)

    def extend(self, points: Mapping[str, Sequence[Sequence[Any]]], *, most: int = 3600) -> None:
        """Add points to what is drawn: for each trace the values of ``x`` and ``y``; the oldest above ``most`` go."""
        self._send_msg({"extend": {"points": dict(points), "most": most}})

    def _handle_msg(self, msg: Any) -> None:
        if self._on_click is not None and isinstance(msg, dict) and "click" in msg:
            self._on_click(msg["click"])
