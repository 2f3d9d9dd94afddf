"""The pages of the dashboard: path → what makes it for one browser session."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import panel as pn

from panel_app.page import Page, Visitor
from panel_app.pages.compare import ComparePage
from panel_app.pages.overview import OverviewPage
from panel_app.pages.run import RunPage
from panel_app.pages.runs import RunsPage
from panel_app.pages.trends import TrendsPage
from panel_app.pages.upload import UploadPage
from panel_app.session import opened

if TYPE_CHECKING:
    from ator_lib import Workspace

PAGES: tuple[type[Page], ...] = (OverviewPage, RunsPage, RunPage, ComparePage, TrendsPage, UploadPage)
"""The first one is the start page."""

OFFERED: tuple[type[Page], ...] = (OverviewPage, RunsPage, ComparePage, TrendsPage, UploadPage)
"""What the header offers; the others are led to by links."""


def pages() -> dict[str, Callable[[Workspace, Visitor], pn.Template]]:
    """Every page by its path.

    A factory runs once per browser session, inside it.
    """
    navigation = [(page.TITLE, page.PATH) for page in OFFERED]
    return {page.PATH: partial(opened, page, navigation=navigation) for page in PAGES}
