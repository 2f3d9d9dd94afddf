from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.server.conftest import EXAMPLE
from tests.support.browser import GuardedPage

_PROBLEMS = "Problem|Invalid|Internal|Unavailable|NoCapacity"
DOORS = {
    *(
        "POST /register",
        "POST /complete",
        "POST /cancel",
        "POST /heartbeat",
        "GET /status",
        "GET /history",
        "GET /queue",
    ),
    "GET /runs/{run_id}/progress",
    *("GET /runs/{run_id}", "PATCH /runs/{run_id}", "DELETE /runs/{run_id}", "POST /runs/{run_id}/lease"),
    *("POST /runs/{run_id}/start", "POST /runs/{run_id}/leave", "POST /runs/{run_id}/results"),
    *("GET /runs/{run_id}/artifacts", "GET /runs/{run_id}/artifacts/{name}", "GET /runs/{run_id}/progress"),
    *("GET /history/count", "GET /history/values/{field}"),
    *("POST /runs/{run_id}/annotations", "DELETE /annotations/{annotation_id}"),
    *("GET /runs/{run_id}/report", "GET /compare/report"),
    *("POST /uploads", "GET /uploads/{upload_id}", "POST /uploads/{upload_id}/commit", "DELETE /uploads/{upload_id}"),
    *("GET /locations", "POST /locations", "PATCH /locations/{name}"),
    *("GET /baselines", "PUT /baselines/{name}", "DELETE /baselines/{name}"),
    *("GET /status-html", "GET /history-html", "GET /history-html-filter", "GET /whoami", "GET /health"),
}


@pytest.fixture(scope="module")
def document(empty_api: httpx.Client) -> dict[str, Any]:
    """Return the OpenAPI document that is served."""
    document: dict[str, Any] = empty_api.get("/openapi.json").json()
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_the_document_lists_the_doors_and_nothing_else(document: dict[str, Any]) -> None:
    """Pages of the dashboard, the login and the documentation itself are not in it."""
    assert {name for name, _ in operations(document)} == DOORS


def test_every_door_is_described(document: dict[str, Any]) -> None:
    """In words, with an id that names a method of a generated client, and a noun to find it under."""
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        assert len(operation["tags"]) == 1, name
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(ids)) == len(ids)
    assert "runs_register" in ids


def test_every_problem_is_documented_in_its_one_shape(document: dict[str, Any]) -> None:
    """With the statuses that a guard, a database and a reader of requests may answer."""
    for name, operation in operations(document):
        expected = {"401", "403", "422", "500", "503"} if name != "GET /health" else set()
        expected |= {"413"} if "requestBody" in operation else set()
        expected |= {"404"} if "{" in name and "{field}" not in name else set()  # what a field may be is a rule
        assert expected <= set(operation["responses"]), name
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert re.search(_PROBLEMS, str(answer["content"]["application/json"])), name
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_body_has_an_example_and_takes_nothing_unknown(document: dict[str, Any]) -> None:
    """The published example among them."""
    for name, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            schema = document["components"]["schemas"][content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]]
            assert schema["examples"], name
            assert schema["additionalProperties"] is False, name
    assert document["components"]["schemas"]["RegisterBody"]["examples"] == [EXAMPLE]


def test_doors_want_a_token(document: dict[str, Any]) -> None:
    """All but the one that says that the server lives."""
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert {name for name, operation in operations(document) if not operation.get("security")} == {"GET /health"}


def test_the_documentation_page_needs_no_other_host(
    empty_api: httpx.Client, served_page: Callable[[str], GuardedPage]
) -> None:
    """Swagger UI runs from the server's own files under its own Content-Security-Policy."""
    origin = str(empty_api.base_url).rstrip("/")
    guarded = served_page(origin)
    problems: list[str] = []
    guarded.page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    guarded.page.goto(f"{origin}/docs")
    guarded.page.get_by_text("Register a run", exact=True).wait_for()

    assert (guarded.requests_made, problems) == ([], [])
