"""JSON of strangers: whole documents within bounds, and long arrays an item at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import IO, Any

import ijson
import numpy as np

from ator_lib.errors import ResultsError
from ator_lib.readers.base import Findings, Source

LARGEST_DOCUMENT = 256 * 2**20
"""Bytes of a document that is read as a whole; summaries are far smaller."""

BEYOND_COUNT = 2**53
"""Whole numbers below it are exact in JSON; what a tool counts is far less."""

DEEPEST = 1_000
"""Levels of a document that is read an item at a time; brackets in its texts count, too, and mostly come in pairs."""

LONGEST_TEXT = 32 * 2**20
"""Bytes without a quote in a document that is read an item at a time."""

_CHUNK = 2**20
_LEVEL = np.zeros(256, np.int8)
_LEVEL[list(b"[{")], _LEVEL[list(b"]}")] = 1, -1
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def begins_object(source: Source, marks: Iterable[bytes] = ()) -> bool:
    """Say whether a file begins as an object does, and whether all of these marks are in its head."""
    return source.head.lstrip().startswith(b"{") and all(mark in source.head for mark in marks)


def load(source: Source) -> Any:
    """Read a whole document.

    Raises
    ------
    ResultsError
        It is empty, no JSON, or too large for a summary; the message names the place.
    """
    size = source.path.stat().st_size
    if size > LARGEST_DOCUMENT:
        raise ResultsError(f"{source.name} has {size} bytes, more than a document of {LARGEST_DOCUMENT} can have.")
    try:
        content = source.path.read_bytes()
        document = json.loads(content)
        if _SURROGATE.search(content):  # half of one is no text: a question mark takes its place
            document = json.loads(json.dumps(document, ensure_ascii=False).encode(errors="replace"))
        return document
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ResultsError(f"{source.name} is no whole JSON document: {error.msg} ({place}).") from error
    except (UnicodeDecodeError, ValueError) as error:  # also a number of more digits than Python takes
        raise ResultsError(f"{source.name} is no JSON document: {str(error)[:200]}.") from error
    except RecursionError as error:
        raise ResultsError(f"{source.name} is nested too deeply for a result of a tool.") from error


def load_object(source: Source) -> dict[str, Any]:
    """Read a whole document that is an object.

    Raises
    ------
    ResultsError
        As ``load``, or it is no object.
    """
    document = load(source)
    if not isinstance(document, dict):
        raise ResultsError(f"{source.name} is no JSON object, and the results of a tool are one.")
    return document


def items(source: Source, path: str, findings: Findings) -> Iterator[Any]:
    """Yield the items of an array in a document of any size, ``path`` as ijson writes it: ``run.executions.item``.

    When the document just ends, or ends in NULs, the whole items count, and ``findings`` say so.

    Raises
    ------
    ResultsError
        It is no JSON at that place, or nested too deeply.
    """
    with source.path.open("rb") as file:
        watched = _Watched(file, source)
        try:
            yield from ijson.items(watched, path, use_float=True, buf_size=_CHUNK)
        except (ijson.JSONError, ValueError, RecursionError) as error:
            if not watched.has_ended:  # ijson calls everything incomplete
                # its first line only: the others show a part of the file, which may be a secret
                told = re.split(r"\n|\\n", str(error).removeprefix("b'"))[0].rstrip(".")[:200]
                raise ResultsError(f"{source.name} is no JSON document: {told}.") from error
            findings.truncated = True


class _Watched:
    """A file on its way into ijson, which would fill the memory with levels, and look at long texts again and again."""

    def __init__(self, file: IO[bytes], source: Source) -> None:
        self.has_ended = False
        self._file = file
        self._source = source
        self._depth = 0
        self._text = 0

    def read(self, size: int) -> bytes:
        """Read on, within bounds; NULs at the end, which a killed process leaves on some disks, are left out."""
        chunk = self._file.read(size).rstrip(b"\0") if size else b""
        levels = np.cumsum(_LEVEL[np.frombuffer(chunk, np.uint8)], dtype=np.int64)
        if self._depth + levels.max(initial=0) > DEEPEST:
            raise ResultsError(f"{self._source.name} is nested too deeply for a result of a tool.")
        self._depth += int(levels[-1]) if len(levels) else 0
        quote = chunk.rfind(b'"')
        self._text = len(chunk) - quote if quote >= 0 else self._text + len(chunk)
        if self._text > LONGEST_TEXT:
            raise ResultsError(f"{self._source.name} has a text of more than {LONGEST_TEXT} bytes: is it of a tool?")
        self.has_ended = self.has_ended or (size > 0 and not chunk)
        return chunk


def member(document: Any, *keys: str) -> Any:
    """Give what stands under keys, each within the one before; ``None`` where there is nothing.

    Examples
    --------
    >>> member({"latency": {"p50": 3}}, "latency", "p50"), member({"latency": None}, "latency", "p50")
    (3, None)
    """
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def word(value: Any) -> str | None:
    """Give a text, without NUL characters; ``None`` for an empty one, and for what is none."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) and value else None


def members(value: Any) -> dict[str, Any]:
    """Give an object; what is none has no members."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """Give an array; what is none has no items."""
    return value if isinstance(value, list) else []


def number(value: Any) -> float | None:
    """Give a measurement; ``None`` for what is no number, negative, or beyond what tools can measure."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < BEYOND_COUNT else None


def count(value: Any) -> int | None:
    """Give a whole number as ``number`` does."""
    known = number(value)
    return int(known) if known is not None and known == int(known) else None


def counts(value: Any) -> dict[str, int]:
    """Give an object of whole numbers, without what is none."""
    return {key: known for key, each in members(value).items() if (known := count(each)) is not None}
