"""A piece of HTML that is changed in place."""

from __future__ import annotations

from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from panel_app.markup import source


class Fragment(JSComponent):
    """Shows ``html`` and, when it changes, touches only what differs.

    Focus, text selection, scroll positions and half-done clicks outlive a refresh.
    ``html`` comes from ``markup.render``, which has escaped it. What its elements can ask for by their
    attributes stands in ``fragment.js``.
    """

    html = param.String(default="", doc="Escaped HTML.")

    _esm = source("fragment.js")
    _stylesheets: ClassVar[list[str]] = [source("content.css")]

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"sizing_mode": "stretch_width", "margin": 0, **params})
        self.visible = bool(self.html)

    def display(self, html: str) -> None:
        """Show ``html``; equal HTML is not sent again. Nothing to show takes no room."""
        self.param.update(html=html.strip(), visible=bool(html.strip()))
