"""A real server of a real workspace, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import ator_lib
from ator_lib.workspace.workspace import Workspace
from tests.support.served import BLANK, ChangingServer, changing_server, served

EXAMPLE: dict[str, Any] = {
    "repo": "performance-tests",
    "lac": "LAC.0001",
    "stream": "main",
    "test": "checkout",
    "type": "load",
    "environment": "staging",
    "triggered_by": "ci",
    "factor": 0.5,
    "dashboard_url": "https://example.org/d/1",
    "location": "azure-k8s",
}
"""The published example request."""


@pytest.fixture
def workspace(empty_data: Path) -> Workspace:
    """Make an empty embedded workspace."""
    return ator_lib.connect(empty_data)


@pytest.fixture(scope="module")
def changing() -> Iterator[tuple[ChangingServer, httpx.Client]]:
    """Start one server for a module, and a client of it; each test lets it serve its own workspace."""
    with changing_server() as server, httpx.Client(base_url=server.url) as client:
        yield server, client


@pytest.fixture
def api(workspace: Workspace, changing: tuple[ChangingServer, httpx.Client]) -> httpx.Client:
    """Speak to a server of that workspace."""
    server, client = changing
    server.serve(workspace)
    return client


@pytest.fixture(scope="module")
def empty_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Speak to a server that holds nothing, and that no test may make keep something."""
    workspace = ator_lib.connect(tmp_path_factory.mktemp("empty") / "data")
    with served(workspace, BLANK) as server, httpx.Client(base_url=server.url) as client:
        yield client


def registered(api: httpx.Client, **request: Any) -> dict[str, Any]:
    """Register a run over HTTP and return it."""
    answer = api.post("/register", json=request)
    assert answer.status_code == 200, answer.text
    run: dict[str, Any] = answer.json()
    return run


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is a problem of the one shape and return it."""
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["error"]) == (status, code), answer.text
    assert isinstance(problem["message"], str)
    return problem
