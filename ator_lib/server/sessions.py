"""What bokeh-fastapi 0.1.8 needs to serve pages for long: two faults are mended here.

- It never tells Bokeh that a websocket has closed: its receive loop waits for an exception that
  Starlette does not raise. Every page that was ever opened stays in memory, and its periodic
  callbacks go on running.
- It sends a message in several frames without a lock. When a large one waits for a slow line,
  another one gets between its frames, and the browser can read neither.

Both patches do no harm to a version that does the same by itself.
"""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import Any

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
        try:
            await connect(handler, websocket)
        finally:
            if handler.connection is not None:
                handler.application.client_lost(handler.connection)  # a second time does nothing

    return connect_and_detach


def _send_whole_messages(send: Any) -> Any:
    @wraps(send)
    async def send_in_turn(handler: WSHandler, message: Any) -> int:
        async with vars(handler).setdefault("_ator_write_turn", asyncio.Lock()):
            sent: int = await send(handler, message)
            return sent

    return send_in_turn
