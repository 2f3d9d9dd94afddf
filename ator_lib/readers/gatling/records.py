"""The records of a binary log, a window of the file at a time.

Records follow each other without a mark between them; numbers are big-endian, times are milliseconds since the start
of the run, which the first record tells. A string is written out where it comes first, with the next higher number,
and from then on only as that number's negative. So a window of the file is first brought into a form in which all
strings are numbers and a record's length follows from its first bytes: then it can be read as arrays.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from ator_lib.errors import ResultsError
from ator_lib.readers.base import Findings, Source

REQUEST, USER, GROUP, ERROR = range(1, 5)  # the first byte of a record; 0 is RUN
_MOST_GROUPS = 16  # inside each other
_LONGEST_STRING = 2**20
_MOST_STRINGS = 100_000  # scenarios or assertions of a run
_WINDOW = 4 * 2**20
_FIRST_START, _LAST_START = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000) for year in (2000, 2200))

# A record in which every string is known already, so that its number is negative
_KNOWN = rb"[\x80-\xff].{3}"
_GROUPS = b"|".join(b"\\x%02x(?:%s){%d}" % (count, _KNOWN, count) for count in range(_MOST_GROUPS + 1))
_RECORD = (
    rb"\x01\x00{3}(?:%(groups)s)%(known)s.{8}[\x00\x01]%(known)s"  # request: groups, name, start, end, ok, message
    rb"|\x02.{4}[\x00\x01].{4}"  # user: scenario, whether it starts, time
    rb"|\x03\x00{3}(?:%(groups)s).{12}[\x00\x01]"  # group: groups, start, end, cumulated, ok
    rb"|\x04%(known)s.{4}"  # error: message, time
) % {b"groups": _GROUPS, b"known": _KNOWN}
_ONE_RECORD = re.compile(_RECORD, re.DOTALL)
_RECORDS = re.compile(b"(?:%s)*+" % _RECORD, re.DOTALL)
_LENGTHS = {  # by the first byte, then by the fifth, which in two of them counts the groups
    REQUEST: [22 + 4 * groups for groups in range(256)],
    USER: [10] * 256,
    GROUP: [18 + 4 * groups for groups in range(256)],
    ERROR: [9] * 256,
}
_PARTS: dict[int, tuple[int | None, ...]] = {  # after the groups: None for a string, else so many bytes
    REQUEST: (None, 9, None),
    USER: (9,),
    GROUP: (13,),
    ERROR: (None, 4),
}
_CODERS = ("latin-1", "utf-16-le")
_NO_CONTROLS = {0: "\ufffd", 9: " ", 10: " ", 13: " "}  # as Gatling shows them


@dataclass(frozen=True, kw_only=True)
class Log:
    """A log with what its RUN record tells, and where the first of the other records stands."""

    source: Source
    version: str
    start_ms: int
    first: int

    def corrupt(self, at: int, fault: str) -> ResultsError:
        """Make the error that says where the log is corrupt."""
        return ResultsError(f"{self.source.name} is corrupt at byte {at}: {fault}. Is it Gatling's file as it was?")


def opened(source: Source) -> Log:
    """Read the RUN record of a log.

    Raises
    ------
    ResultsError
        It cannot be read.
    """
    with source.path.open("rb") as file:
        cursor = _Cursor(file.read(_WINDOW), 0)
    try:
        cursor.take(1)
        version, simulation, start_ms, _ = cursor.string(), cursor.string(), cursor.integer(8), cursor.string()
        for _ in range(cursor.count(_MOST_STRINGS, "scenarios")):
            cursor.string()
        for _ in range(cursor.count(_MOST_STRINGS, "assertions")):
            cursor.take(cursor.count(_LONGEST_STRING, "bytes of an assertion"))
        if not _FIRST_START <= start_ms <= _LAST_START or not simulation.isprintable():
            raise _CorruptError("it names no simulation and its start")
    except (_CutShortError, _CorruptError) as error:
        fault = str(error) or "it is cut short"
        raise ResultsError(
            f"{source.name} has a RUN record that cannot be read (byte {cursor.at}): {fault}. "
            "Logs of Gatling 3.13 and newer can be read, not those of builds before its release."
        ) from error
    return Log(source=source, version=version, start_ms=start_ms, first=cursor.at)


# --- from bytes to records in which all strings are numbers ---


class _CutShortError(Exception):
    """The bytes end inside a record."""


class _CorruptError(Exception):
    """There is something that Gatling does not write."""


class _Cursor:
    """A place in bytes, from which values are taken."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self.at = at

    def take(self, size: int) -> bytes:
        taken = self._data[self.at : self.at + size]
        if len(taken) < size:
            raise _CutShortError
        self.at += size
        return taken

    def integer(self, size: int = 4) -> int:
        return int.from_bytes(self.take(size), "big", signed=True)

    def count(self, most: int, what: str) -> int:
        number = self.integer()
        if not 0 <= number <= most:
            raise _CorruptError(f"{number} {what}, of at most {most}")
        return number

    def string(self) -> str:
        """Take a string as the JVM holds it: Latin-1 or UTF-16, said by a byte after it unless it is empty."""
        size = self.count(_LONGEST_STRING, "bytes of a string")
        if not size:
            return ""
        value, coder = self.take(size), self.take(1)[0]
        if coder >= len(_CODERS):
            raise _CorruptError(f"a string with the coder {coder}")
        return value.decode(_CODERS[coder], errors="replace").translate(_NO_CONTROLS)


