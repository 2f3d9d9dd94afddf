"""What goes wrong, as answers of one shape: ``{"error": code, "message": sentence, …details}``."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from ator_lib.errors import AtorError, CapacityError, StoreUnavailableError
from ator_lib.registry.problems import PROBLEMS
from ator_lib.registry.wire import refusal_to_json

_log = logging.getLogger(__name__)

STATUS_CODES = {
    400: (422, "invalid"),
    401: (401, "unauthenticated"),
    403: (403, "forbidden"),
    404: (404, "not_found"),
    405: (405, "method_not_allowed"),
    413: (413, "too_large"),
}
"""Status of the framework's own errors → ours; unreadable JSON is one 422 among others."""

_LONGEST_FIELD_NAME = 100
_MOST_FIELDS = 20


class Answer(JSONResponse):
    """JSON in ASCII: half a character, which UTF-8 cannot say, is escaped and never breaks an answer."""

    def render(self, content: Any) -> bytes:
        """Turn plain data into bytes."""
        return json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()


class Door(APIRoute):
    """A route of the REST API: whatever happens behind it, the answer has the one shape and no internals."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Wrap FastAPI's handler, so that the answer to a surprise gets the security headers, too."""
        answer = super().get_route_handler()

        async def answer_in_any_case(request: Request) -> Response:
            try:
                return await answer(request)
            except (AtorError, HTTPException, RequestValidationError):
                raise  # for the handlers below
            except ClientDisconnect:
                return Response(status_code=400)  # nobody reads it
            except Exception as error:
                return _internal(request, error, 500, "internal", "something broke in the server")

        return answer_in_any_case


def problem(status: int, code: str, message: str, **details: Any) -> Answer:
    """Make an answer that says what went wrong."""
    return Answer({"error": code, "message": message, **details}, status_code=status)


def add_problem_handlers(app: FastAPI) -> None:
    """Let the application answer errors of ours, of validation and of routing in the one shape."""
    app.add_exception_handler(AtorError, answer_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)


async def answer_error(request: Request, error: Exception) -> Answer:
    """Answer an error of ours; those that are about the server's insides say only where its log has more."""
    status, code = next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)
    if isinstance(error, StoreUnavailableError):
        state = "whether this was done is not known" if error.in_doubt else "nothing was changed"
        words = f"the server's database cannot be reached now, and {state}; ask again"
        return _internal(request, error, status, code, words, in_doubt=error.in_doubt)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _internal(request, error, status, code, "the server cannot do this now")
    details = refusal_to_json(error.refusal) if isinstance(error, CapacityError) else {}
    return problem(status, code, str(error), **details)


async def _answer_invalid(request: Request, error: Exception) -> Answer:
    assert isinstance(error, RequestValidationError)  # noqa: S101 – Starlette hands over what was registered
    return problem(422, "invalid", why_invalid(error), fields=list(_invalid_fields(error)))


def why_invalid(error: RequestValidationError) -> str:
    """Say in a sentence what of a request cannot be."""
    words = "; ".join(f"{field['field']}: {field['problem']}" for field in _invalid_fields(error))
    return f"the request is invalid: {words}"


def _invalid_fields(error: RequestValidationError) -> Iterable[dict[str, str]]:
    """Name what is wrong and not what was sent: it may be long, or a secret in the wrong place."""
    for _, details in zip(range(_MOST_FIELDS), error.errors(), strict=False):
        where = [str(part) for part in details["loc"] if part not in ("body", "query", "path", "header")]
        if details["type"] == "json_invalid":
            yield {"field": "body", "problem": "this is no JSON"}
        elif not where and isinstance(error.body, bytes):  # FastAPI reads it only if it is called JSON
            yield {"field": "body", "problem": "send it with Content-Type: application/json (curl --json)"}
        else:
            yield {"field": (".".join(where) or "body")[:_LONGEST_FIELD_NAME], "problem": details["msg"]}


async def _answer_http(request: Request, error: Exception) -> Answer:
    assert isinstance(error, HTTPException)  # noqa: S101 – as above
    status, code = STATUS_CODES.get(error.status_code, (error.status_code, "invalid"))
    answer = problem(status, code, _words(status, request, error))
    answer.headers.update(error.headers or {})
    return answer


def _words(status: int, request: Request, error: HTTPException) -> str:
    match status:
        case HTTPStatus.NOT_FOUND:
            return "there is nothing at this address; /docs lists what there is"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return f"{request.method} is not possible at this address; /docs lists what is"
        case HTTPStatus.UNPROCESSABLE_ENTITY:
            return "the request is invalid: its body cannot be read as JSON"
        case _:
            return error.detail


def _internal(request: Request, error: Exception, status: int, code: str, words: str, **details: Any) -> Answer:
    log_id = uuid4().hex
    _log.error("%s %s failed (id %s)", request.method, request.url.path, log_id, exc_info=error)
    return problem(status, code, f"{words} (its log has more under id {log_id})", id=log_id, **details)
