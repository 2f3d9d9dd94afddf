"""The frame that all pages share: header, navigation, look."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlencode

import panel as pn
from bokeh.events import ConnectionLost
from bokeh.models import CustomJS
from panel.viewable import Viewer

from panel_app.markup import source

OVERVIEW = "/overview"
RUN = "/run"

LOST = "Connection lost. Reload the page."
"""Panel's pages do not connect again: the session that they show is the server's to free."""

NAVIGATION: Mapping[str, str] = MappingProxyType({"Overview": OVERVIEW})
"""What the header offers: label → path."""


def run_link(run_id: int) -> str:
    """Where the page of a run is."""
    return f"{RUN}?{urlencode({'run_id': run_id})}"


def _tell_when_connection_is_lost() -> None:
    """Let the browser say that a page whose connection is gone shows what was, and not what is."""
    if pn.state.curdoc is not None:
        write = "document.getElementById('connection').textContent = text"
        pn.state.curdoc.js_on_event(ConnectionLost, CustomJS(args={"text": LOST}, code=write))


def framed(page: Viewer, *, path: str, title: str, footer: str) -> pn.Template:
    """Put a page into the frame; ``path`` is its own, ``title`` and ``footer`` are plain text."""
    template = pn.Template(source("frame.html"), location=True)
    template.add_panel("page", page)
    template.add_variable("frame_css", source("frame.css"))
    template.add_variable("navigation", list(NAVIGATION.items()))
    template.add_variable("path", path)
    template.add_variable("page_title", title)
    template.add_variable("footer", footer)
    _tell_when_connection_is_lost()
    return template
