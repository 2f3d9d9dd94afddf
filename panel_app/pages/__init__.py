"""The pages of the dashboard: path → what makes it for one browser session."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn

from panel_app.layout import OVERVIEW, RUN, framed
from panel_app.live import LivePage, keep_fresh
from panel_app.pages.overview import OverviewPage
from panel_app.pages.run import RunPage

if TYPE_CHECKING:
    from ator_lib import Workspace


def pages() -> dict[str, Callable[[Workspace], pn.Template]]:
    """Every page by its path; the first one is the start page.

    A factory runs once per browser session, inside it.
    """
    pn.extension("plotly")
    return {OVERVIEW: _overview, RUN: _run}


def _overview(workspace: Workspace) -> pn.Template:
    return _served(OverviewPage(workspace), OVERVIEW, "Overview", workspace)


def _run(workspace: Workspace) -> pn.Template:
    page = RunPage(workspace, run_id=_argument("run_id"), interval=_argument("interval"))
    page.param.watch(_keep_in_address, "interval")
    return _served(page, RUN, f"Run {page.run_id}", workspace)


def _keep_in_address(event: Any) -> None:
    if pn.state.location is not None:
        pn.state.location.update_query(**{event.name: event.new})


def _served(page: LivePage, path: str, title: str, workspace: Workspace) -> pn.Template:
    keep_fresh(page)
    return framed(page, path=path, title=title, footer=f"ATOR · data in {workspace.data}")


def _argument(name: str) -> str:
    """Read a query argument of the page's address; empty if it is not there."""
    values = pn.state.session_args.get(name, [b""])
    return values[0].decode("utf-8", errors="replace")
