"""What ATOR recorded in a folder, as its reader gives it."""

from __future__ import annotations

from pathlib import Path

from ator_lib.readers.base import NO_OPTIONS, Reading, plain_files
from ator_lib.readers.capture.reader import CaptureReader


def read_capture(folder: Path) -> Reading:
    """Read the streams of a folder."""
    return CaptureReader().read(plain_files(folder), NO_OPTIONS)
