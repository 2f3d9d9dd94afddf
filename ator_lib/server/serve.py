"""Run the application until it is told to stop: on loopback, or with tokens on any address."""

from __future__ import annotations

import errno
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import uvicorn

from ator_lib.errors import UsageError
from ator_lib.server.app import PageFactory, create_app
from ator_lib.server.guard import LOOPBACK_NAMES, LOOPBACK_RULES, AccessRules
from ator_lib.server.memory import collected_seldom

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
    require_token: bool = False,
    allow_hosts: Iterable[str] = (),
    max_upload_bytes: int = LOOPBACK_RULES.max_upload_bytes,
    open_browser: bool = False,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the dashboard until SIGINT or SIGTERM, then close the pages and return; judge runs meanwhile.

    Parameters
    ----------
    workspace, pages
        See ``create_app``.
    host, port
        Where to listen; port 0 takes any free one. Everywhere but on loopback tokens are required.
    require_token
        Ask for tokens on loopback, too.
    allow_hosts
        Further names that the server is reached by, such as a proxy's. Where there are some, tokens are required.
    max_upload_bytes
        How long an uploaded result file may be.
    open_browser
        Open the dashboard in the user's browser once it answers.
    on_ready
        Called with the dashboard's address once it answers.

    Raises
    ------
    UsageError
        Tokens are required and nobody has one, or the address or the port cannot be had.
    """
    rules = rules_for(host, require_token=require_token, allow_hosts=allow_hosts)
    if rules.requires_token and not workspace.parts.tokens.any_usable():
        raise UsageError(_why_no_token(host, port))
    rules = replace(rules, max_upload_bytes=max_upload_bytes)
    with _listen(host, port) as listener:
        url = _url(host, listener.getsockname()[1])
        config = uvicorn.Config(
            create_app(workspace, pages, rules=rules, judges=True),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=SHUTDOWN_GRACE_S,
        )
        server = _AnnouncingServer(config, lambda: _announce(url, open_browser, on_ready))
        with collected_seldom(), _signals_end_quietly():
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


def rules_for(host: str, *, require_token: bool = False, allow_hosts: Iterable[str] = ()) -> AccessRules:
    """Say who may reach a server that listens on ``host``, and under which names.

    Only loopback is open, and only as long as it has no other name: a further name is there for
    those who come from elsewhere.
    """
    further = {name.strip().lower() for name in allow_hosts}
    if _is_loopback(host):
        names = LOOPBACK_NAMES | {host.lower()} | further
        return AccessRules(host_names=names, requires_token=require_token or bool(further))
    own = {host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}
    return AccessRules(host_names=LOOPBACK_NAMES | own | further, any_address=_is_wildcard(host), requires_token=True)


def _why_no_token(host: str, port: int) -> str:
    near = port or "PORT"
    return (
        f"serving on {host!r} like this needs a token, and there is none that holds: make one with "
        f"`ator token create NAME --role admin` and start again. Without tokens only loopback is served; "
        f"an SSH tunnel reaches that from elsewhere (ssh -L {near}:127.0.0.1:{near} …)."
    )


def _is_loopback(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name: wherever it leads now, it may lead elsewhere tomorrow
        return False


def _is_wildcard(host: str) -> bool:
    try:
        return not host or ip_address(host).is_unspecified
    except ValueError:
        return False


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
    host = socket.gethostname() if _is_wildcard(host) else host
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
