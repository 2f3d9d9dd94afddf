"""The dashboard's real server on a free loopback port, in a thread of the test's process."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from ator_lib.server.app import create_app

PATIENCE_S = 60
"""How long ``wait_until`` goes on before the test fails; a loaded machine needs patience."""


class Served:
    """A running server: its address and how many page sessions it holds."""

    def __init__(self, url: str, app: FastAPI) -> None:
        self.url = url
        self._app = app

    @property
    def sessions(self) -> int:
        return sum(len(context.sessions) for context in self._app.state.pages._applications.values())


@contextmanager
def served(
    workspace: Any, pages: Mapping[str, Callable[[Any], Any]], *, session_lifetime_s: float = 1
) -> Iterator[Served]:
    """Serve ``pages``; the server has ended when the block is left."""
    app = create_app(workspace, pages, session_lifetime_s=session_lifetime_s)
    with listening(app) as url:
        yield Served(url, app)


class ChangingServer:
    """A server that tests let serve one workspace after the other, as starting one takes its time."""

    def __init__(self, url: str, app: FastAPI) -> None:
        self.url = url
        self._app = app

    def serve(self, workspace: Any) -> None:
        """Serve this workspace from now on; everybody is let in."""
        self._app.state.workspace = workspace


@contextmanager
def changing_server() -> Iterator[ChangingServer]:
    """Start a server without pages; it serves nothing yet."""
    app = create_app(None, {})  # type: ignore[arg-type]  # nobody asks before there is one
    with listening(app) as url:
        yield ChangingServer(url, app)


@contextmanager
def listening(app: ASGIApp, *, port: int = 0) -> Iterator[str]:
    """Serve any application, on a free port or this one; give its address."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def wait_until(condition: Callable[[], bool]) -> None:
    """Return as soon as the condition holds; fail the test if it never does."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {PATIENCE_S} s"
        time.sleep(0.05)
