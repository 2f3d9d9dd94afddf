"""What every file of doors needs: a router of the one kind, the workspace's parts, and the documented problems."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Path, Request, Security
from fastapi.responses import HTMLResponse, Response
from fastapi.security import HTTPBearer

from ator_lib.server.answers import InternalAnswer, InvalidAnswer, NoCapacityAnswer, ProblemAnswer, UnavailableAnswer
from ator_lib.server.problems import Answer, Door
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.workspace import Workspace

_TOKEN = HTTPBearer(
    scheme_name="token",
    description="An API token, made by `ator token create`. A server on loopback may need none.",
    auto_error=False,  # the guard has judged already; this is for the document
)

_PROBLEMS: dict[int, tuple[type[ProblemAnswer], str]] = {
    401: (ProblemAnswer, "The server wants a token, or the one shown does not hold."),
    403: (ProblemAnswer, "The token's role does not allow this, or the request comes from another origin."),
    404: (ProblemAnswer, "There is no such run, location, baseline, file or upload."),
    409: (
        ProblemAnswer,
        "The run is not in a state that allows this; `error` says which: conflict, lease_lost, cancelled.",
    ),
    413: (ProblemAnswer, "The request is larger than the server takes."),
    422: (InvalidAnswer, "The request is invalid or could never be admitted; nothing was changed."),
    500: (InternalAnswer, "Something broke in the server; its log has more under the id."),
    503: (UnavailableAnswer, "The database cannot be reached now, or too much is being done; ask again."),
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
    router = file_router_of(noun, HTMLResponse, door=door)
    router.responses[422]["content"]["text/html"] = {"schema": {"type": "string"}}  # a form tells people what is off
    return router


def file_router_of(noun: str, answer: type[Response], *, door: type[Door] = Door) -> APIRouter:
    """Make one whose doors answer something else than JSON; their problems have the same shape."""
    return APIRouter(
        tags=[noun],
        route_class=door,
        default_response_class=answer,
        responses=problems_beside_file(401, 403, 422, 500, 503),
        dependencies=[Security(_TOKEN)],
    )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document these statuses."""
    return {status: {"model": _PROBLEMS[status][0], "description": _PROBLEMS[status][1]} for status in statuses}


def problems_beside_file(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document these statuses of doors that answer no JSON else: FastAPI would document a model as what they answer."""
    documented: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        model, description = _PROBLEMS[status]
        schema = {"$ref": f"#/components/schemas/{model.__name__}"}
        documented[status] = {"description": description, "content": {"application/json": {"schema": schema}}}
    return documented


async def _parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.workspace.parts
    return parts


async def _workspace_of(request: Request) -> Workspace:
    workspace: Workspace = request.app.state.workspace
    return workspace


ServedWorkspace: TypeAlias = Annotated[Workspace, Depends(_workspace_of)]
WorkspaceParts: TypeAlias = Annotated[Parts, Depends(_parts_of)]
RunIdInPath: TypeAlias = Annotated[int, Path(description="The number that `/register` gave.", examples=[1])]
