"""An InfluxDB 2, as far as writing goes: it notes what it is given, and refuses or answers what it is told to."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ator_lib.results.influx import Influx

TOKEN = "secret-of-the-test"


class InfluxServer(ThreadingHTTPServer):
    """Notes the lines that are written; refuses the batches whose numbers it is given, and queries without answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lines: list[str] = []
        self.batches = 0
        self.refused: set[int] = set()
        self.answer = b""
        self.tokens: set[str | None] = set()
        self.lock = threading.Lock()

    @property
    def influx(self) -> Influx:
        return Influx(url=f"http://127.0.0.1:{self.server_address[1]}", bucket="load", token=TOKEN)


class Handler(BaseHTTPRequestHandler):
    server: InfluxServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.answer and self.path.startswith("/api/v2/query"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.server.answer)
            return
        body = gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
        with self.server.lock:
            number, self.server.batches = self.server.batches, self.server.batches + 1
            self.server.tokens.add(self.headers["Authorization"])
            is_taken = number not in self.server.refused and self.path.startswith("/api/v2/write")
            if is_taken:
                self.server.lines += body.decode().splitlines()
        self.send_response(204 if is_taken else 400)
        self.end_headers()
        if not is_taken:
            self.wfile.write(b'{"message": "field type conflict"}')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def influx_server() -> Iterator[InfluxServer]:
    """An InfluxDB, as far as writing goes."""
    server = InfluxServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))  # how soon it notices its end
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
