"""The one table of readers: name → class; and which of them some files are for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.metadata import entry_points

from ator_lib.errors import ResultsError, UsageError
from ator_lib.readers.base import Format, Reader, Source
from ator_lib.readers.capture import CaptureReader
from ator_lib.readers.samples import SamplesReader

ENTRY_POINTS = "ator.readers"
"""Group of entry points by which other packages add readers: name of the format → class."""

FORMATS: dict[str, type[Reader]] = {
    reader.about.name: reader
    for reader in (
        CaptureReader,
        SamplesReader,
    )
}
"""Ours, in the order in which they are asked: who knows a clear mark comes before who guesses."""


def formats() -> list[Format]:
    """List what can be read, ours first, then what other packages added."""
    return [reader.about for reader in _all().values()]


def reader(format: str) -> Reader:
    """Give the reader of that name.

    Raises
    ------
    UsageError
        There is none; the message lists those that there are.

    Examples
    --------
    >>> reader("capture").about.name
    'capture'
    """
    if format not in _all():
        raise UsageError(f"there is no reader for {format!r}. There are: {_listed()}.")
    return _all()[format]()


def reader_for(sources: Sequence[Source], format: str | None = None) -> tuple[Reader, list[Source]]:
    """Give the reader of that name, or the one that recognises the files by their content, never by their names.

    Returns
    -------
    The reader and those of the files that are for it; a folder may hold others, too.

    Raises
    ------
    UsageError
        There is no reader of that name.
    ResultsError
        No reader recognises any file, or they are of several formats.
    """
    by_format: dict[str, list[Source]] = {}
    for source in sources:
        if (found := _recognised(source, format)) is not None:
            by_format.setdefault(found, []).append(source)
    if format is not None:  # named: also what it does not recognise is for it, if it is all that there is
        return reader(format), by_format.get(format) or list(sources)
    if len({reader(name).about.tool or name for name in by_format}) > 1:
        kinds = "; ".join(f"{name}: {files[0].name}" for name, files in by_format.items())
        raise ResultsError(f"these are files of several formats ({kinds}). Name the one to read (format=).")
    for name in _all():  # of one tool's several the first: the finest
        if name in by_format:
            return reader(name), by_format[name]
    raise ResultsError(
        f"{sources[0].name} is in no format that is known here: {_listed()}. "
        "Look whether it is empty or cut short, or name its format (format=)."
    )


def _recognised(source: Source, format: str | None) -> str | None:
    names = list(_all()) if format is None else [format]
    try:
        return next((name for name in names if reader(name).recognises(source)), None)
    except OSError as error:
        raise ResultsError(f"{source.name} cannot be read: {error.strerror}.") from error


@cache
def _all() -> dict[str, type[Reader]]:
    added = {point.name: point.load() for point in entry_points(group=ENTRY_POINTS)}
    return FORMATS | {name: added[name] for name in sorted(added) if name not in FORMATS}


def _listed() -> str:
    return ", ".join(sorted(_all()))
