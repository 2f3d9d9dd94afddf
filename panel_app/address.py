"""The browser's address, in both directions."""

from __future__ import annotations

import param
from panel.custom import JSComponent

from panel_app.markup import source


class Address(JSComponent):
    """Follows the query of the address while the page stays: links within the page, forms, back and forward.

    A new ``query`` from Python becomes an entry of the browser's history. ``changes`` counts what the
    browser has had changed by the server's doors.

    Who is quick chooses twice before the page shows the first choice. So what a link or a form asks for is what
    differs from ``shown``, the query of what it stands in: what was chosen since stays.
    """

    query = param.String(default="", doc="With its question mark.")
    shown = param.String(default="", doc="The query of what the page shows.")
    changes = param.Integer(default=0)

    _esm = source("address.js")
