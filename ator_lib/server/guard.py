"""One ASGI guard over HTTP and websockets: who may ask, and what browsers may do with the answer.

A page of another site can make the browser of a user talk to a server on loopback. Two checks
stop it: the Host header must be a name of this server (DNS rebinding), and a request that
names an Origin must come from this server's own pages. Ports are not compared with the one
listened on, so that an SSH tunnel may use another; Origin and Host must still agree on it.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

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


class Guard:
    """Refuse foreign Hosts and Origins with 403; add the security headers to every answer."""

    def __init__(self, app: ASGIApp, *, host_names: Collection[str]) -> None:
        self.app = app
        self.host_names = frozenset(host_names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as ASGI asks."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(Headers(scope=scope))
        if refusal is None:
            await self.app(scope, receive, _with_headers(send))
        elif scope["type"] == "http":
            await PlainTextResponse(refusal, status_code=403)(scope, receive, _with_headers(send))
        else:
            await receive()  # the handshake's own message comes first
            await send({"type": "websocket.close", "code": 1008, "reason": refusal})

    def _refusal(self, headers: Headers) -> str | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _host_name(hosts[0]) not in self.host_names:
            return "Refused: this server does not go by the name in the Host header."
        origins = headers.getlist("origin")
        if any(urlsplit(origin).netloc.lower() != hosts[0].lower() for origin in origins):
            return "Refused: the request comes from a page of another origin."
        return None


def _host_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:  # a bracket that does not close
        return None


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
