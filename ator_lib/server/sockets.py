"""Websockets stay open for hours: whoever was let in may have been locked out since."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic

from starlette.types import Message, Receive, Send

POLICY_VIOLATION = 1008


class WatchedSocket:
    """Closes a websocket soon after its token has been revoked or has expired.

    It looks when a message passes, at most once in ``recheck_s`` seconds: a silent one gives nothing away.
    """

    def __init__(
        self, receive: Receive, send: Send, still_holds: Callable[[], Awaitable[bool]], recheck_s: float
    ) -> None:
        self._receive = receive
        self._send = send
        self._still_holds = still_holds
        self._recheck_s = recheck_s
        self._next_look = monotonic() + recheck_s
        self._is_closed = False

    async def receive(self) -> Message:
        """Hand on what the client sends."""
        message = await self._receive()
        if message["type"] == "websocket.receive" and await self._has_ended():
            return {"type": "websocket.disconnect", "code": POLICY_VIOLATION}
        return message

    async def send(self, message: Message) -> None:
        """Hand on what the application sends."""
        if not await self._has_ended():
            await self._send(message)

    async def _has_ended(self) -> bool:
        if not self._is_closed and monotonic() >= self._next_look:
            self._next_look = monotonic() + self._recheck_s
            self._is_closed = not await self._still_holds()
            if self._is_closed:
                await self._send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": "logged out"})
        return self._is_closed
