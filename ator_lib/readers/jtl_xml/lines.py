"""Samples of one line each, read in bulk: a line is cut at its quotes by the reader of CSV.

JMeter writes the same attributes in the same order all along, so every other cell is a value, and those between must
be the same in all lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from ator_lib.readers.jtl_xml.rows import ELAPSED_END_MS, NUMBERS, ROWS, TIME_END_MS

_LINE = re.compile(rb'\s*(<(?:httpSample|sample)(?: [A-Za-z_][\w.-]*="[^"<]*")+\s*/>)')
_ELEMENTS = ("<httpSample", "<sample")
_FEWEST_BYTES = 1_000  # of lines: less is no gain
_INSIDE = b'">'  # ends the tag of an element with something inside
_INSIDE_OR_REFERENCE = re.compile(rb'">|&#')  # the latter is a character that CSV does not know
_OPEN = (b"<httpSample ", b"<sample ")
_CLOSED = re.compile(rb"\n</(?:httpSample|sample)>\s*\n")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}  # the last one must be the last
_CELLS = csv.ParseOptions(delimiter='"', quote_char=False, escape_char=False)
_SAME = pa.dictionary(pa.int32(), pa.string())


def parts(lines: bytes) -> Iterator[tuple[bytes, bool]]:
    """Cut whole lines into those that may be a sample each (true), and all others (false)."""
    taken = start = 0
    for other in _others(lines):
        if other < start:
            continue  # inside the last one
        first = max(lines.rfind(b"\n", start, other) + 1, start)
        if first - start >= _FEWEST_BYTES:
            yield lines[taken:start], False
            yield lines[start:first], True
            taken = first
        start = _end(lines, first, other)
    yield lines[taken:start], False
    yield lines[start:], True


def _others(lines: bytes) -> Iterator[int]:
    """Yield where it shows that a line is no sample by itself."""
    if b"&#" in lines:
        yield from (found.start() for found in _INSIDE_OR_REFERENCE.finditer(lines))
        return
    place = lines.find(_INSIDE)
    while place >= 0:
        yield place
        place = lines.find(_INSIDE, place + len(_INSIDE))


def _end(lines: bytes, first: int, other: int) -> int:
    """Say where the sample ends whose line begins at ``first``: JMeter puts its end at the beginning of a line."""
    if lines.startswith(_OPEN, first) and lines.startswith(_INSIDE, other):
        closed = _CLOSED.search(lines, other)
        return closed.end() if closed else len(lines)
    return lines.find(b"\n", other) + 1


def read(lines: bytes) -> pa.Table | None:
    """Read lines that are a sample each as ``ROWS``; ``None`` if any line is otherwise."""
    first, number = _LINE.match(lines), lines.count(b"<")
    if first is None or lines.count(b"&") != sum(lines.count(word.encode()) for word in _ENTITIES):
        return None
    between = [gap.decode() for gap in first[1].split(b'"')[::2]]
    names = [gap.split()[-1].removesuffix("=") for gap in between[:-1]]
    cells = _cells(lines, names) if len(set(names)) == len(names) else None
    if cells is None or len(cells) != number or not _are_same(cells, between):
        return None
    rows = pa.table([_column(cells, field, unescape=b"&" in lines) for field in ROWS], schema=ROWS)
    return rows if _are_sound(rows) else None


def _cells(lines: bytes, names: list[str]) -> pa.Table | None:
    """Cut lines into values, and into what stands before each and at the end: columns ``0``, ``1``, ``2``."""
    gaps = [str(index) for index in range(len(names) + 1)]
    columns = [cell for pair in zip(gaps, names, strict=False) for cell in pair] + gaps[-1:]
    values = {name: ROWS.field(name).type for name in names if name in ROWS.names}
    types = values | dict.fromkeys(gaps, _SAME)
    try:
        return csv.read_csv(
            pa.py_buffer(lines),
            csv.ReadOptions(column_names=columns, use_threads=False, block_size=len(lines) + 1),
            _CELLS,
            csv.ConvertOptions(column_types=types, include_columns=list(types), null_values=[]),
        )
    except pa.ArrowInvalid:
        return None  # another number of attributes, or a number that is none


def _are_same(cells: pa.Table, between: list[str]) -> bool:
    """Say whether the lines differ in nothing but their values."""
    found = [set(pc.unique(cells[str(index)]).to_pylist()) for index in range(len(between))]
    begins = {f"{element} {between[0].split()[-1]}" for element in _ELEMENTS}
    return {begin.strip() for begin in found[0]} <= begins and found[1:] == [{gap} for gap in between[1:]]


def _column(cells: pa.Table, field: pa.Field, *, unescape: bool) -> pa.Array:
    if field.name not in cells.column_names:
        return pa.nulls(len(cells), field.type)
    values = cells[field.name].combine_chunks()
    if unescape and pa.types.is_string(field.type):
        for entity, character in _ENTITIES.items():
            values = pc.replace_substring(values, entity, character)
    return values


def _are_sound(rows: pa.Table) -> bool:
    ends = {"t": ELAPSED_END_MS, "ts": TIME_END_MS}
    extremes = {name: pc.min_max(rows[name]).as_py() for name in NUMBERS}
    return rows["t"].null_count == 0 and all(
        found["min"] is None or 0 <= found["min"] <= found["max"] < ends.get(name, 2**62)
        for name, found in extremes.items()
    )
