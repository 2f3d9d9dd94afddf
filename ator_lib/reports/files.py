"""Files that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from ator_lib.errors import StoreError


def write_whole(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all; missing folders are made.

    Raises
    ------
    StoreError
        It cannot be written; an earlier one is as it was.
    """
    whole = path.with_name(f".{path.name[:100]}.{uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            whole.write_text(text, encoding="utf-8")
            whole.replace(path)
        finally:
            whole.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"the report cannot be written to {path}: {error.strerror or error}.") from error
