"""What every file of doors needs: a router of the one kind, the workspace's parts, and the documented problems."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Path, Request, Security
from fastapi.responses import HTMLResponse
from fastapi.security import HTTPBearer

from ator_lib.server.answers import InternalAnswer, InvalidAnswer, NoCapacityAnswer, ProblemAnswer, UnavailableAnswer
from ator_lib.server.problems import Answer, Door
from ator_lib.workspace.parts import Parts

_TOKEN = HTTPBearer(
    scheme_name="token",
    description="An API token, made by `ator token create`. A server on loopback may need none.",
    auto_error=False,  # the guard has judged already; this is for the document
)

_PROBLEMS: dict[int, tuple[type[ProblemAnswer], str]] = {
    401: (ProblemAnswer, "The server wants a token, or the one shown does not hold."),
    403: (ProblemAnswer, "The token's role does not allow this, or the request comes from another origin."),
    404: (ProblemAnswer, "There is no such run, location or baseline."),
    409: (
        ProblemAnswer,
        "The run is not in a state that allows this; `error` says which: conflict, lease_lost, cancelled.",
    ),
    413: (ProblemAnswer, "The request is larger than the server takes."),
    422: (InvalidAnswer, "The request is invalid or could never be admitted; nothing was changed."),
    500: (InternalAnswer, "Something broke in the server; its log has more under the id."),
    503: (UnavailableAnswer, "The database cannot be reached now; ask again."),
}

NO_CAPACITY: dict[int | str, dict[str, Any]] = {
    409: {
        "model": NoCapacityAnswer | ProblemAnswer,
        "description": "No room now: sum + requested is not below limit. Or the idempotency key is another request's.",
    }
}


def router_of(noun: str) -> APIRouter:
    """Make a router whose doors answer every problem in the one shape, and say so in the document."""
    return APIRouter(
        tags=[noun],
        route_class=Door,
        default_response_class=Answer,
        responses=problems(401, 403, 422, 500, 503),
        dependencies=[Security(_TOKEN)],
    )


def page_router_of(noun: str, *, door: type[Door]) -> APIRouter:
    """Make one whose doors answer HTML; most of their problems have the same shape."""
    return APIRouter(
        tags=[noun],
        route_class=door,
        default_response_class=HTMLResponse,
        responses={status: _problem_beside_html(status) for status in (401, 403, 422, 500, 503)},
        dependencies=[Security(_TOKEN)],
    )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document these statuses."""
    return {status: {"model": _PROBLEMS[status][0], "description": _PROBLEMS[status][1]} for status in statuses}


def _problem_beside_html(status: int) -> dict[str, Any]:
    # FastAPI would document a model as HTML, like the page itself
    model, description = _PROBLEMS[status]
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    as_page = {"text/html": {"schema": {"type": "string"}}} if status == 422 else {}  # a form tells people what is off
    return {"description": description, "content": {"application/json": {"schema": schema}, **as_page}}


async def _parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.workspace.parts
    return parts


WorkspaceParts: TypeAlias = Annotated[Parts, Depends(_parts_of)]
RunIdInPath: TypeAlias = Annotated[int, Path(description="The number that `/register` gave.", examples=[1])]
