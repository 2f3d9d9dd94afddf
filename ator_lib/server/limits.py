"""How much a request may send."""

from __future__ import annotations

import re

from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Send

MOST_BYTES = 2**20
"""What any request may send; those that upload results have a limit of their own."""

_UPLOAD = re.compile(r"/runs/[^/]+/results|/uploads")


def limit_of(connection: HTTPConnection, max_upload_bytes: int) -> int:
    """Say how many bytes the request's body may have."""
    is_upload = connection.scope["method"] == "POST" and _UPLOAD.fullmatch(connection.scope["path"])
    return max_upload_bytes if is_upload else MOST_BYTES


def announced_bytes(connection: HTTPConnection) -> int:
    """Say how long the body is by its own account; 0 when it does not say. The bytes that come are counted anyway."""
    try:
        return max(map(int, connection.headers.getlist("content-length")), default=0)
    except ValueError:  # no number, or one of thousands of digits: the HTTP parser has its own opinion on it
        return 0


class LimitedBody:
    """Counts a body while it streams by, and holds none of it.

    When it gets too long the application is told that the client has gone, whatever it was doing
    with the body, and what it then wants to answer is dropped: the guard has the better answer.
    (Starlette's own limit answers in plain text, and only once the application reads.)
    """

    def __init__(self, receive: Receive, send: Send, limit_bytes: int) -> None:
        self._receive = receive
        self._send = send
        self._left_bytes = limit_bytes
        self._has_answered = False

    @property
    def is_too_long(self) -> bool:
        """Whether more came than is allowed."""
        return self._left_bytes < 0

    @property
    def awaits_answer(self) -> bool:
        """Whether the guard must say that it was too long."""
        return self.is_too_long and not self._has_answered

    async def receive(self) -> Message:
        """Hand on the next part of the body."""
        if not self.is_too_long:
            message = await self._receive()
            self._left_bytes -= len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.is_too_long else message

    async def send(self, message: Message) -> None:
        """Hand on the answer."""
        if not self.awaits_answer:
            self._has_answered = True
            await self._send(message)
