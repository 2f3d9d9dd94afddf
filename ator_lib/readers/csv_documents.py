"""Tables of strangers as delimited text: read in bulk a block at a time, bad rows found and left out."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from ator_lib.errors import ResultsError
from ator_lib.readers.base import Findings, Source

LONGEST_ROW = 16 * 2**20
"""Bytes of one row, also of one without an end."""

_NUMBER = r"^-?\d{1,15}(\.\d{0,15})?$"
_WHOLE = r"^-?([0-8]?\d{1,18})$"  # what fits into 64 bits


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Some rows of a table: their columns as text, and the line of each; one in quotation marks counts as one."""

    lines: npt.NDArray[np.int64]
    columns: pa.RecordBatch


def read(
    source: Source, findings: Findings, columns: Sequence[str], *, header: bool = True, delimiter: str = ","
) -> Iterator[Rows]:
    """Yield the rows of a table with these columns, in the order of the file; without a header they may be fewer.

    A row of another number of columns is rejected. A last line without an end counts as cut short. U+FFFD stands for
    what is no UTF-8, and for NUL.

    Raises
    ------
    ResultsError
        A row is longer than ``LONGEST_ROW``, or too many are rejected.
    """
    line = 1 + header
    refused: list[int] = []
    too_many: list[ResultsError] = []

    def refuse(row: csv.InvalidRow) -> str:
        refused.append(row.number)
        try:
            _reject(row, source, findings)
        except ResultsError as error:  # which Arrow would swallow
            too_many.append(error)
            return "error"
        return "skip"

    parse = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse)
    with source.path.open("rb") as file:
        whole = _end_of_last_line(file, source, findings)
        if whole == 0:
            return
        try:
            for batch in csv.open_csv(Mended(file, whole), _lines(columns, header), parse, _as_text(columns)):
                numbers = np.arange(line, line + batch.num_rows + len(refused))
                lines = np.setdiff1d(numbers, refused, assume_unique=True)[: batch.num_rows]
                names = [*columns[: batch.num_columns], *batch.schema.names[len(columns) :]]
                yield Rows(lines=lines, columns=batch.rename_columns(names))
                line = int(lines[-1]) + 1 if len(lines) else line
        except pa.ArrowInvalid as error:
            if too_many:
                raise too_many[0] from None
            raise ResultsError(f"{source.name} cannot be read behind line {line}: {_reason(error)}.") from error


def no_sound_row(source: Source, what: str, findings: Findings) -> ResultsError:
    """Say of a table that nothing came of it, and why at the first row."""
    first = next((f": line {row.line} {row.reason}" for row in findings.rejected), "")
    return ResultsError(f"{source.name} holds no {what}: there is no sound row below its header{first}.")


def _reject(row: csv.InvalidRow, source: Source, findings: Findings) -> None:
    reason = f"{row.actual_columns} columns instead of {row.expected_columns}"
    for number, text in enumerate(row.text.split("\n")):  # a quote that is not closed swallows lines
        findings.reject(source, row.number + number, reason, text)


def _lines(columns: Sequence[str], header: bool) -> csv.ReadOptions:
    return csv.ReadOptions(
        column_names=list(columns) if header else None,
        autogenerate_column_names=not header,  # as many as the first row has
        skip_rows=int(header),
        use_threads=False,
        block_size=LONGEST_ROW,
    )


def _as_text(columns: Sequence[str]) -> csv.ConvertOptions:
    generated = [f"f{number}" for number in range(len(columns))]
    return csv.ConvertOptions(column_types=dict.fromkeys([*columns, *generated], pa.string()), null_values=[])


def numbers(column: pa.Array) -> pa.DoubleArray:
    """Read numbers; null is what is none."""
    return _cast(column, pa.float64(), _NUMBER)


def whole_numbers(column: pa.Array) -> pa.Int64Array:
    """Read whole numbers; null is what is none, or does not fit into 64 bits."""
    return _cast(column, pa.int64(), _WHOLE)


def _cast(column: pa.Array, type_: pa.DataType, pattern: str) -> pa.Array:
    written = pc.utf8_trim_whitespace(column)
    fitting = pc.if_else(pc.match_substring_regex(written, pattern), written, pa.scalar(None, pa.string()))
    return fitting.cast(type_)


class Mended(io.RawIOBase):
    """The beginning of a file as sound UTF-8 without NUL: Arrow fails where it shows a row that is none."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        file.seek(0)
        self._file = file
        self._left = size
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")

    def readable(self) -> bool:
        """Say so."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Give the next bytes, at most so many; none at the end."""
        while True:
            fresh = self._file.read(min(max(size // _WIDEST_MENDED, 1), self._left))
            self._left -= len(fresh)
            text = self._decoder.decode(fresh, final=not fresh)
            if text or not fresh:
                return text.replace("\0", "\ufffd").encode()


_WIDEST_MENDED = len("\ufffd".encode())


def _end_of_last_line(file: IO[bytes], source: Source, findings: Findings) -> int:
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - LONGEST_ROW))
    tail = file.read()
    end = tail.rfind(b"\n")
    if end < 0 and len(tail) == LONGEST_ROW:
        raise ResultsError(f"{source.name} has a line of more than {LONGEST_ROW} bytes: that is no table of results.")
    findings.truncated |= end + 1 < len(tail)
    return size - len(tail) + end + 1


def _reason(error: Exception) -> str:
    if "straddling" in str(error):
        return f"a row is longer than {LONGEST_ROW} bytes, or a quotation mark is not closed"
    return str(error).partition("\n")[0][:200]
