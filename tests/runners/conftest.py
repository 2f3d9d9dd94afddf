"""A small server on loopback, and the means to see which processes live."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ator_lib.runners.base import ToolExit
from ator_lib.runners.locust import Locust
from ator_lib.runners.process import ToolProcess

WAIT_S = 60.0


@dataclass
class Server:
    """Answers GET; ``/fail…`` with 500. Remembers the ``X-Token`` headers that it saw."""

    url: str
    tokens: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Serve on a free port of loopback."""
    seen: list[tuple[str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.append((self.path, self.headers["X-Token"]))
            body = b"x" * 27
            self.send_response(500 if self.path.startswith("/fail") else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Users that are killed close their connections anyhow."""

    with Quiet(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield Server(f"http://127.0.0.1:{listening.server_port}", seen)
        listening.shutdown()
        thread.join()


def processes_of(marker: str | Path) -> list[int]:
    """List the living processes with ``marker`` on their command line, but not this one."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                is_ours = str(marker).encode() in (entry / "cmdline").read_bytes()
                is_zombie = ") Z " in (entry / "stat").read_text()
            except OSError:  # it ended meanwhile
                continue
            if is_ours and not is_zombie:
                found.append(int(entry.name))
    return found


def eventually(holds: Callable[[], object]) -> bool:
    """Wait until ``holds`` gives something true; false when it never does."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


def run_locust(runner: Locust, folder: Path) -> ToolExit:
    """Run Locust to its end in ``folder``."""
    folder.mkdir(exist_ok=True)
    ended = ToolProcess.start(runner.command(folder)).wait(WAIT_S)
    assert ended is not None
    return ended
