"""The one table of readers: name → class; and which of them a file is for."""

from __future__ import annotations

from pathlib import Path

from ator_lib.errors import ResultsError, UsageError
from ator_lib.readers.base import Reader, named
from ator_lib.readers.capture import CaptureReader
from ator_lib.readers.samples import SamplesReader

FORMATS: dict[str, type[Reader]] = {
    CaptureReader.format: CaptureReader,
    SamplesReader.format: SamplesReader,
}


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
        raise UsageError(f"there is no reader for {format!r}. There are: {_listed()}.")
    return FORMATS[format]()


def reader_for(path: Path, format: str | None = None) -> Reader:
    """Give the reader of that name, or the one that recognises ``path`` by its content, never by its name.

    Raises
    ------
    UsageError
        There is no reader of that name.
    ResultsError
        Nothing is there, it cannot be looked at, or no reader recognises it.
    """
    if format is not None:
        return reader(format)
    try:
        path.stat()  # says why it cannot be looked at: it is missing, or not ours to read
        found = next((name for name, candidate in FORMATS.items() if candidate().recognises(path)), None)
    except OSError as error:
        raise ResultsError(f"{named(path)} cannot be read: {error.strerror}.") from error
    if found is None:
        raise ResultsError(
            f"{named(path)} is in no format that is known here: {_listed()}. "
            "Look whether it is empty or cut short, or name its format (format=)."
        )
    return reader(found)


def _listed() -> str:
    return ", ".join(sorted(FORMATS))
