"""What is left when the rows of a JTL have been read: rows that could not be, and requests that stand there twice."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from ator_lib.errors import ResultsError
from ator_lib.readers.base import Findings, Source
from ator_lib.readers.duck import Connection
from ator_lib.readers.jtl.layout import FIRST_MS, Clock, Layout
from ator_lib.readers.jtl.rows import MOST, MOST_FAULTS, TRANSACTION

_FAULTS = "FROM reject_errors JOIN reject_scans USING (scan_id, file_id) WHERE file_path = ?"
_REJECTED = f"""
SELECT line_byte_position - 1 AS place, arg_min(error_type, column_number) AS kind,
    arg_min(column_name, column_number) AS column, arg_min(error_message, column_number) AS message,
    any_value(csv_line) AS text, arg_min(byte_position, column_number) - 1 AS found_at
FROM (SELECT *, coalesce(column_idx, 0) AS column_number {_FAULTS}) GROUP BY line_byte_position ORDER BY place
"""  # noqa: S608 – SQL of our own
_CHUNK = 2**20
_COMMON_RECORD = 2**16
_LONGEST_RECORD = 2**23
"""Behind a quote that is not closed; DuckDB reads farther pieces of a file by themselves."""

_VALUE = re.compile(r'Could not convert string "(.*)" to ', re.DOTALL)
_FOUND = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_MEANT = {"timeStamp": "time", "elapsed": "time in milliseconds", "success": "true or false"}
_REASONS = {
    "TOO MANY COLUMNS": "has too many columns",
    "UNQUOTED VALUE": "has a quote that is not closed, or closed too early",
    "INVALID ENCODING": "is not UTF-8",
    "LINE SIZE OVER MAXIMUM": "is too long for a row",
}


def explain(connection: Connection, source: Source, layout: Layout, findings: Findings) -> None:
    """Put the rows of a file that DuckDB rejected into the findings, with their lines and reasons.

    Raises
    ------
    ResultsError
        There are too many of them, or one never ends.
    """
    path = [str(source.path)]
    ((faults,),) = connection.sql(f"SELECT count(*) {_FAULTS}", params=path).fetchall()
    if faults > MOST_FAULTS:
        raise ResultsError(f"{source.name} has more than {MOST_FAULTS:,} faults: is it damaged, or no JTL?")
    rejected = connection.sql(_REJECTED, params=path).to_arrow_table().to_pylist()
    rejected = [_found_again(source, row, layout) if row["kind"] == "UNQUOTED VALUE" else row for row in rejected]
    lines = _lines(source, [row["place"] for row in rejected])
    for row, line in zip(rejected, lines, strict=True):
        if row["text"].strip() in ("", layout.header):  # of a file that others were appended to
            continue
        record, is_last = _record(source, row["place"], layout.delimiter)
        texts = record.decode(errors="replace").split("\n")
        if len(record) == _LONGEST_RECORD and len(texts) > 1:
            raise ResultsError(
                f"{source.name} cannot be read behind line {line}: a row is longer than {_LONGEST_RECORD} bytes, or a "
                "quotation mark is not closed."
            )
        swallowed = [
            (line + further, text)
            for further, text in enumerate(texts)
            if further and text.count(layout.delimiter) >= len(layout.columns) - 1
        ]
        if is_last and not swallowed and _may_be_cut(row, layout):
            findings.truncated = True
            continue
        findings.reject(source, line, _reason(row), row["text"])
        for further_line, text in swallowed:
            findings.reject(source, further_line, "stands behind a quote that is not closed", text)


def explain_numbers(source: Source, layout: Layout, clock: Clock | None, findings: Findings) -> None:
    """Put the rows of a file whose numbers make no sense into the findings, by a slower look at all of them."""
    bounds = {"elapsed": (0, MOST)} | ({"timeStamp": (FIRST_MS, math.inf)} if clock and clock.is_count else {})
    known = {row.line for row in findings.rejected if row.source == source.name}
    with source.path.open(encoding="latin-1" if layout.is_latin else "utf-8", errors="replace", newline="") as file:
        for line, cells in _rows(file, layout.delimiter):
            row = dict(zip(layout.columns, cells, strict=False))
            if line in known or row.get("responseMessage", "").startswith(TRANSACTION):
                continue
            if bad := next((column for column in bounds if not _fits(row.get(column), *bounds[column])), None):
                reason = f"{bad} {row[bad][:60]!r} is no {_MEANT['elapsed']}"
                findings.reject(source, line, reason, layout.delimiter.join(cells))


def _rows(file: IO[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a file with the lines that they begin in; what no row can be made of is passed over."""
    reader = csv.reader(file, delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except csv.Error:
            continue
        except StopIteration:
            return


def _fits(number: str | None, least: float, most: float) -> bool:
    """Say whether a number is not too small or too large; what is none has been rejected already."""
    try:
        return number is None or least <= float(number) <= most
    except ValueError:
        return True


def doubled(connection: Connection, samples: str) -> tuple[int, str | None]:
    """Find the parts of requests that JMeter 5 writes as rows of their own: redirects and embedded resources.

    They are called like their request with a number from 0 behind it, and lie within its time in the same thread.

    Returns
    -------
    How many there are, and a condition that is true for all other rows, if there are any.
    """
    named_alike = connection.sql(_NAMED_ALIKE.format(samples=samples)).to_arrow_table()
    if not len(named_alike):
        return 0, None
    connection.register("named_alike", named_alike)
    connection.execute(_DOUBLED.format(samples=samples))
    (found,) = connection.sql("SELECT count(*) FROM doubled").fetchall()[0]
    return found, _NOT_DOUBLED if found else None


_NOT_DOUBLED = "file_row_number NOT IN (FROM doubled)"
_NAMED_ALIKE = r"""
WITH names AS (SELECT DISTINCT name FROM {samples})
SELECT part.name AS part, whole.name AS whole
FROM names AS part JOIN names AS whole ON whole.name = regexp_replace(part.name, '-\d+$', '')
WHERE part.name <> whole.name AND whole.name || '-0' IN (FROM names)
"""
_DOUBLED = """
CREATE TEMP TABLE doubled AS
WITH rows AS (
    SELECT file_row_number, name, coalesce(worker, '') AS worker, "user", started_at,
        started_at + to_microseconds((duration_ms * 1000)::BIGINT) AS ended_at
    FROM {samples} WHERE duration_ms IS NOT NULL
),
parts AS (SELECT rows.*, named_alike.whole FROM rows JOIN named_alike ON rows.name = named_alike.part),
wholes AS (SELECT * FROM rows WHERE name IN (SELECT whole FROM named_alike))
SELECT parts.file_row_number FROM parts ASOF JOIN wholes
ON parts.whole = wholes.name AND parts."user" = wholes."user" AND parts.worker = wholes.worker
    AND parts.started_at >= wholes.started_at
WHERE parts.ended_at <= wholes.ended_at
"""


def _lines(source: Source, places: Sequence[int]) -> Iterator[int]:
    """Yield the numbers of the lines that begin at these places of a file, which are sorted."""
    line = 1
    with source.path.open("rb") as file:
        for place in places:
            while (left := place - file.tell()) > 0 and (chunk := file.read(min(left, _CHUNK))):
                line += chunk.count(b"\n")
            yield line


def _found_again(source: Source, row: Mapping[str, Any], layout: Layout) -> Mapping[str, Any]:
    """Give the right row where DuckDB tells of one before it, as it does in large files."""
    record, _ = _record(source, row["place"], layout.delimiter)
    if row["found_at"] <= row["place"] + len(record):
        return row
    with source.path.open("rb") as file:
        skipped = file.seek(max(row["place"], row["found_at"] - _COMMON_RECORD))
        before, begin, _ = file.read(_COMMON_RECORD * 2)[: row["found_at"] - skipped].rpartition(b"\n")
        place = skipped + len(before) + len(begin)
        file.seek(place)
        text = file.readline(_COMMON_RECORD).decode(errors="replace").strip()
    return {**row, "place": place, "text": text}


def _record(source: Source, place: int, delimiter: str) -> tuple[bytes, bool]:
    """Give the row that begins there, and whether the file ends within it.

    A quote that is not closed makes one text of all that follows, up to the next quote.
    """
    other = rf"[^{re.escape(delimiter)}\n]*+"
    field = rf'(?:"[^"]*+(?:""[^"]*+)*+(?:"{other}|\Z)|{other})'
    record = re.compile(rf"{field}(?:{re.escape(delimiter)}{field})*+".encode())
    with source.path.open("rb") as file:
        for size in (_COMMON_RECORD, _LONGEST_RECORD):
            file.seek(place)
            content = file.read(size)
            found = record.match(content)
            end = found.end() if found else 0
            if end < len(content) or len(content) < size:
                break
    return content[:end], end == len(content) < size


def _may_be_cut(row: Mapping[str, Any], layout: Layout) -> bool:
    """Whether that the file ends can be all that is wrong with its last row."""
    return row["kind"] in ("MISSING COLUMNS", "UNQUOTED VALUE") or row["column"] == layout.columns[-1]


def _reason(row: Mapping[str, Any]) -> str:
    if row["kind"] == "MISSING COLUMNS" and (found := _FOUND.search(row["message"])):
        return f"has {found[2]} columns instead of {found[1]}"
    if row["kind"] != "CAST":
        return _REASONS.get(row["kind"], "cannot be read")
    value = _VALUE.search(row["message"])
    if value is None:
        return f"has no {row['column']}"
    return f"{row['column']} {value[1][:60]!r} is no {_MEANT.get(row['column'], 'number')}"
