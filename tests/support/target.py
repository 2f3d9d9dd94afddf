"""The bundled shop as a real process on a free port.

Fixtures (``tests.support.target`` stands in ``pytest_plugins``):

- ``locustfile``: a user that asks it for /products again and again.
- ``target``: the address of a shop that the tests share, with a fixed seed. Who turns its knobs starts one's own:
  ``running_target``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SEED = 7
END_WITHIN_S = 10

LOCUSTFILE = """
from locust import FastHttpUser, constant, task

class Shopper(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def products(self):
        self.client.get("/products")
"""


@pytest.fixture
def locustfile(tmp_path: Path) -> Path:
    """A user that asks for /products again and again."""
    path = tmp_path / "locustfile.py"
    path.write_text(LOCUSTFILE)
    return path


@pytest.fixture(scope="session")
def target() -> Iterator[str]:
    """Give the address of a running shop, such as ``http://127.0.0.1:40123``."""
    with running_target("--seed", str(SEED)) as address:
        yield address


@contextmanager
def running_target(*arguments: str) -> Iterator[str]:
    """Serve the shop with these arguments; its process is ended by its own id, whatever happens."""
    argv = [sys.executable, "-m", "ator_lib.demo.target", "--port", "0", *arguments]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            first_line = process.stdout.readline()  # ends at once, and empty, if the shop does not start
            assert first_line, f"the shop did not start: exit code {process.wait(END_WITHIN_S)}"
            yield json.loads(first_line)["address"]
        finally:
            process.terminate()
            try:
                process.wait(END_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
