"""The one table of readers: name → class."""

from __future__ import annotations

from ator_lib.errors import UsageError
from ator_lib.readers.base import Reader
from ator_lib.readers.capture import CaptureReader

FORMATS: dict[str, type[Reader]] = {CaptureReader.format: CaptureReader}


def reader(format: str) -> Reader:
    """Give the reader of that name.

    Raises
    ------
    UsageError
        There is none; the message lists those that there are.

    Examples
    --------
    >>> reader("capture").format
    'capture'
    """
    if format not in FORMATS:
        raise UsageError(f"there is no reader for {format!r}. There are: {', '.join(sorted(FORMATS))}.")
    return FORMATS[format]()
