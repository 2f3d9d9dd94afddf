"""GET /status and GET /history under 200 concurrent clients, beside /health of the same server.

The peer does no work behind the door, so the ratio is what the registry, the database and the JSON of a
page of 100 runs cost on top of HTTP itself. Each client has one connection and asks again at once.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from decimal import Decimal
from time import perf_counter
from urllib.parse import SplitResult, urlsplit

import numpy as np

import ator_lib
from ator_lib.model import RunRequest
from benchmarks._report import report
from benchmarks._served import served

CLIENTS = 200
REQUESTS_PER_CLIENT = 10
RUNS = 2000
RUNNING = 20
PERCENTILES = (50, 99)


def main() -> None:
    """Measure each door in turn, twice; the first round warms up."""
    with tempfile.TemporaryDirectory() as folder:
        _fill(folder)
        with served(folder) as (url, _):
            for _ in range(2):
                took = {path: asyncio.run(_load(url, path)) for path in ("/health", "/status", "/history?limit=100")}
    for path in ("/status", "/history?limit=100"):
        for percentile in PERCENTILES:
            mine, peer = (float(np.percentile(took[door], percentile)) for door in (path, "/health"))
            name = f"GET {path}, {CLIENTS} clients, p{percentile} in ms (peer: /health)"
            report(name, mine, peer, "no error")


def _fill(folder: str) -> None:
    registry = ator_lib.connect(folder).parts.registry
    for number in range(RUNS):
        request = RunRequest(test="checkout", stream="main", location=f"lab-{number % 8}", factor=Decimal("0.1"))
        run = registry.register(request)
        if number < RUNS - RUNNING:
            registry.complete(run.run_id, "success")


async def _load(url: str, path: str) -> list[float]:
    """Give what each request took, in ms."""
    clients = [_client(urlsplit(url), path) for _ in range(CLIENTS)]
    return [took for each in await asyncio.gather(*clients) for took in each]


async def _client(address: SplitResult, path: str) -> list[float]:
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    ask = f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode()
    took = []
    for _ in range(REQUESTS_PER_CLIENT):
        begin = perf_counter()
        writer.write(ask)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert head.startswith(b"HTTP/1.1 200"), head
        assert length is not None, head
        await reader.readexactly(int(length.group(1)))
        took.append((perf_counter() - begin) * 1000)
    writer.close()
    return took


if __name__ == "__main__":
    main()
