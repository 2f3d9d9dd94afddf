from __future__ import annotations

import asyncio
from types import MethodType, SimpleNamespace
from typing import Any

import httpx
import panel as pn
import pytest
from bokeh.client import pull_session
from bokeh.client.session import ClientSession
from bokeh.document import Document
from bokeh.util.token import generate_jwt_token, generate_session_id
from bokeh_fastapi.handler import WSHandler
from panel.io import document as panel_document
from panel.io.fastapi import dispatch_fastapi
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from ator_lib.server.sessions import mend_bokeh_fastapi
from ator_lib.workspace.workspace import Workspace
from tests.support.served import Served, served, wait_until

PAGES_OPEN = 5


def test_closed_pages_give_their_sessions_back(workspace: Workspace) -> None:
    """When websockets close, their sessions end at once, and so do the periodic callbacks of their pages."""
    pages: list[list[int]] = []

    with served(workspace, {"/page": lambda *_: ticking(pages)}, session_lifetime_s=3600) as server:
        opened = [open_page(server) for _ in range(PAGES_OPEN)]
        wait_until(lambda: server.sessions == PAGES_OPEN and all(pages))
        for session in opened:
            session.close()
        wait_until(lambda: server.sessions == 0)
        ticks_at_end = [len(ticks) for ticks in pages]
        later = open_page(server)
        wait_until(lambda: len(pages[-1]) >= 5)  # time in which the closed ones would tick, too
        later.close()

    assert [len(ticks) for ticks in pages[:PAGES_OPEN]] == ticks_at_end


def test_open_pages_keep_their_sessions(workspace: Workspace) -> None:
    """A page whose websocket is open outlives the lifetime of unused sessions."""
    pages: list[list[int]] = []

    with served(workspace, {"/page": lambda *_: ticking(pages)}, session_lifetime_s=3600) as server:
        session = open_page(server)
        server.app.state.pages._unused_session_lifetime_milliseconds = 0
        server.clean_up()
        assert server.sessions == 1
        wait_until(lambda: len(pages[0]) >= 3)
        session.close()


def test_a_page_that_never_connects_waits_for_the_lifetime(workspace: Workspace) -> None:
    """Scripts may take long to load, so a page without a connection is kept for that long, and no longer."""
    with served(workspace, {"/page": lambda *_: pn.Row("page")}, session_lifetime_s=3600) as server:
        httpx.get(f"{server.url}/page").raise_for_status()
        server.clean_up()
        assert server.sessions == 1
    with served(workspace, {"/page": lambda *_: pn.Row("page")}, session_lifetime_s=0.1) as server:
        httpx.get(f"{server.url}/page").raise_for_status()
        wait_until(lambda: server.sessions == 0)


def test_a_page_with_two_connections_lives_until_the_last_has_closed(workspace: Workspace) -> None:
    """One of them ends nothing."""
    with served(workspace, {"/page": lambda *_: pn.Row("page")}, session_lifetime_s=3600) as server:
        first = open_page(server)
        second = pull_session(first.id, url=f"{server.url}/page")
        first.close()
        wait_until(lambda: server.connections == 1)
        assert server.sessions == 1
        second.close()
        wait_until(lambda: server.sessions == 0)


@pytest.mark.parametrize("token", [generate_jwt_token(generate_session_id()), "no-token", ""])
def test_a_websocket_without_its_page_is_refused(workspace: Workspace, token: str) -> None:
    """The page is gone, such as after a restart of the server: nothing is made for it, and nothing left behind."""
    made: list[str] = []
    with served(workspace, {"/page": lambda *_: made.append("page")}) as server:
        subprotocols = [Subprotocol(text) for text in ("bokeh", token) if text]
        address = f"{server.url.replace('http://', 'ws://')}/page/ws"
        with pytest.raises(InvalidStatus) as refused, connect(address, subprotocols=subprotocols):
            pass
        assert (refused.value.response.status_code, server.sessions, made) == (403, 0, [])


def ticking(pages: list[list[int]]) -> pn.Row:
    """Make a page that counts in a list of its own, 20 times a second."""
    ticks: list[int] = []
    pages.append(ticks)
    pn.state.add_periodic_callback(lambda: ticks.append(1), period=50)
    return pn.Row("ticking")


def open_page(server: Served) -> ClientSession:
    """Do what a browser does: get the page, then connect to the session that it was given."""
    session_id = generate_session_id()
    httpx.get(f"{server.url}/page", params={"bokeh_session_id": session_id}).raise_for_status()
    return pull_session(session_id, url=f"{server.url}/page")


def test_patching_again_changes_nothing() -> None:
    """Every application patches; only the first one does something."""
    mend_bokeh_fastapi()
    before = (WSHandler.ws_connect, WSHandler.send_message)
    mend_bokeh_fastapi()

    assert (WSHandler.ws_connect, WSHandler.send_message) == before


def test_messages_are_not_mixed() -> None:
    """Two messages to one browser go out one after the other, even on a line that takes frames slowly."""
    mend_bokeh_fastapi()
    handler = WSHandler(None, None)  # sending needs neither
    handler._socket = SlowSocket()

    async def send_both() -> None:
        await asyncio.gather(handler.send_message(_message("a")), handler.send_message(_message("b")))

    asyncio.run(send_both())
    assert handler._socket.frames == ["a", "a", "a", "b", "b", "b"]


def test_what_waits_to_be_sent_goes_with_its_page() -> None:
    """Panel cancels it when the page closes."""
    mend_bokeh_fastapi()
    handler = WSHandler(None, None)
    handler._socket = SlowSocket()

    async def close_while_sending() -> None:
        document = Document()
        document.destroy = MethodType(panel_document._destroy_document, document)  # as Panel does to each
        waiting = dispatch_fastapi(SimpleNamespace(_socket=handler), msg=_message("a"))
        panel_document._WRITE_FUTURES[document] = waiting
        document.destroy(None)
        await asyncio.wait(waiting)

    asyncio.run(close_while_sending())
    assert handler._socket.frames == []


class SlowSocket:
    """Takes a frame only after others had their turn."""

    application_state = SimpleNamespace(name="CONNECTED")

    def __init__(self) -> None:
        self.frames: list[str] = []

    async def send_text(self, frame: str) -> None:
        await asyncio.sleep(0)
        self.frames.append(frame)


def _message(frame: str) -> Any:
    return SimpleNamespace(header_json=frame, metadata_json=frame, content_json=frame, _buffers=[])
