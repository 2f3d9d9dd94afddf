"""The FastAPI application: health and the Panel pages that it is handed, in one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeAlias

from bokeh_fastapi import BokehFastAPI
from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from panel.io.fastapi import add_applications
from starlette.routing import Route

from ator_lib.server.guard import LOOPBACK_NAMES, Guard
from ator_lib.server.sessions import mend_bokeh_fastapi

if TYPE_CHECKING:
    from ator_lib.workspace.workspace import Workspace

PageFactory: TypeAlias = Callable[["Workspace"], Any]
"""Makes what Panel serves to one browser session (a Viewer, a layout or a template)."""

SESSION_LIFETIME_S = 30.0
"""How long a page without a connection keeps its session. A browser connects only after it has loaded
some 10 MB of scripts, and a page whose session is gone by then stays empty: so think of slow tunnels."""


def create_app(
    workspace: Workspace,
    pages: Mapping[str, PageFactory],
    *,
    host: str = "127.0.0.1",
    session_lifetime_s: float = SESSION_LIFETIME_S,
) -> FastAPI:
    """Build the application that answers ``/health`` and serves ``pages``.

    Parameters
    ----------
    workspace
        Handed to each page factory, once per browser session.
    pages
        Path (``/overview``) → factory. The first one is where ``/`` leads.
    host
        The address listened on; with the loopback names it is what a Host header may say.
    session_lifetime_s
        Seconds until the session of a closed page is freed; the check runs three times as often.
    """
    mend_bokeh_fastapi()
    # FastAPI's own documentation pages load scripts from another host
    app = FastAPI(title="ATOR", version=version("ator"), docs_url=None, redoc_url=None)
    app.add_middleware(Guard, host_names=LOOPBACK_NAMES | {host.lower()})

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Say that the server answers, with its version and its time (UTC)."""
        return {"status": "ok", "version": app.version, "time": datetime.now(UTC).isoformat()}

    @app.get("/", include_in_schema=False)
    async def start() -> RedirectResponse:
        return RedirectResponse(next(iter(pages)))

    app.state.pages = _add_pages(app, workspace, pages, session_lifetime_s)
    return app


def _add_pages(
    app: FastAPI, workspace: Workspace, pages: Mapping[str, PageFactory], session_lifetime_s: float
) -> BokehFastAPI:
    added = add_applications(
        {path: _bound(factory, workspace) for path, factory in pages.items()},
        app=app,
        title="ATOR",
        unused_session_lifetime_milliseconds=round(session_lifetime_s * 1000),
        check_unused_sessions_milliseconds=max(1, round(session_lifetime_s * 1000 / 3)),
    )
    for route in app.routes:
        if isinstance(route, Route) and route.path in pages:
            route.include_in_schema = False
    return added


def _bound(factory: PageFactory, workspace: Workspace) -> Callable[[], Any]:
    def page() -> Any:  # Panel calls plain functions only
        return factory(workspace)

    return page
