"""Where the long lines of a text are, however large it is: others are hopped over, and little of it is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

_STEP = 2**10
_CHUNK = 2**18


def found(path: Path, most: int) -> Iterator[tuple[int, int]]:
    """Yield the places where each line of more bytes begins and ends, a carriage return also being an end."""
    with path.open("rb", buffering=0) as file:
        size = file.seek(0, 2)
        begin = 0
        while size - begin > most:
            end = _last_end(file, begin, begin + most + 1)
            if end is None:
                end = _next_end(file, begin + most + 1)
                yield begin, end
            begin = end + 1


def number(path: Path, place: int) -> int:
    """Give the number, from 1, of the line that begins there."""
    return 1 + count(path, b"\n", 0, place)


def count(path: Path, byte: bytes, begin: int, end: int) -> int:
    """Count how often a byte stands between two places."""
    total = 0
    with path.open("rb", buffering=0) as file:
        left = end - file.seek(begin)
        while left > 0 and (chunk := file.read(min(left, _CHUNK))):
            total += chunk.count(byte)
            left -= len(chunk)
    return total


def _last_end(file: IO[bytes], begin: int, stop: int) -> int | None:
    """Look for the end of a line from behind: it is seldom far."""
    while stop > begin:
        step = max(begin, stop - _STEP)
        file.seek(step)
        part = file.read(stop - step)
        if (end := max(part.rfind(b"\n"), part.rfind(b"\r"))) >= 0:
            return step + end
        stop = step
    return None


def _next_end(file: IO[bytes], begin: int) -> int:
    """Give the place of the next end of a line, or of the file."""
    file.seek(begin)
    while chunk := file.read(_CHUNK):
        if ends := [end for end in (chunk.find(b"\n"), chunk.find(b"\r")) if end >= 0]:
            return begin + min(ends)
        begin += len(chunk)
    return begin
