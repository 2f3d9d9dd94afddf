"""Where result files that come over the network lie until they are read in."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

_LEFT_BEHIND_AFTER_S = 24 * 3600


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
