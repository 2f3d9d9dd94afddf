"""A place to drop a file, which goes to the server by HTTP."""

from __future__ import annotations

from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from panel_app.markup import source


class FileDrop(JSComponent):
    """Sends a file that is dropped or chosen to ``POST /uploads`` and asks for the view of what came.

    It shows how far it is, and what the server says against the file. Nothing goes over the websocket.
    ``html`` comes from ``markup.render``; what its elements are stands in ``file_drop.js``.
    """

    html = param.String(default="", doc="Escaped HTML, shown once.")

    _esm = source("file_drop.js")
    _stylesheets: ClassVar[list[str]] = [source("content.css")]

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"sizing_mode": "stretch_width", "margin": 0, "visible": False, **params})
