"""What bokeh-fastapi 0.1.8 needs to serve pages for long: four faults are mended here.

- It never tells Bokeh that a websocket has closed: its receive loop waits for an exception that
  Starlette does not raise. Every page that was ever opened stays in memory, and its periodic
  callbacks go on running. Once it is told, Bokeh would still keep the page for the lifetime of unused
  sessions; ours do not come back to a session, so it goes at once.
- It makes the page anew for a websocket whose page is gone, such as after a restart of the server. Panel
  cannot do that here, and leaves half a session behind. The websocket is refused: the browser must load
  the page again.
- It sends a message in several frames without a lock. When a large one waits for a slow line,
  another one gets between its frames, and the browser can read neither.
- It gives Panel a coroutine for each message. When a page closes, Panel cancels those that are still to
  be sent as if they were futures, fails, and the page stays in memory.

The patches do no harm to a version that does the same by itself.
"""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import Any

from bokeh.server.contexts import ApplicationContext
from bokeh.server.session import ServerSession
from bokeh.util.token import get_session_id
from bokeh_fastapi.handler import WSHandler

_MARK = "_ator_mended"


def mend_bokeh_fastapi() -> None:
    """Patch bokeh-fastapi, once per process."""
    if not hasattr(WSHandler, _MARK):
        setattr(WSHandler, _MARK, True)
        WSHandler.ws_connect = _free_closed_sessions(WSHandler.ws_connect)
        WSHandler.send_message = _send_whole_messages(WSHandler.send_message)


def _free_closed_sessions(connect: Any) -> Any:
    @wraps(connect)
    async def connect_and_detach(handler: WSHandler, websocket: Any) -> None:
        session = _session_of(handler, websocket)
        if session is None:
            await websocket.close()
            return
        try:
            await connect(handler, websocket)
        finally:
            if handler.connection is not None:
                handler.application.client_lost(handler.connection)  # a second time does nothing
                await _discard(handler.application_context, session)

    return connect_and_detach


def _session_of(handler: WSHandler, websocket: Any) -> ServerSession | None:
    """Find the session of the page that the token in a websocket's handshake stands in."""
    token = websocket.scope["subprotocols"][-1:]
    sessions: dict[str, ServerSession] = handler.application_context._sessions
    try:
        return sessions.get(get_session_id(*token))
    except (TypeError, ValueError, KeyError, RecursionError):  # there is none, or it is no such token
        return None


async def _discard(context: ApplicationContext, session: ServerSession) -> None:
    """End a session without a connection; one that is busy goes at Bokeh's next look for such sessions."""
    if _is_deserted(session) and not session.destroyed:
        session.request_expiration()
        await context._discard_session(session, _is_deserted)


def _is_deserted(session: ServerSession) -> bool:
    return session.connection_count == 0


def _send_whole_messages(send: Any) -> Any:
    async def send_in_turn(handler: WSHandler, message: Any) -> int:
        async with vars(handler).setdefault("_ator_write_turn", asyncio.Lock()):
            sent: int = await send(handler, message)
            return sent

    @wraps(send)
    def begin_to_send(handler: WSHandler, message: Any) -> asyncio.Task[int]:
        return asyncio.create_task(send_in_turn(handler, message))

    return begin_to_send
