"""A small server for load tools, which counts what it answers."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD, MIXED = "/items", "/mixed"
"""Paths: all requests of the first succeed, every fifth of the second fails with 500."""

_BODY = b'{"ok": true}'


@dataclass(frozen=True)
class Target:
    """A running server: its address, and how often it answered with each status."""

    address: str
    answers: Counter[int] = field(default_factory=Counter)

    @property
    def requests(self) -> int:
        return sum(self.answers.values())


@contextmanager
def running() -> Iterator[Target]:
    """Serve on a free port of the loopback until it is left."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.target
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.target = Target(f"http://127.0.0.1:{self.server_address[1]}")
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def answer(self, path: str) -> int:
        """Take its time, and give a status."""
        number = next(self._numbers)
        time.sleep(0.02 if number % 20 == 0 else 0.003)
        status = 500 if path.startswith(MIXED) and number % 5 == 0 else 200
        with self._lock:
            self.target.answers[status] += 1
        return status

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # tools leave without a word


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # header and body in one packet
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.send_response(self.server.answer(self.path))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(_BODY)))
        self.end_headers()
        self.wfile.write(_BODY)

    def log_message(self, format: str, *arguments: object) -> None:
        pass
