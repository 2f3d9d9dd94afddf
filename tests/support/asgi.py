"""Requests as an ASGI server would hand them over, so that a test can send what no client would."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from anyio.from_thread import start_blocking_portal
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN_HOST = "127.0.0.1:8000"

HeaderLines = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: Headers
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    app: ASGIApp,
    method: str = "GET",
    target: str = "/",
    *,
    headers: HeaderLines = (),
    body: Sequence[bytes] = (b"",),
    scheme: str = "http",
) -> Answer:
    """Send a request in as many parts as ``body`` has; the server's own Host is added if none is given."""
    scope = _scope("http", target, headers) | {"method": method, "scheme": scheme}
    parts = [*body]
    sent: list[Message] = []

    async def receive() -> Message:
        if not parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Message) -> None:
        sent.append(message)

    _call(app, scope, receive, send)
    start, *rest = sent
    content = b"".join(message.get("body", b"") for message in rest)
    return Answer(status=start["status"], headers=Headers(raw=start["headers"]), body=content)


def talk(
    app: ASGIApp,
    target: str = "/ws",
    *,
    headers: HeaderLines = (),
    messages: Sequence[str | Callable[[], object]] = (),
) -> list[Message]:
    """Open a websocket, send texts, call what is no text in between, hang up; give what the application sent."""
    incoming = [*messages]
    is_connected = False
    sent: list[Message] = []

    async def receive() -> Message:
        nonlocal is_connected
        if not is_connected:
            is_connected = True
            return {"type": "websocket.connect"}
        while incoming:
            message = incoming.pop(0)
            if isinstance(message, str):
                return {"type": "websocket.receive", "text": message}
            message()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(message: Message) -> None:
        sent.append(message)

    _call(app, _scope("websocket", target, headers) | {"scheme": "ws"}, receive, send)
    return sent


def _call(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    with start_blocking_portal() as portal:  # in a thread: a browser of the same module has a loop in this one
        portal.call(app, scope, receive, send)


def _scope(kind: str, target: str, headers: HeaderLines) -> Scope:
    lines = [*(headers.items() if isinstance(headers, Mapping) else headers)]
    if not any(name.lower() == "host" for name, _ in lines):
        lines.append(("host", OWN_HOST))
    parts = urlsplit(target)
    return {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in lines],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50_000),
        "subprotocols": [],
    }
