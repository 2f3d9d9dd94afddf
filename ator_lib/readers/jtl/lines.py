"""Lines of a JTL that DuckDB must not be given: of some it loses the trace, and over others it takes hours."""

from __future__ import annotations

from ator_lib.errors import ResultsError
from ator_lib.readers import long_lines
from ator_lib.readers.base import Source
from ator_lib.readers.jtl.layout import Layout

LONGEST_LINE = 2**24
"""Bytes of a line; twice as many are more than DuckDB looks at together, and it may not say what it left out."""

_COMMON_LINE = 2**14
_MOST_COPIED = _COMMON_LINE**2
"""Bytes of a line times its columns that are too many: for each of them DuckDB copies the line."""


def check(source: Source, layout: Layout) -> None:
    """Look through a file, without reading most of it.

    Raises
    ------
    ResultsError
        A line is too long, or has far more columns than the others.
    """
    quotes = counted = 0
    for begin, end in long_lines.found(source.path, _COMMON_LINE):
        if end - begin > LONGEST_LINE:
            raise _unreadable(source, begin, f"is longer than {LONGEST_LINE} bytes")
        most = len(layout.columns) + _MOST_COPIED // (end - begin)
        if _columns(texts := _between_quotes(source, begin, end), layout) <= most:
            continue
        quotes += long_lines.count(source.path, b'"', counted, begin)
        counted = begin
        outside = texts[quotes % 2 :: 2]  # a message may have lines, and any number of commas
        if (columns := _columns(outside, layout)) > most:
            raise _unreadable(source, begin, f"has {columns} columns instead of {len(layout.columns)}")


def _between_quotes(source: Source, begin: int, end: int) -> list[bytes]:
    with source.path.open("rb") as file:
        file.seek(begin)
        return file.read(end - begin).split(b'"')


def _columns(texts: list[bytes], layout: Layout) -> int:
    delimiter = layout.delimiter.encode()
    return 1 + sum(text.count(delimiter) for text in texts)


def _unreadable(source: Source, begin: int, what: str) -> ResultsError:
    return ResultsError(f"{source.name} cannot be read: line {long_lines.number(source.path, begin)} {what}.")
