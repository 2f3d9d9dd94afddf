"""Tables with a row per request, in canonical columns or in columns that the user names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import tables
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source
from ator_lib.readers.samples import files
from ator_lib.readers.samples.mapping import RUN_ID, Column, columns_of
from ator_lib.readers.samples.rows import to_samples

_NAMED = re.compile(r"""(^|[,;\t|])\s*"?duration_ms"?\s*($|[,;\t|])""")
_HOPELESS = 1000
"""Rows of a batch, none of which can be read: that is no bad row, but another unit, or another format of times."""


class SamplesReader:
    """Reads tables a batch at a time. Bad rows are left out and said."""

    about: ClassVar[Format] = Format(
        name="samples",
        files="tables with a row per request: Parquet, Arrow (Feather), CSV with any delimiter; with the columns of "
        "samples, or others that are named: columns=, --map duration_ms=latency:s,started_at=ts:ms",
        gives="samples",
        precision=f"{schema.EXACT}, as the table has it",
        limits="each row needs a duration, and success or a status code",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it is Parquet, Arrow, or text whose first line has a column ``duration_ms``."""
        return source.head.startswith((files.PARQUET, files.ARROW)) or bool(_NAMED.search(source.first_line))

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the parts of a run; each may be of another kind and have other columns.

        Raises
        ------
        UsageError
            Columns are named that samples do not have.
        ResultsError
            A file cannot be read, or has not the columns. While the samples are consumed: there is no row.
        """
        findings = Findings()
        parts = [_open(source, options, findings) for source in sources]
        heads = [_head(part.table) for part in parts]
        return Reading(
            samples=tables.stream(_samples(parts, options, findings)),
            tool=next((head["tool"] for head in heads if "tool" in head), None),
            tool_version=next((head["tool_version"] for head in heads if "tool_version" in head), None),
            precision=schema.EXACT,
            findings=findings,
        )


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A file of the run, and the columns of it that are read."""

    table: files.TableFile
    columns: Sequence[Column]


def _open(source: Source, options: ReadOptions, findings: Findings) -> _Part:
    with files.translated(source):
        table = files.open_table(source)
        return _Part(table=table, columns=columns_of(table, options.columns, findings))


def _head(table: files.TableFile) -> dict[str, str]:
    head = {
        key.decode(errors="replace"): value.decode(errors="replace")
        for key, value in (table.columns.metadata or {}).items()
    }
    version = head.get("ator_schema", "0")
    if not re.fullmatch("[0-9]{1,9}", version) or int(version) > schema.VERSION:
        raise ResultsError(f"{table.source.name} was written by a newer ATOR. Update ATOR to read it.")
    return head


def _samples(parts: Sequence[_Part], options: ReadOptions, findings: Findings) -> Iterator[pa.RecordBatch]:
    rows = 0
    runs: set[object] = set()
    for part in parts:
        for batch in _good_rows(part, options, findings, runs):
            rows += batch.num_rows
            yield batch
    if not rows and not findings.rejected:
        listed = ", ".join(part.table.source.name for part in parts[:5])
        raise ResultsError(f"{listed} holds no samples: there is not one row in it.")


def _good_rows(part: _Part, options: ReadOptions, findings: Findings, runs: set[object]) -> Iterator[pa.RecordBatch]:
    is_numbered = RUN_ID in part.table.columns.names and not options.columns  # else it is anybody's
    names = {column.source for column in part.columns} | ({RUN_ID} if is_numbered else set())
    rejected: dict[int, str] = {}
    last = 0
    with files.translated(part.table.source):
        for numbers, batch in part.table.read(sorted(names), rejected.__setitem__):
            if is_numbered:
                _check_one_run(part.table.source, batch.column(RUN_ID), runs)
            rows = to_samples(batch, part.columns, options.zone)
            if rows.any_naive:
                findings.note(f"started_at has no time zone: its times were read as {options.zone or 'UTC'}")
            if len(rows.bad) == batch.num_rows >= _HOPELESS:
                raise ResultsError(f"{part.table.source.name} has rows none of which can be read: {rows.bad[0]}.")
            rejected.update((int(numbers[index]), reason) for index, reason in rows.bad.items())
            yield rows.good
            last = int(numbers[-1]) if len(numbers) else last
        _report(part.table, rejected, last, findings)


def _check_one_run(source: Source, column: pa.Array, runs: set[object]) -> None:
    runs.update(pc.unique(column).to_pylist())
    if len(runs) > 1:
        raise ResultsError(f"{source.name} holds the requests of several runs: export each of them by itself.")


def _report(table: files.TableFile, rejected: dict[int, str], last: int, findings: Findings) -> None:
    """Say on which lines the rows stand that were left out; a last one that was cut short is none of them."""
    if not rejected:
        return
    if table.is_text and (end := max(rejected)) >= last and files.ends_within_a_line(table.source):
        del rejected[end]
        findings.truncated = True
    places = files.lines_of(table.source, rejected) if table.is_text else {row: (row, None) for row in rejected}
    for row in sorted(rejected):
        line, text = places.get(row, (None, None))
        findings.reject(table.source, line, rejected[row], text)
