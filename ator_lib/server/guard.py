"""One ASGI guard over HTTP and websockets: who may ask, and what browsers may do with the answer.

It asks in this order, and refuses at the first no:

1. *Host and Origin.* A page of another site can make the browser of a user talk to a server on
   loopback. Two checks stop it: the Host header must be a name of this server (DNS rebinding), and
   a request that names an Origin must come from this server's own pages. Ports are not compared
   with the one listened on, so that an SSH tunnel may use another; Origin and Host must still agree.
2. *Who asks*, as the authenticators say. Without a principal only ``PUBLIC_PATHS`` answer.
3. *The least role*: viewer to look and for websockets, runner for all else. Endpoints that want
   more say so themselves (``access.needs``).
4. *The length of the body*, as announced and as it comes.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ator_lib.errors import AccessError, StoreError
from ator_lib.model import Role
from ator_lib.server.access import PRINCIPAL, Authenticator, Principal
from ator_lib.server.limits import LimitedBody, announced_bytes, limit_of
from ator_lib.server.problems import problem
from ator_lib.server.sockets import POLICY_VIOLATION, WatchedSocket
from ator_lib.server.visitors import remember

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

PUBLIC_PATHS = frozenset({"/health", "/login", "/logout"})

_LOOKING = frozenset({"GET", "HEAD", "OPTIONS"})
_TRY_AGAIN_LATER = 1013

_log = logging.getLogger(__name__)

SECURITY_HEADERS = {
    # Bokeh starts its pages by inline scripts and compiles templates; nothing comes from elsewhere
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob: data:; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, kw_only=True)
class AccessRules:
    """Under which names a server is reached, and what it asks for.

    Attributes
    ----------
    host_names
        What a Host header may say, in lower case, without a port.
    any_address
        A Host header may also be any IP address. A name can be rebound to this machine by whoever
        owns it; an address cannot: a browser that names it has got the page from it.
    requires_token
        Whether nobody gets in without a token; otherwise whoever shows none is ``access.LOCAL``.
    max_upload_bytes
        How long an uploaded file may be: the body of ``POST /runs/{run_id}/results`` and ``POST /uploads``.
    recheck_s
        Seconds until an open websocket is judged again.
    """

    host_names: frozenset[str] = LOOPBACK_NAMES
    any_address: bool = False
    requires_token: bool = False
    max_upload_bytes: int = 4 * 2**30
    recheck_s: float = 10.0


LOOPBACK_RULES = AccessRules()
"""Those of a server on loopback that is open to everybody who reaches it."""


@dataclass(frozen=True, kw_only=True)
class Denial:
    """Why a request is refused: the HTTP status, and the two fields that every error has."""

    status: int
    error: str
    message: str


class Guard:
    """Let those requests through that may come in; put their ``Principal`` on the scope."""

    def __init__(self, app: ASGIApp, *, rules: AccessRules, authenticators: Sequence[Authenticator]) -> None:
        self._app = app
        self._rules = rules
        self._authenticators = authenticators

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as ASGI asks."""
        if scope["type"] == "http":
            await self._http(HTTPConnection(scope), receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await self._websocket(HTTPConnection(scope), receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, connection: HTTPConnection, receive: Receive, send: Send) -> None:
        limit_bytes = limit_of(connection, self._rules.max_upload_bytes)
        denial = await self._judge(connection)
        if denial is None and announced_bytes(connection) > limit_bytes:
            denial = _too_large(limit_bytes)
        if denial is None:
            body = LimitedBody(receive, send, limit_bytes)
            try:
                await self._app(connection.scope, body.receive, body.send)
            except Exception:
                if not body.awaits_answer:
                    raise
            denial = _too_large(limit_bytes) if body.awaits_answer else None
        if denial is not None:
            await _answer(denial, connection)(connection.scope, receive, send)

    async def _websocket(self, connection: HTTPConnection, receive: Receive, send: Send) -> None:
        async def still_holds() -> bool:
            denial = await self._judge(connection)
            return denial is None or denial.status == 503  # the database is away: nobody is locked out by that

        denial = await self._judge(connection)
        if denial is None:
            socket = WatchedSocket(receive, send, still_holds, self._rules.recheck_s)
            await self._app(connection.scope, socket.receive, socket.send)
            return
        await receive()  # the handshake's own message comes first
        code = _TRY_AGAIN_LATER if denial.status == 503 else POLICY_VIOLATION
        await send({"type": "websocket.close", "code": code, "reason": denial.error})

    async def _judge(self, connection: HTTPConnection) -> Denial | None:
        problem = self._foreign(connection.headers)
        if problem is not None:
            return Denial(status=403, error="forbidden", message=problem)
        is_socket = connection.scope["type"] == "websocket"
        if not is_socket and connection.scope["path"] in PUBLIC_PATHS:
            return None
        principal = await self._principal(connection)
        if isinstance(principal, Denial):
            return principal
        needed = Role.VIEWER if is_socket or connection.scope["method"] in _LOOKING else Role.RUNNER
        why_not = principal.why_not(needed)
        if why_not is not None:
            return Denial(status=403, error="forbidden", message=why_not)
        connection.scope[PRINCIPAL] = principal
        remember(principal)
        return None

    async def _principal(self, connection: HTTPConnection) -> Principal | Denial:
        try:
            for authenticate in self._authenticators:
                principal = await authenticate(connection)
                if principal is not None:
                    return principal
        except AccessError as error:
            return Denial(status=401, error="unauthenticated", message=str(error))
        except StoreError as error:  # whose words are for the server's own people
            _log.warning("a request could not be judged: %s", error)
            message = "the server cannot reach its database now; try again in a while"
            return Denial(status=503, error="store_unavailable", message=message)
        message = "this server wants a token: send it as 'Authorization: Bearer …' or 'X-API-Key', or log in at /login"
        return Denial(status=401, error="unauthenticated", message=message)

    def _foreign(self, headers: Headers) -> str | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_own_name(hosts[0]):
            return "this server does not go by the name in the Host header; see the option --allow-host of: ator serve"
        origins = headers.getlist("origin")
        if any(_authority(origin) != hosts[0].lower() for origin in origins):
            return "the request comes from a page of another origin"
        return None

    def _is_own_name(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:  # a bracket that does not close
            return False
        return name in self._rules.host_names or (self._rules.any_address and _is_address(name or ""))


def _authority(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # brackets that do not close, or hold no address
        return None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _too_large(limit_bytes: int) -> Denial:
    message = f"the body is longer than the {limit_bytes} bytes that this address takes"
    return Denial(status=413, error="too_large", message=message)


def _answer(denial: Denial, connection: HTTPConnection) -> Response:
    """Say no: to a browser that opens a page by the way in, to all others as JSON."""
    headers: dict[str, str] = {}
    if denial.status == 401:
        if connection.scope["method"] in _LOOKING and "text/html" in connection.headers.get("accept", ""):
            wanted = connection.url.path + (f"?{connection.url.query}" if connection.url.query else "")
            return RedirectResponse(f"/login?{urlencode({'next': wanted})}", status_code=303)
        headers["WWW-Authenticate"] = "Bearer"
    if denial.status == 413:
        headers["Connection"] = "close"  # or the rest would be read, only to be thrown away
    details = {"in_doubt": False} if denial.status == 503 else {}  # it was not begun: asking again is safe
    answer = problem(denial.status, denial.error, denial.message, **details)
    answer.headers.update(headers)
    return answer


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            if headers.get("content-type", "").startswith("text/html"):
                headers.setdefault("Cache-Control", "no-store")  # the session of a page that was left is gone
        await send(message)

    return send_with_headers
