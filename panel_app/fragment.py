"""A piece of HTML that is changed in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from panel_app.markup import source


class Fragment(JSComponent):
    """Shows ``html`` and, when it changes, touches only what differs.

    Focus, text selection, scroll positions and half-done clicks outlive a refresh.
    ``html`` comes from ``markup.render``, which has escaped it. A click on an element with
    ``data-choose`` is handed to ``on_choice`` with that attribute's text.
    """

    html = param.String(default="", doc="Escaped HTML.")

    _esm = source("fragment.js")
    _stylesheets: ClassVar[list[str]] = [source("content.css")]

    def __init__(self, *, on_choice: Callable[[str], None] | None = None, **params: Any) -> None:
        super().__init__(**{"sizing_mode": "stretch_width", "margin": 0, **params})
        self.visible = bool(self.html)
        self._on_choice = on_choice

    def display(self, html: str) -> None:
        """Show ``html``; equal HTML is not sent again. Nothing to show takes no room."""
        self.param.update(html=html.strip(), visible=bool(html.strip()))

    def _handle_msg(self, msg: Any) -> None:
        if self._on_choice is not None and isinstance(msg, str):
            self._on_choice(msg)
