"""The three kinds of file that hold tables: opened, read in batches, and asked where a row stands."""

from __future__ import annotations

import csv as text_csv
import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from ator_lib.errors import ResultsError
from ator_lib.readers.base import Source
from ator_lib.readers.csv_documents import Mended

PARQUET = b"PAR1"
ARROW = b"ARROW1"

_DELIMITERS = ",;\t|"
_QUOTED = re.compile(r'"[^"]*"')
_LONGEST_ROW = 3 * 2**20
_ROWS_AT_ONCE = 65_536
_LONGEST_REASON = 300

Batches = Iterator[tuple[np.ndarray, pa.RecordBatch]]
Reject = Callable[[int, str], None]


@dataclass(frozen=True, kw_only=True)
class TableFile:
    """An opened file.

    Attributes
    ----------
    columns
        Of the file; those of text are all strings.
    is_text
        It has lines, and an empty field is none.
    read
        Reads these columns: batches, each with the numbers of its rows (of text: a header is row 1, blank lines do
        not count). A row that is none is told to the function given, with its number and what is wrong.
    """

    source: Source
    columns: pa.Schema
    is_text: bool
    read: Callable[[Sequence[str], Reject], Batches]


def open_table(source: Source) -> TableFile:
    """Open a Parquet, Arrow or delimited text file.

    Raises
    ------
    OSError, pyarrow.ArrowException
        It is damaged, empty, or has no header.
    """
    if source.head.startswith(PARQUET):
        return _open_parquet(source)
    return _open_arrow(source) if source.head.startswith(ARROW) else _open_text(source)


@contextmanager
def translated(source: Source) -> Iterator[None]:
    """Translate what Arrow and the system say into one short sentence."""
    try:
        yield
    except (OSError, EOFError, UnicodeError, pa.ArrowException) as error:
        words = " ".join(str(error).split())
        if "straddl" in words or not words:
            words = (
                f"there is a row of more than {_LONGEST_ROW // 3} bytes, so it is no table, or a quote is not closed"
            )
        raise ResultsError(f"{source.name} cannot be read: {words[:_LONGEST_REASON]}") from error


# --- Parquet and Arrow ---


def _open_parquet(source: Source) -> TableFile:
    def read(columns: Sequence[str], reject: Reject) -> Batches:
        with pq.ParquetFile(_file(source.path)) as file:
            yield from _numbered(file.iter_batches(_ROWS_AT_ONCE, columns=list(columns)))

    return TableFile(source=source, columns=pq.read_schema(_file(source.path)), is_text=False, read=read)


def _open_arrow(source: Source) -> TableFile:
    def read(columns: Sequence[str], reject: Reject) -> Batches:
        # not mapped into memory: a mapped file that somebody cuts short kills the process
        with _file(source.path) as file, pa.ipc.open_file(file) as arrow:
            batches = (arrow.get_batch(index) for index in range(arrow.num_record_batches))
            yield from _numbered(batch.select(columns) for batch in batches)

    with _file(source.path) as file, pa.ipc.open_file(file) as arrow:
        return TableFile(source=source, columns=arrow.schema, is_text=False, read=read)


def _numbered(batches: Iterator[pa.RecordBatch]) -> Batches:
    rows = 0
    for batch in batches:
        batch.validate(full=True)  # the bytes of a stranger: offsets and UTF-8 are looked at before use
        yield np.arange(rows + 1, rows + 1 + batch.num_rows), batch
        rows += batch.num_rows


def _file(path: Path) -> pa.NativeFile:
    return pa.OSFile(os.fsencode(path))  # as bytes: names need not be Unicode


# --- text ---


def _open_text(source: Source) -> TableFile:
    def read(columns: Sequence[str], reject: Reject) -> Batches:
        return _text_batches(source, columns, reject)

    with source.path.open("rb") as file:
        names = csv.open_csv(Mended(file, _whole_lines(source)), *_options(source, lambda _: "skip")).schema.names
    columns = pa.schema([pa.field(name, pa.string()) for name in names])
    return TableFile(source=source, columns=columns, is_text=True, read=read)


def _text_batches(source: Source, columns: Sequence[str], reject: Reject) -> Batches:
    left_out: list[int] = []

    def leave_out(row: csv.InvalidRow) -> str:
        left_out.append(row.number)
        reject(row.number, f"the header has {row.expected_columns} columns, and this row {row.actual_columns}")
        return "skip"

    convert = csv.ConvertOptions(
        check_utf8=False,
        column_types=dict.fromkeys(columns, pa.string()),
        include_columns=list(columns),
        null_values=[""],
        strings_can_be_null=True,
    )
    row = 2
    with source.path.open("rb") as file:
        for batch in csv.open_csv(Mended(file, _whole_lines(source)), *_options(source, leave_out), convert):
            left_out = [number for number in left_out if number >= row]
            numbers = np.setdiff1d(np.arange(row, row + batch.num_rows + len(left_out)), left_out)[: batch.num_rows]
            yield numbers, batch
            row = int(numbers[-1]) + 1 if len(numbers) else row


def _options(source: Source, leave_out: Callable[[csv.InvalidRow], str]) -> tuple[csv.ReadOptions, csv.ParseOptions]:
    return (
        csv.ReadOptions(use_threads=False, block_size=_LONGEST_ROW),  # only then do rows that are left out have numbers
        csv.ParseOptions(delimiter=_delimiter(source), newlines_in_values=True, invalid_row_handler=leave_out),
    )


def _delimiter(source: Source) -> str:
    header = _QUOTED.sub("", source.first_line)
    return max(_DELIMITERS, key=header.count)


def _whole_lines(source: Source) -> int:
    """Give the bytes that count: of a file that was cut short in its archive not the last line."""
    size = source.path.stat().st_size
    if not source.truncated:
        return size
    with source.path.open("rb") as file:
        start = file.seek(max(0, size - _LONGEST_ROW))
        return start + file.read().rfind(b"\n") + 1


def ends_within_a_line(source: Source) -> bool:
    """Say whether the last line of a text lacks its end, as when its writer was killed."""
    if source.truncated:
        return False  # that line was not read
    with source.path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() not in (b"\n", b"\r")


def lines_of(source: Source, rows: Collection[int]) -> dict[int, tuple[int, str]]:
    """Find rows of a text by their numbers, in a slower second pass: where each begins, and what it holds."""
    found = {}
    with source.path.open(encoding="utf-8", errors="replace", newline="") as file, suppress(text_csv.Error):
        last, number = 0, 0
        reader = text_csv.reader(file, delimiter=_delimiter(source))
        for fields in reader:
            number += bool(fields)
            if fields and number in rows:
                found[number] = (last + 1, _delimiter(source).join(fields))
            last = reader.line_num
    return found
