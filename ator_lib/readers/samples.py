"""Files that have the canonical columns already: Parquet, Arrow (Feather) or CSV, whoever wrote them.

Columns carry the names and units of ``schema.SAMPLES``, in any order; ``duration_ms`` must be there. What may be
left out: ``name`` becomes ``unnamed``, ``weight`` 1, ``success`` is told from ``status_code``, all others are null.
One bad row refuses the file.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source, named, only

UNNAMED = "unnamed"
"""Name of all requests of a file that has no column of names."""

READ_AS_UTC = "started_at has no time zone: its times were read as UTC"

_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_ARROW = b"ARROW1"
_CSV_PLACE = re.compile(r"In CSV column #(\d+): Row #(\d+): CSV conversion error to [^:]+: ")
_ONE_THREAD = csv.ReadOptions(use_threads=False)  # only then are the rows of errors named
_MULTILINE = csv.ParseOptions(newlines_in_values=True)
_HEAD = 64 * 2**10
_MOST_LISTED = 5
_LONGEST_REASON = 300
_TIMES = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)]  # all that Python has
_FIRST, _LAST = pa.array(_TIMES, pa.timestamp("us", "UTC"))


class SamplesReader:
    """Reads one file, a batch at a time."""

    about: ClassVar[Format] = Format(
        name="samples",
        files="tables with the columns of SAMPLES: Parquet, Arrow, CSV",
        gives="samples",
        precision=schema.EXACT,
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it is Parquet, Arrow, or text whose first line names ``duration_ms``."""
        return source.head.startswith((_PARQUET, _ARROW)) or "duration_ms" in source.first_line

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read a file.

        Raises
        ------
        ResultsError
            It cannot be read, or its columns are not those of ``schema.SAMPLES``. While its samples are consumed:
            a row that breaks the rules (the first ones are named), or no row at all.
        """
        path = only(sources, "a table of samples").path
        with _translated(path):
            source = _open(path)
            _check_columns(source.columns, path)
            head = {key.decode(): value.decode() for key, value in (source.columns.metadata or {}).items()}
            findings = Findings(notes=[READ_AS_UTC] if _is_naive(source.columns) else [])
        return Reading(
            samples=pa.RecordBatchReader.from_batches(schema.SAMPLES, _samples(source, path)),
            tool=head.get("tool"),
            tool_version=head.get("tool_version"),
            precision=schema.EXACT,
            findings=findings,
        )


# --- the three kinds of file ---


@dataclass(frozen=True, kw_only=True)
class _Source:
    """An opened file: its columns, its rows, and the number of the first one (a header is row 1)."""

    columns: pa.Schema
    batches: Callable[[], Iterator[pa.RecordBatch]]
    first_row: int = 1


def _open(path: Path) -> _Source:
    if not path.is_file():
        raise ResultsError(f"{named(path)} is no file that is there: give a Parquet, Arrow or CSV file of samples.")
    head = _head(path)
    if head.startswith(_PARQUET):
        return _Source(columns=pq.read_schema(_file(path)), batches=pq.ParquetFile(_file(path)).iter_batches)
    if head.startswith(_ARROW):
        return _Source(columns=pa.ipc.open_file(_file(path)).schema, batches=lambda: _arrow_batches(path))
    if not head.strip():
        raise ResultsError(f"{named(path)} cannot be read: it is empty, or cut short at its beginning.")
    return _open_csv(path)


def _arrow_batches(path: Path) -> Iterator[pa.RecordBatch]:
    # not mapped into memory: a mapped file that somebody cuts short kills the process
    with _file(path) as file, pa.ipc.open_file(file) as arrow:
        for index in range(arrow.num_record_batches):
            yield arrow.get_batch(index)


def _open_csv(path: Path) -> _Source:
    with _text(path) as file:
        guessed = csv.open_csv(file, _ONE_THREAD, _MULTILINE).schema
    columns = pa.schema([pa.field(field.name, _csv_type(field)) for field in guessed])
    types = dict(zip(columns.names, columns.types, strict=True))

    def batches() -> Iterator[pa.RecordBatch]:
        options = csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True)
        with _text(path) as file:
            yield from csv.open_csv(file, _ONE_THREAD, _MULTILINE, options)

    return _Source(columns=columns, batches=batches, first_row=2)


def _csv_type(guessed: pa.Field) -> pa.DataType:
    """Choose what a column is parsed as; whole numbers as decimals too, since pandas writes 200.0 beside gaps."""
    if guessed.name not in schema.SAMPLES.names:
        return guessed.type  # it will be refused
    type_ = schema.SAMPLES.field(guessed.name).type
    if pa.types.is_timestamp(type_):
        is_naive = pa.types.is_timestamp(guessed.type) and guessed.type.tz is None
        return pa.timestamp("ns") if is_naive else pa.timestamp("ns", "UTC")
    return pa.float64() if pa.types.is_integer(type_) else type_


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.startswith(_GZIP):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, _HEAD)
    except zlib.error:
        return b""


def _text(path: Path) -> Any:
    with path.open("rb") as file:
        compression = "gzip" if file.read(len(_GZIP)) == _GZIP else None
    return pa.CompressedInputStream(_file(path), compression) if compression else _file(path)


def _file(path: Path) -> Any:
    return pa.OSFile(os.fsencode(path))  # as bytes: names need not be Unicode


@contextmanager
def _translated(path: Path, columns: list[str] | None = None) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, UnicodeError, pa.ArrowException) as error:
        raise ResultsError(f"{named(path)} cannot be read: {_reason(error, columns or [])}") from error


def _reason(error: Exception, columns: list[str]) -> str:
    """Make one short line of Arrow's words, with the name of a column for its number."""
    words = " ".join(str(error).partition(". If these")[0].split())
    return _CSV_PLACE.sub(lambda place: f"{columns[int(place[1])]} in row {place[2]}: ", words)[:_LONGEST_REASON]


