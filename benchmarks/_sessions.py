"""Sessions of pages without a browser: what Bokeh's script in a browser says to the server, said from Python.

A browser on the same two cores would be measured more than the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Sequence
from itertools import count
from types import TracebackType
from typing import Self
from urllib.request import urlopen

from websockets.asyncio.client import ClientConnection, connect

_TOKEN = re.compile(r'"token":\s*"([^"]+)"')
_READY = {"type": "event", "name": "document_ready", "values": {"type": "map"}}
_ids = count(1)


class Sessions:
    """Open sessions of pages; they close with the block."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._sockets: list[ClientConnection] = []
        self._readers: list[asyncio.Task[None]] = []
        self.bytes_received = 0

    async def open(self, paths: Sequence[str]) -> None:
        """Open a session of each page, one after the other, and say that it is ready, as a browser does."""
        for path in paths:
            page = await asyncio.to_thread(_read, self._url + path)
            found = _TOKEN.search(page)
            assert found, f"no session in {path}"
            address = f"{self._url.replace('http', 'ws', 1)}{path.split('?')[0]}/ws"
            socket = await connect(address, subprotocols=["bokeh", found[1]], origin=self._url, max_size=None)
            self._sockets.append(socket)
            for _ in range(3):  # header, metadata and content of the acknowledgement
                await socket.recv()
            await _say(socket, "PULL-DOC-REQ", {})
            self._readers.append(asyncio.create_task(self._read_on(socket)))
            event = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": _READY}
            await _say(socket, "PATCH-DOC", {"events": [event]})

    async def _read_on(self, socket: ClientConnection) -> None:
        with contextlib.suppress(Exception):
            async for message in socket:
                self.bytes_received += len(message)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(socket.close() for socket in self._sockets))
        await asyncio.gather(*self._readers)


def _read(address: str) -> str:
    with urlopen(address) as answer:
        return str(answer.read().decode())


async def _say(socket: ClientConnection, kind: str, content: object) -> None:
    for part in ({"msgid": f"{next(_ids)}", "msgtype": kind}, {}, content):
        await socket.send(json.dumps(part))
