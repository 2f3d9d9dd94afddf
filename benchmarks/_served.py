"""A server in a process of its own, as users start it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


@contextmanager
def served(folder: Path | str) -> Iterator[tuple[str, psutil.Process]]:
    """Serve a data folder on a free port; give the address and the process."""
    command = [sys.executable, "-m", "ator_lib.cli", "serve", "--data", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            assert server.stdout is not None
            found = next(match for line in server.stdout if (match := re.search(r"http://\S+:\d+", line)))
            yield found.group(), psutil.Process(server.pid)
        finally:
            server.terminate()