@dataclass(frozen=True, kw_only=True)
class Window:
    """Whole records of a log in which every string is its number's negative.

    ``places`` says of some offsets in ``data`` where they are in the file; between them both go on alike.
    """

    log: Log
    strings: list[str]
    data: bytes
    places: list[tuple[int, int]]

    @cached_property
    def offsets(self) -> Any:
        """Where the records begin."""
        data, at, end = self.data, 0, len(self.data)
        offsets = []
        while at < end:
            offsets.append(at)
            at += _LENGTHS[data[at]][data[at + 4]]
        return np.array(offsets, np.int64)

    @cached_property
    def bytes(self) -> Any:
        """The data as single bytes."""
        return np.frombuffer(self.data, np.uint8)

    @cached_property
    def integers(self) -> Any:
        """The integer that begins at each byte."""
        return np.ndarray(max(len(self.data) - 3, 0), ">i4", self.data, strides=(1,))

    def of_kind(self, kind: int) -> Any:
        """Where the records of a kind begin."""
        return self.offsets[self.bytes[self.offsets] == kind]

    def texts(self, offsets: Any, where: Any = None) -> pa.Array:
        """Give the strings whose numbers stand there; null where ``where`` is false."""
        numbers = pa.array(self.integers[offsets].astype(np.int32), mask=None if where is None else ~where)
        encoded = numbers.dictionary_encode()
        distinct = [-number for number in encoded.dictionary.to_pylist()]
        if distinct and max(distinct) >= len(self.strings):
            first = offsets[np.argmin(self.integers[offsets])]
            raise self.log.corrupt(self.place(first), f"there is no string {max(distinct)} before it")
        return pa.array([self.strings[number] for number in distinct], pa.string()).take(encoded.indices)

    def place(self, offset: int) -> int:
        """Say where in the file it is."""
        in_data, in_file = self.places[bisect(self.places, (offset, self.places[-1][1])) - 1]
        return int(in_file + offset - in_data)


def windows(log: Log, findings: Findings) -> Iterator[Window]:
    """Yield the records after the first, in order; a last one that is cut short is left out, and ``findings`` say so.

    Raises
    ------
    ResultsError
        A record is corrupt: where it ends is then unknown, and what comes after it cannot be read.
    """
    strings = [""]  # they are numbered from 1
    with log.source.path.open("rb") as file:
        at, rest = file.seek(log.first), b""
        while chunk := file.read(_WINDOW):
            data = rest + chunk
            window, used = _brought_into_form(log, strings, data, at)
            if window.data:
                yield window
            at, rest = at + used, data[used:]
    if rest:
        findings.truncated = True


def _brought_into_form(log: Log, strings: list[str], data: bytes, base: int) -> tuple[Window, int]:
    """Take whole records out of ``data``, which stands at ``base`` in the file, and say how many bytes they were."""
    pieces: list[bytes] = []
    places: list[tuple[int, int]] = []
    at = size = 0

    def add(piece: bytes, after: int) -> None:
        nonlocal at, size
        pieces.append(piece)
        places.append((size, base + at))
        at, size = after, size + len(piece)

    with suppress(_CutShortError):
        while at < len(data):
            known = _RECORDS.match(data, at)
            if known and known.end() > at:
                add(known[0], known.end())
            try:
                add(*_rewritten(strings, data, at))
            except _CorruptError as error:
                raise log.corrupt(base + at, str(error)) from error
    return Window(log=log, strings=strings, data=b"".join(pieces), places=places), at


def _rewritten(strings: list[str], data: bytes, at: int) -> tuple[bytes, int]:
    """Give a record that brings new strings with their numbers only, and where it ends."""
    cursor = _Cursor(data, at)
    known = len(strings)
    try:
        return _record(cursor, strings), cursor.at
    except (_CutShortError, _CorruptError):
        del strings[known:]
        raise


def _record(cursor: _Cursor, strings: list[str]) -> bytes:
    kind = cursor.take(1)
    if kind[0] not in _PARTS:
        raise _CorruptError(f"no record begins with the byte {kind[0]}")
    parts = [kind]
    if kind[0] in (REQUEST, GROUP):
        groups = cursor.count(_MOST_GROUPS, "groups inside each other")
        parts += [groups.to_bytes(4, "big"), *(_number(cursor, strings) for _ in range(groups))]
    parts += [_number(cursor, strings) if part is None else cursor.take(part) for part in _PARTS[kind[0]]]
    record = b"".join(parts)
    if not _ONE_RECORD.fullmatch(record):
        raise _CorruptError("a flag is neither 0 nor 1")
    return record


def _number(cursor: _Cursor, strings: list[str]) -> bytes:
    number = cursor.integer()
    if number >= 0:
        if number != len(strings):
            raise _CorruptError(f"string {number} is written out where {len(strings)} is the next one")
        strings.append(cursor.string())
    return (-abs(number)).to_bytes(4, "big", signed=True)
