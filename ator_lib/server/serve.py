"""Run the application on loopback until it is told to stop."""

from __future__ import annotations

import errno
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING

import uvicorn

from ator_lib.errors import UsageError
from ator_lib.server.app import PageFactory, create_app

if TYPE_CHECKING:
    from ator_lib.workspace.workspace import Workspace

SHUTDOWN_GRACE_S = 3
"""Seconds that open pages get to close before the server goes without them."""


def serve(
    workspace: Workspace,
    pages: Mapping[str, PageFactory],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    open_browser: bool = False,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the dashboard until SIGINT or SIGTERM, then close the pages and return.

    Parameters
    ----------
    workspace, pages
        See ``create_app``.
    host, port
        A loopback address; port 0 takes any free one.
    open_browser
        Open the dashboard in the user's browser once it answers.
    on_ready
        Called with the dashboard's address once it answers.

    Raises
    ------
    UsageError
        ``host`` is no loopback address, or the port cannot be had.
    """
    _check_loopback(host, port)
    with _listen(host, port) as listener:
        url = _url(host, listener.getsockname()[1])
        config = uvicorn.Config(
            create_app(workspace, pages, host=host),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=SHUTDOWN_GRACE_S,
        )
        server = _AnnouncingServer(config, lambda: _announce(url, open_browser, on_ready))
        with _signals_end_quietly():
            server.run(sockets=[listener])


class _AnnouncingServer(uvicorn.Server):
    """Calls back when it has started to answer."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._on_started()


def _announce(url: str, open_browser: bool, on_ready: Callable[[str], None] | None) -> None:
    if on_ready is not None:
        on_ready(url)
    if open_browser:  # finding a browser may take seconds; the server must answer meanwhile
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _check_loopback(host: str, port: int) -> None:
    try:
        is_loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise UsageError(
            f"serving on {host!r} needs tokens; this version serves on loopback only. "
            f"Use 127.0.0.1, and an SSH tunnel (ssh -L {port}:127.0.0.1:{port} …) to reach it from elsewhere."
        )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise UsageError(_why_no_port(host, port, error)) from error
    return listener


def _why_no_port(host: str, port: int, error: OSError | OverflowError) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use, perhaps by another ATOR dashboard. "
            "Stop that one, or choose another port (--port 0 takes any free one)."
        )
    return f"cannot listen on {host} port {port}: {error}. Choose another address or port."


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _signals_end_quietly() -> Iterator[None]:
    """After a graceful end uvicorn raises the signal again; the end it asked for has then come."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _already_ended) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _already_ended(number: int, frame: object) -> None:
    """Do nothing: uvicorn has already ended."""