# --- columns ---


def _check_columns(columns: pa.Schema, path: Path) -> None:
    names = columns.names
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ResultsError(f"{named(path)} has columns twice: {_listed(twice)}. Leave one of each.")
    if unknown := [name for name in names if name not in schema.SAMPLES.names]:
        raise ResultsError(
            f"{named(path)} has columns that samples do not have: {_listed(unknown)}. "
            f"Rename or drop them; there are {', '.join(schema.SAMPLES.names)}."
        )
    if "duration_ms" not in names:
        raise ResultsError(f"{named(path)} has no column duration_ms: the milliseconds that each request took.")
    for field in columns:
        _check_type(field, path)
    version = (columns.metadata or {}).get(b"ator_schema", b"0")
    if not version.isdigit() or int(version) > schema.VERSION:
        raise ResultsError(f"{named(path)} was written by a newer ATOR. Update ATOR to read it.")


def _check_type(field: pa.Field, path: Path) -> None:
    """Refuse what Arrow would cast to another meaning, such as a number to a time."""
    given = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    wanted = schema.SAMPLES.field(field.name).type
    if not pa.types.is_null(given) and not any(accepts(given) for accepts in _accepted(wanted)):
        raise ResultsError(f"{named(path)} has {field.name} as {field.type}, which cannot become {wanted}.")


def _accepted(wanted: pa.DataType) -> list[Callable[[pa.DataType], bool]]:
    kinds = pa.types
    if kinds.is_timestamp(wanted):
        return [kinds.is_timestamp]
    if kinds.is_boolean(wanted):
        return [kinds.is_boolean]
    if kinds.is_string(wanted):
        return [kinds.is_string, kinds.is_large_string, kinds.is_string_view, kinds.is_integer]
    return [kinds.is_integer, kinds.is_floating, kinds.is_decimal]


