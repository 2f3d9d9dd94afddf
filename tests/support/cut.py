"""A PostgreSQL whose connections a test can cut: a proxy that forwards bytes until it is told not to."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import make_url

_COMMIT = b"COMMIT\0"
_SOCKET = ".s.PGSQL.5432"


_Pair = tuple[socket.socket, socket.socket]


@dataclass(frozen=True, kw_only=True)
class _Loss:
    """Whose commit is to be lost, and when."""

    of: bytes
    is_done: bool
    then_away: bool


class Cut:
    """Stands between clients, which use ``url``, and a real server."""

    def __init__(self, server_url: str) -> None:
        server = make_url(server_url)
        host = str(server.host or server.query["host"])
        self._server = f"{host}/.s.PGSQL.{server.port or 5432}" if host.startswith("/") else (host, server.port or 5432)
        self._folder = Path(tempfile.mkdtemp(prefix="ator-cut-"))  # a short path: sockets allow 107 characters
        through = server.set(host=None, port=None).update_query_dict({"host": str(self._folder)})
        self.url = through.render_as_string(hide_password=False)
        self._listener: socket.socket | None = None
        self._pairs: set[_Pair] = set()
        self._loss: _Loss | None = None
        self.mend()

    def mend(self) -> None:
        """Take connections again."""
        if self._listener is None:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(self._folder / _SOCKET))
            self._listener.listen(128)
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Refuse new connections, and drop all that there are."""
        listener, self._listener = self._listener, None
        if listener is not None:
            (self._folder / _SOCKET).unlink()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.drop()

    @property
    def is_away(self) -> bool:
        """Whether new connections are refused."""
        return self._listener is None

    def drop(self) -> None:
        """Drop all connections, and take new ones at once."""
        for pair in list(self._pairs):
            self._close(pair)

    def lose_commit(self, *, of: bytes = b"", then_away: bool = False) -> None:
        """Drop the next connection that commits (after a statement with these words), before the server hears of it."""
        self._loss = _Loss(of=of, is_done=False, then_away=then_away)

    def lose_answer(self, *, of: bytes = b"", then_away: bool = False) -> None:
        """The same, after the server has done it and before its client hears of it."""
        self._loss = _Loss(of=of, is_done=True, then_away=then_away)

    def close(self) -> None:
        """Leave nothing."""
        self.cut()
        shutil.rmtree(self._folder)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX if isinstance(self._server, str) else socket.AF_INET)
            server.connect(self._server)
            pair = (client, server)
            self._pairs.add(pair)
            if self._listener is not listener:  # cut meanwhile
                self._close(pair)
            is_doomed = threading.Event()
            threading.Thread(target=self._to_server, args=(pair, is_doomed), daemon=True).start()
            threading.Thread(target=self._to_client, args=(pair, is_doomed), daemon=True).start()

    def _to_server(self, pair: _Pair, is_doomed: threading.Event) -> None:
        client, server = pair
        spoken = b""
        with suppress(OSError):
            while chunk := client.recv(65536):
                spoken += chunk
                loss = self._loss
                if _COMMIT in chunk:
                    if loss is not None and loss.of in spoken:
                        if not loss.is_done:
                            self._lose(pair, loss)
                            return
                        is_doomed.set()
                    spoken = b""
                server.sendall(chunk)
        self._close(pair)

    def _to_client(self, pair: _Pair, is_doomed: threading.Event) -> None:
        client, server = pair
        with suppress(OSError):
            while chunk := server.recv(65536):
                if is_doomed.is_set() and self._loss is not None:
                    self._lose(pair, self._loss)
                    return
                client.sendall(chunk)
        self._close(pair)

    def _lose(self, pair: _Pair, loss: _Loss) -> None:
        self._loss = None
        if loss.then_away:
            self.cut()
        self._close(pair)

    def _close(self, pair: _Pair) -> None:
        self._pairs.discard(pair)
        for end in pair:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # wakes whoever reads from it
            end.close()


@pytest.fixture
def cut(postgres_url: str) -> Iterator[Cut]:
    """Give a fresh, empty PostgreSQL database behind connections that can be cut."""
    proxy = Cut(postgres_url)
    try:
        yield proxy
    finally:
        proxy.close()
