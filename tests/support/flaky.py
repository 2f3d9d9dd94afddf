"""A server whose answers get lost on the way, as a test wants it, and an impatient client of it.

Fixtures (``tests.support.flaky`` is imported where they are used): ``workspace``, ``flaky``, ``server``
and ``registry``, each made of the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ator_lib.registry.client import ServerClient
from ator_lib.registry.remote import RemoteRegistry
from ator_lib.server.app import create_app
from ator_lib.workspace.connect import connect
from ator_lib.workspace.workspace import Workspace
from tests.support.served import listening

SOON = (0.02, 0.02, 0.02)
"""Pauses of a client that does not wait long."""


class Flaky:
    """Stands before an application and counts what comes.

    ``lose`` lets it do the next requests to a path and answer 502 in its place; ``refuse`` answers without it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._lost: list[str] = []
        self._refused: list[tuple[int, dict[str, str]]] = []
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []

    def lose(self, *paths: str) -> None:
        self._lost += paths

    def refuse(self, status: int, headers: dict[str, str] | None = None, *, times: int = 1) -> None:
        self._refused += [(status, headers or {})] * times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        self.asked.append(path)
        self.headers.append(_decoded(scope["headers"]))
        if self._refused:
            status, headers = self._refused.pop(0)
            await PlainTextResponse("a proxy's words", status, headers)(scope, receive, send)
        elif path in self._lost:
            self._lost.remove(path)
            await self._app(scope, receive, _nowhere)
            await PlainTextResponse("bad gateway", 502)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


async def _nowhere(_: object) -> None:
    return None


def _decoded(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode(): value.decode("latin-1") for name, value in headers}


@pytest.fixture
def workspace(empty_data: Path) -> Workspace:
    """Make the workspace that is served."""
    return connect(empty_data)


@pytest.fixture
def flaky(workspace: Workspace) -> Flaky:
    """Make the server's application."""
    return Flaky(create_app(workspace, {}))


@pytest.fixture
def server(flaky: Flaky) -> Iterator[ServerClient]:
    """Start the server and return a client that does not wait long."""
    with listening(flaky) as url:
        yield ServerClient(url, pauses_s=SOON)


@pytest.fixture
def registry(server: ServerClient) -> RemoteRegistry:
    """Return the server's registry."""
    return RemoteRegistry(server)