def _is_naive(columns: pa.Schema) -> bool:
    kinds = [field.type for field in columns if field.name == "started_at"]
    return any(pa.types.is_timestamp(kind) and kind.tz is None for kind in kinds)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(repr(name[:60]) for name in names[:_MOST_LISTED]) + more


# --- rows ---


def _samples(source: _Source, path: Path) -> Iterator[pa.RecordBatch]:
    row = source.first_row
    with _translated(path, source.columns.names):
        for batch in source.batches():
            batch.validate(full=True)  # the bytes of a stranger: offsets and UTF-8 are looked at before use
            samples = _conform(batch, row, path)
            _check_rows(samples, row, path)
            row += batch.num_rows
            yield samples
    if row == source.first_row:
        raise ResultsError(f"{named(path)} holds no samples: there is not one row in it.")


def _conform(batch: pa.RecordBatch, row: int, path: Path) -> pa.RecordBatch:
    """Give the batch all columns of SAMPLES, in their types."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    columns.setdefault("name", pa.repeat(UNNAMED, batch.num_rows))
    columns.setdefault("weight", pa.repeat(1, batch.num_rows))
    cast = {
        field.name: _cast(columns.get(field.name, pa.nulls(batch.num_rows)), field, row, path)
        for field in schema.SAMPLES
    }
    answered_well = pc.and_(pc.greater_equal(cast["status_code"], 100), pc.less(cast["status_code"], 400))
    cast["success"] = pc.coalesce(cast["success"], answered_well)
    # nulls are checked with the rows, and the names of the fields are theirs
    return pa.RecordBatch.from_arrays(list(cast.values()), schema=schema.SAMPLES)


def _cast(column: pa.Array, field: pa.Field, row: int, path: Path) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    options = pc.CastOptions(field.type, allow_time_truncate=True)
    try:
        return pc.cast(column, options=options)
    except pa.ArrowInvalid as error:
        for index, value in enumerate(column):
            if not _casts(value, options):
                words = f"{field.name} {str(value)[:60]!r} in row {row + index}, which is no {field.type}"
                raise ResultsError(f"{named(path)} has {words}. Correct or remove it.") from error
        raise


def _casts(value: pa.Scalar, options: pc.CastOptions) -> bool:
    try:
        pc.cast(value, options=options)
    except pa.ArrowInvalid:
        return False
    return True


def _check_rows(samples: pa.RecordBatch, row: int, path: Path) -> None:
    for field in schema.SAMPLES:
        for fault, is_bad in _faults(field, samples):
            bad = pc.indices_nonzero(pc.fill_null(is_bad, False))
            if len(bad):
                rows = ", ".join(str(row + index) for index in bad[:_MOST_LISTED].to_pylist())
                more = " and more" if len(bad) > _MOST_LISTED else ""
                raise ResultsError(
                    f"{named(path)} has bad rows: {field.name} {fault} (row {rows}{more}). Correct or remove them."
                )


def _faults(field: pa.Field, samples: pa.RecordBatch) -> Iterator[tuple[str, pa.Array]]:
    column = samples.column(field.name)
    if field.name == "success":
        yield "is missing, and there is no status_code to tell it from", column.is_null()
    elif not field.nullable:
        yield "is missing", column.is_null()
    if pa.types.is_string(field.type):
        yield "holds a NUL character", pc.match_substring(column, "\0")
    if pa.types.is_floating(field.type):
        yield "is no finite number", pc.invert(pc.is_finite(column))
    if pa.types.is_floating(field.type) or pa.types.is_integer(field.type):
        least = 1 if field.name == "weight" else 0
        yield f"is below {least}", pc.less(column, least)
    if pa.types.is_timestamp(field.type):
        left_us = pc.subtract(_LAST, column).cast(pa.int64()).cast(pa.float64(), safe=False)
        is_late = pc.greater(pc.multiply(samples.column("duration_ms"), 1000.0), left_us)
        yield "is before the year 1, or the request ended after the year 9999", pc.or_(pc.less(column, _FIRST), is_late)
