"""Runs as points of InfluxDB: all of them, or an error. The server here takes what the v2 write API takes."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pyarrow as pa
import pytest

from ator_lib import schema
from ator_lib.errors import SettingsError, StoreError
from ator_lib.model import Run, RunStatus
from ator_lib.results.influx import Influx, answer, send

START = datetime(2026, 11, 21, 10, tzinfo=UTC)
TOKEN = "secret-of-the-test"
INTERVALS = 12_000  # three batches


class Server(ThreadingHTTPServer):
    """Notes the lines that are written; refuses the batches whose numbers it is given."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lines: list[str] = []
        self.batches = 0
        self.refused: set[int] = set()
        self.tokens: set[str | None] = set()
        self.lock = threading.Lock()

    @property
    def influx(self) -> Influx:
        return Influx(url=f"http://127.0.0.1:{self.server_address[1]}", bucket="load", token=TOKEN)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
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
def server() -> Iterator[Server]:
    """An InfluxDB, as far as writing goes."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def export(target: Influx, intervals: int = INTERVALS) -> int:
    run = Run(id=uuid4(), run_id=7, status=RunStatus.SUCCESS, test="check out", start_time=START, end_time=START)
    timeline = [
        {
            "interval_start": START + timedelta(seconds=second),
            "interval_s": 1.0,
            "name": "/a, b",
            "requests": second,
            "failures": 0,
            "throughput_rps": float(second),
        }
        for second in range(intervals)
    ]
    summary = {"scope": "total", "requests": 3, "failures": 1, "p95_ms": 12.5, "precision": schema.EXACT}
    metric = {"timestamp": START, "metric": "users", "value": 50.0}
    return send(
        target,
        run,
        summaries=pa.Table.from_pylist([summary], schema=schema.SUMMARIES),
        timeline=pa.Table.from_pylist(timeline, schema=schema.TIMELINE),
        metrics=pa.Table.from_pylist([metric], schema=schema.METRICS),
    )


def test_every_point_arrives(server: Server) -> None:
    """In several batches; names are escaped, null values left out, and the token goes along."""
    assert export(server.influx) == INTERVALS + 2
    assert len(server.lines) == INTERVALS + 2
    assert server.batches > 1
    assert server.tokens == {f"Token {TOKEN}"}
    (summary,) = (line for line in server.lines if line.startswith("ator_summary"))
    at = int(START.timestamp()) * 10**9
    assert summary == rf"ator_summary,run_id=7,scope=total,test=check\ out failures=1,p95_ms=12.5,requests=3 {at}"
    assert any(line.startswith(r"ator_timeline,name=/a\,\ b,run_id=7,scope=name") for line in server.lines)
    assert any("ator_metric,metric=users" in line for line in server.lines)


def test_a_lost_batch_is_an_error(server: Server) -> None:
    """The client's own writer would only log it."""
    server.refused = {1}
    with pytest.raises(StoreError, match=r"run 7 is not whole.*400.*nothing is doubled"):
        export(server.influx)


def test_a_server_that_is_not_there(server: Server) -> None:
    """It is asked some times, and the error says where; the token is in no message."""
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1") as caught:
        export(Influx(url="http://127.0.0.1:1", bucket="load", token=TOKEN), intervals=1)
    assert TOKEN not in str(caught.value) + repr(server.influx)


def test_a_query_that_is_not_taken(server: Server) -> None:
    """What the server says stands in the error."""
    with pytest.raises(StoreError, match="did not answer the query: HTTP 400"):
        answer(server.influx, 'from(bucket: "load")')


@pytest.mark.parametrize("given", [{"url": "localhost:8086", "bucket": "b"}, {"url": "http://h", "bucket": ""}])
def test_a_target_that_cannot_be(given: dict[str, str]) -> None:
    """An address without a scheme, no bucket."""
    with pytest.raises(SettingsError):
        Influx(**given)
