"""The frame that all pages share: header, navigation, look."""

from __future__ import annotations

from collections.abc import Sequence

import panel as pn
from bokeh.events import ConnectionLost
from bokeh.models import CustomJS

from panel_app.address import Address
from panel_app.markup import template_of
from panel_app.page import Page

_TELL_LOST = "document.dispatchEvent(new CustomEvent('ator:lost'))"


def framed(page: Page, address: Address, *, navigation: Sequence[tuple[str, str]], footer: str) -> pn.Template:
    """Put a page into the frame; ``navigation`` is label and path of each page to offer, ``footer`` plain text."""
    template = pn.Template(template_of("frame.html"), location=False)
    template.add_panel("page", page)
    template.add_panel("address", address)
    template.add_variable("navigation", navigation)
    template.add_variable("path", page.PATH)
    template.add_variable("page_title", page.title)
    template.add_variable("visitor", page.visitor)
    template.add_variable("footer", footer)
    if pn.state.curdoc is not None:  # what is seen without the server is of the past
        pn.state.curdoc.js_on_event(ConnectionLost, CustomJS(code=_TELL_LOST))
    return template
