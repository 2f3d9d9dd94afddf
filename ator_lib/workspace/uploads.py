"""Where result files that come over the network lie until they are read in."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path

from ator_lib.readers.base import named

LONGEST_NAME_BYTES = 200
"""Of an uploaded file's name as UTF-8: disks take 255 bytes, and some that encrypt fewer."""

NOT_IN_NAMES = r"/\\\x00-\x1f\x7f-\x9f"
"""What no name of an uploaded file holds, for a class of a regular expression: folders and control characters."""

_LEFT_BEHIND_AFTER_S = 24 * 3600


def upload_name(file: Path) -> str:
    """Give the name by which a server is told of a file: what it does not take is an underscore, a long one is cut."""
    name = re.sub(f"[{NOT_IN_NAMES}]", "_", named(Path(file.name)))
    cut = name.encode()[-LONGEST_NAME_BYTES:].decode(errors="ignore")
    return cut if cut.strip(".") else f"_{cut[1:]}"


def uploads_in(data: Path) -> Path:
    """Give the folder in the data folder that each upload has a folder of its own in."""
    return data / "uploads"


def left_behind(data: Path) -> list[Path]:
    """Find what killed servers could not remove: what is younger than a day may still be coming in, at any server."""
    oldest = time.time() - _LEFT_BEHIND_AFTER_S
    left = []
    for folder in uploads_in(data).glob("*"):
        with suppress(FileNotFoundError):  # somebody else removes it at this moment
            if folder.stat().st_mtime < oldest:
                left.append(folder)
    return left
