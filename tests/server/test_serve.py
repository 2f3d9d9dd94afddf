from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ator_lib.errors import UsageError
from ator_lib.server.serve import serve
from tests.support.fake_workspace import FakeWorkspace

ROOT = Path(__file__).parents[2]

SERVE = """
from ator_lib.server.serve import serve
from panel_app.pages import pages
from tests.support.fake_workspace import busy_workspace
serve(busy_workspace(), pages(), port=0, on_ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.org", ""])
def test_only_loopback_is_served(host: str) -> None:
    """Another address is refused with the way out."""
    with pytest.raises(UsageError, match=r"needs tokens.*loopback only.*SSH tunnel"):
        serve(FakeWorkspace(), {}, host=host, port=8000)  # type: ignore[arg-type]


def test_busy_port_is_said_with_what_to_do() -> None:
    """A port in use is a usage error that names the port and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"port {port} on 127\.0\.0\.1 is in use.*--port 0"):
            serve(FakeWorkspace(), {}, port=port)  # type: ignore[arg-type]


def test_impossible_port_is_a_usage_error() -> None:
    """A number that is no port is refused without a traceback."""
    with pytest.raises(UsageError, match="70000"):
        serve(FakeWorkspace(), {}, port=70_000)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_gracefully(number: signal.Signals) -> None:
    """``serve`` returns after SIGINT and SIGTERM, and nothing but its caller has printed."""
    with dashboard_process() as (process, url):
        with urllib.request.urlopen(f"{url}/overview") as page:
            assert b"ATOR" in page.read()
        process.send_signal(number)
        printed, complaints = process.communicate(timeout=60)

    assert (process.returncode, printed, complaints) == (0, "ended\n", "")


@contextmanager
def dashboard_process() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve the pages in a process of their own; give it and its address."""
    argv = [sys.executable, "-c", SERVE]
    with subprocess.Popen(argv, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url, process.stderr and process.stderr.read()
            yield process, url
        finally:
            if process.poll() is None:
                process.kill()
