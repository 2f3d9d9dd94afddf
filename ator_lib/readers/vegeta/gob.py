"""Results as a stream of gobs: what ``vegeta attack`` writes unless it is told otherwise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from ator_lib.errors import ResultsError
from ator_lib.readers.base import Findings, Source
from ator_lib.readers.vegeta.columns import PADDING, Messages, Numbers, layout
from ator_lib.readers.vegeta.results import RESULTS
from ator_lib.readers.vegeta.wire import WIDEST, Damaged, Kind, definition

LARGEST_MESSAGE = 256 * 2**20
"""Bytes of one result, which holds the body of its response."""

_CHUNK = 4 * 2**20
_MOST_DEFINITIONS = 1_000  # in a chunk; a stream has a handful, at its beginning
_MARK = b"\x06Result"  # the name of the struct, in the first definition
_MARK_WITHIN = 32
_NEEDED = ("Timestamp", "Latency", "Code")
_TEXTS = {"error": "Error", "attack": "Attack", "method": "Method", "url": "URL"}
_WANTED = ("BytesOut", "BytesIn", *_NEEDED, *_TEXTS.values())


def recognises(source: Source) -> bool:
    """Say whether it begins with the definition of vegeta's struct."""
    return _MARK in source.head[:_MARK_WITHIN]


def results(source: Source, findings: Findings) -> Iterator[pa.RecordBatch]:
    """Yield ``RESULTS``; what is damaged within a message is null, and a message that is cut short is said.

    Raises
    ------
    ResultsError
        The chain of messages is broken: the message of the error names the byte.
    """
    stream = _Stream()
    for chunk in _chunks(source, findings):
        try:
            yield from stream.decode(chunk)
        except Damaged as damaged:
            raise _broken(source, chunk.offset + damaged.offset) from damaged


# --- the chain of messages ---


@dataclass(frozen=True, kw_only=True)
class _Chunk:
    """Whole messages: their bytes, where each begins and ends in them, and where they stand in the file."""

    data: bytes
    offset: int
    starts: Numbers
    ends: Numbers


def _chunks(source: Source, findings: Findings) -> Iterator[_Chunk]:
    offset, rest = 0, b""
    missing = 0
    with source.path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        while fresh := file.read(max(_CHUNK, missing)):
            data = rest + fresh
            try:
                starts, ends, missing = _framed(data)
            except Damaged as damaged:
                raise _broken(source, offset + damaged.offset) from damaged
            whole = ends[-1] if ends else 0
            if starts:
                yield _Chunk(data=data + PADDING, offset=offset, starts=np.array(starts), ends=np.array(ends))
            offset, rest = offset + whole, data[whole:]
            if offset + len(rest) + missing > size:
                break
    if rest:
        findings.truncated = True
        findings.note(f"{source.name} ends within the result at byte {offset} of {size}")


def _framed(data: bytes) -> tuple[list[int], list[int], int]:
    """Find where messages start and end, up to one that is not whole, and how many bytes of that are missing."""
    starts: list[int] = []
    ends: list[int] = []
    place, size = 0, len(data)
    while place < size:
        width = 0
        length = data[place]
        if length >= 128:
            width = 256 - length
            if width > WIDEST:
                raise Damaged(place)
            length = int.from_bytes(data[place + 1 : place + 1 + width])
        start = place + 1 + width
        if start + length > size:
            if length > LARGEST_MESSAGE:
                raise Damaged(place)
            return starts, ends, start + length - size
        starts.append(start)
        place = start + length
        ends.append(place)
    return starts, ends, 0


def _broken(source: Source, offset: int) -> ResultsError:
    return ResultsError(
        f"{source.name} is damaged at byte {offset}: no result of vegeta stands there. "
        "Ingest what is before it (head -c), or encode the results again (vegeta encode)."
    )


# --- what is in them ---


class _Stream:
    """Knows the types that the stream has defined so far."""

    def __init__(self) -> None:
        self._kinds = {int(kind): kind for kind in Kind}
        self._structs: dict[int, tuple[tuple[str, int], ...]] = {}

    def decode(self, chunk: _Chunk) -> Iterator[pa.RecordBatch]:
        """Yield results between definitions.

        Raises
        ------
        Damaged
            A message is neither.
        """
        types = Messages(chunk.data, chunk.starts, chunk.ends).sints()
        definitions = np.flatnonzero(types < 0).tolist()
        for count, (before, after) in enumerate(pairwise([-1, *definitions, len(types)])):
            if count > _MOST_DEFINITIONS:
                raise Damaged(int(chunk.starts[before]))
            if before >= 0:
                self._define(chunk, before)
            if after > before + 1:
                yield self._results(chunk, slice(before + 1, after), types[before + 1 : after])

    def _define(self, chunk: _Chunk, number: int) -> None:
        start, end = int(chunk.starts[number]), int(chunk.ends[number])
        try:
            defined = definition(chunk.data[start:end])
        except Damaged as damaged:
            raise Damaged(start + damaged.offset) from damaged
        self._kinds[defined.id] = defined.kind
        if defined.fields is not None:
            self._structs[defined.id] = defined.fields

    def _results(self, chunk: _Chunk, group: slice, types: Numbers) -> pa.RecordBatch:
        starts, ends = chunk.starts[group], chunk.ends[group]
        fields = layout(self._structs.get(int(types[0]), ()), self._kinds, _WANTED)
        if not {name for name, _ in fields}.issuperset(_NEEDED):
            raise Damaged(int(starts[0]))
        if (strangers := np.flatnonzero(types != types[0])).size:
            raise Damaged(int(starts[strangers[0]]))
        messages = Messages(chunk.data, starts, ends)
        messages.sints()  # the type
        return _columns(messages, messages.structs(fields), starts + chunk.offset)


def _columns(messages: Messages, found: dict[str, tuple[Numbers, Numbers]], places: Numbers) -> pa.RecordBatch:
    none = np.zeros(len(messages), np.int64), np.zeros(len(messages), np.int64)
    columns = {
        "place": pa.array(places),
        "timestamp_us": messages.times_us(*found["Timestamp"]),
        "latency_ns": pa.array(found["Latency"][0], mask=messages.damaged),
        "code": pa.array(found["Code"][0]),
        "bytes_out": pa.array(found.get("BytesOut", none)[0]),
        "bytes_in": pa.array(found.get("BytesIn", none)[0]),
        **{column: messages.texts(*found.get(field, none)) for column, field in _TEXTS.items()},
    }
    return pa.record_batch(columns, schema=RESULTS)
