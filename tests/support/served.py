"""The dashboard's real server on a free loopback port, in a thread of the test's process."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import panel as pn
import uvicorn
from anyio.from_thread import start_blocking_portal
from bokeh.server.session import ServerSession
from fastapi import FastAPI
from starlette.types import ASGIApp

from ator_lib.server.app import PageFactory, create_app
from ator_lib.server.guard import LOOPBACK_RULES, AccessRules

BLANK: Mapping[str, PageFactory] = {"/overview": lambda workspace, visitor: pn.Row()}
"""One page that shows nothing, for tests of what is served beside pages."""

PATIENCE_S = 60
"""How long ``wait_until`` goes on before the test fails; a loaded machine needs patience."""


class Served:
    """A running server: its address and how many page sessions it holds."""

    def __init__(self, url: str, app: FastAPI) -> None:
        self.url = url
        self.app = app

    @property
    def sessions(self) -> int:
        return len(self._sessions())

    @property
    def connections(self) -> int:
        """How many websockets are open to them."""
        return sum(session.connection_count for session in self._sessions())

    def clean_up(self) -> None:
        """Do now what is done three times in a lifetime: free the pages that nobody is connected to for so long."""
        with start_blocking_portal() as portal:  # in a thread: Bokeh's client has a loop in this one
            portal.call(self.app.state.pages._cleanup_sessions)

    def _sessions(self) -> list[ServerSession]:
        contexts = self.app.state.pages._applications.values()
        return [session for context in contexts for session in context.sessions]


@contextmanager
def served(
    workspace: Any,
    pages: Mapping[str, PageFactory],
    *,
    session_lifetime_s: float = 1,
    rules: AccessRules = LOOPBACK_RULES,
    port: int = 0,
) -> Iterator[Served]:
    """Serve ``pages``, on a free port or this one; the server has ended when the block is left."""
    app = create_app(workspace, pages, rules=rules, session_lifetime_s=session_lifetime_s)
    with listening(app, port=port) as url:
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
        time.sleep(0.01)
