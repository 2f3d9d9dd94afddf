"""The FastAPI application: the REST API and the Panel pages that it is handed, in one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeAlias

from bokeh_fastapi import BokehFastAPI
from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from panel.io.fastapi import add_applications
from starlette.routing import Route
from starlette.types import Lifespan

from ator_lib.model import Token
from ator_lib.server.access import authenticators
from ator_lib.server.api.docs import add_docs
from ator_lib.server.api.doors import router
from ator_lib.server.guard import LOOPBACK_RULES, AccessRules, Guard
from ator_lib.server.judging import while_judging
from ator_lib.server.login import login_router
from ator_lib.server.problems import add_problem_handlers
from ator_lib.server.sessions import mend_bokeh_fastapi
from ator_lib.server.turns import Turns
from ator_lib.server.visitors import Visitor, visitor

if TYPE_CHECKING:
    from ator_lib.workspace.workspace import Workspace

PageFactory: TypeAlias = Callable[["Workspace", Visitor], Any]
"""Makes what Panel serves to one browser session (a Viewer, a layout or a template) of this visitor."""

SESSION_LIFETIME_S = 30.0
"""How long a page without a connection keeps its session. A browser connects only after it has loaded
some 3 MB of scripts, and a page whose session is gone by then stays empty: so think of slow tunnels."""

_SUMMARY = "May this test start now, what happened, and did it get worse?"
_DESCRIPTION = """\
Runs are registered before they load a location and completed afterwards. Each takes a `factor` of its
location; the sum stays below the location's capacity.

Every error has one shape: `{"error": code, "message": sentence}`, with details for some codes.
Times are ISO 8601; one without a zone is UTC.
"""


def create_app(
    workspace: Workspace,
    pages: Mapping[str, PageFactory],
    *,
    rules: AccessRules = LOOPBACK_RULES,
    session_lifetime_s: float = SESSION_LIFETIME_S,
    judges: bool = False,
) -> FastAPI:
    """Build the application: the REST API of ``server.api`` beside the pages.

    Parameters
    ----------
    workspace
        What the API is about; also handed to each page factory, once per browser session, with its visitor.
    pages
        Path (``/overview``) → factory. The first one is where ``/`` leads.
    rules
        Who is let in.
    session_lifetime_s
        Seconds that a page may take to connect; the check runs three times as often. One that has been
        connected is freed at once when it closes.
    judges
        Judge the runs that have ended, while the application runs.
    """
    mend_bokeh_fastapi()
    app = _empty_app(while_judging(lambda: workspace.judge(limit=1)) if judges else None)
    app.state.workspace = workspace
    app.state.turns = Turns()

    def check(token: str) -> Token | None:
        return workspace.parts.tokens.authenticate(token)

    app.add_middleware(Guard, rules=rules, authenticators=authenticators(check, requires_token=rules.requires_token))
    add_problem_handlers(app)
    app.include_router(router)
    app.include_router(login_router(check))
    add_docs(app)
    app.add_api_route("/", lambda: RedirectResponse(next(iter(pages))), include_in_schema=False)
    app.state.pages = _add_pages(app, workspace, pages, session_lifetime_s)
    return app


def _empty_app(lifespan: Lifespan[FastAPI] | None) -> FastAPI:
    # FastAPI's own documentation pages load scripts from another host
    return FastAPI(
        title="ATOR",
        summary=_SUMMARY,
        description=_DESCRIPTION,
        version=version("ator"),
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: "_".join((*map(str, route.tags), route.name)),
        lifespan=lifespan,
    )


def _add_pages(
    app: FastAPI, workspace: Workspace, pages: Mapping[str, PageFactory], session_lifetime_s: float
) -> BokehFastAPI:
    added = add_applications(
        {path: _bound(factory, workspace) for path, factory in pages.items()},
        app=app,
        title="ATOR",
        unused_session_lifetime_milliseconds=round(session_lifetime_s * 1000),
        check_unused_sessions_milliseconds=max(1, round(session_lifetime_s * 1000 / 3)),
        include_headers=[],  # what is included stands in the page's source: the login's cookie would, too
        include_cookies=[],
    )
    for route in app.routes:
        if isinstance(route, Route) and route.path in pages:
            route.include_in_schema = False
    return added


def _bound(factory: PageFactory, workspace: Workspace) -> Callable[[], Any]:
    def page() -> Any:  # Panel calls plain functions only
        return factory(workspace, visitor())

    return page
