"""JMeter's CSV files: in every column set, delimiter and date format, with a header or without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import duck
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source
from ator_lib.readers.jtl import leftovers, lines, rows
from ator_lib.readers.jtl.layout import Clock, Layout, clock_of, layout_of

_START = "timeStamp was taken for the start of a request, as JMeter is set up by default (sampleresult.timestamp.start)"
_ONLY_SUCCESS = "neither success nor responseCode is there: all requests were taken for successful"
_MEANS = "means of several requests"


class JtlReader:
    """Reads the files of all load generators of a run by DuckDB, in one pass."""

    about: ClassVar[Format] = Format(
        name="jtl",
        tool="jmeter",
        files="JMeter's CSV: jmeter -l results.jtl; also of Taurus and others that write its columns",
        gives="samples, users",
        precision=schema.EXACT,
        limits=(
            "1 ms; transaction controllers, redirects and embedded resources are left out beside their requests; "
            "timeStamp is taken for the start"
        ),
    )

    def recognises(self, source: Source) -> bool:
        """Say whether the first line is a header with ``elapsed``, or a row as old versions write it by default."""
        return layout_of(source) is not None

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the files of a run; each may have columns of its own.

        Raises
        ------
        ResultsError
            It is no JTL, holds no row, a line of it is too long, or its times are in no known form. While the samples
            are consumed: there are only transaction controllers.
        """
        files = [_file(source) for source in sources]
        findings = Findings(notes=_notes(files, options))
        connection = duck.connect()
        connection.execute(f"CREATE SEQUENCE {rows.TRANSACTIONS}")
        several = len(files) > 1  # then their names tell the load generators apart
        selects = (
            rows.select(file.source, file.layout, file.clock, options.zone, file.source.name if several else None)
            for file in files
        )
        settling = _Settling(connection=connection, files=files, findings=findings)
        return Reading(
            tool="jmeter",
            precision=_precision(files),
            samples=duck.Query(
                connection=connection, sql=" UNION ALL ".join(selects), has_users=True, settle=settling.settle
            ),
            findings=findings,
        )


@dataclass(frozen=True, kw_only=True)
class _File:
    source: Source
    layout: Layout
    clock: Clock | None


def _file(source: Source) -> _File:
    layout = layout_of(source)
    if layout is None:
        raise ResultsError(
            f"{source.name} is no JTL: its first line {source.first_line[:80]!r} is neither a header with elapsed and "
            "other columns of JMeter, nor a row as JMeter writes it by default."
        )
    lines.check(source, layout)
    return _File(source=source, layout=layout, clock=clock_of(source, layout))


def _notes(files: Sequence[_File], options: ReadOptions) -> list[str]:
    notes = []
    clocks = [file.clock for file in files if file.clock]
    if clocks:
        notes.append(_START)
    if any(clock.is_naive for clock in clocks):
        notes.append(f"timeStamp has no time zone: its times were read as {options.zone or 'UTC'}")
    notes += [f"timeStamp was read as {clock.format}" for clock in clocks if clock.format]
    if any(not file.layout.has("success") and not file.layout.has("responseCode") for file in files):
        notes.append(_ONLY_SUCCESS)
    if any(file.layout.is_latin for file in files):
        notes.append("the text is not UTF-8: it was read as Latin-1")
    return notes


def _precision(files: Sequence[_File]) -> str:
    counts = {row["SampleCount"] for file in files if file.layout.has("SampleCount") for row in file.layout.rows}
    return schema.EXACT if counts <= {"", "0", "1"} else _MEANS


@dataclass(frozen=True, kw_only=True)
class _Settling:
    """What can be said of the rows only when all of them have been read."""

    connection: duck.Connection
    files: Sequence[_File]
    findings: Findings

    def settle(self, samples: str) -> str | None:
        """Fill the findings; return a condition for the rows that are requests of their own."""
        for file in self.files:
            leftovers.explain(self.connection, file.source, file.layout, self.findings)
        written, kept = self._numbers(f"SELECT count(*), count(duration_ms) FROM {samples}")  # noqa: S608
        for file in self.files if kept < written else ():
            leftovers.explain_numbers(file.source, file.layout, file.clock, self.findings)
        (transactions,) = self._numbers("SELECT coalesce(last_value, 0) FROM duckdb_sequences()")
        self._check_any(kept, transactions)
        doubled, condition = leftovers.doubled(self.connection, samples)
        self.findings.rows_read = kept + len(self.findings.rejected) + transactions
        if transactions:
            self.findings.note(f"rows of transaction controllers left out, as they add up requests: {transactions}")
        if doubled:
            self.findings.note(f"rows of redirects and embedded resources left out, as parts of requests: {doubled}")
        return condition

    def _check_any(self, kept: int, transactions: int) -> None:
        name = self.files[0].source.name
        if transactions and not kept:
            raise ResultsError(
                f"{name} holds {transactions} transactions, which are sums, and no request: "
                "let JMeter save the samplers in them, too."
            )
        if not kept and not self.findings.rejected:
            raise ResultsError(f"{name} holds no request: there is no whole row in it.")

    def _numbers(self, sql: str) -> tuple[int, ...]:
        return self.connection.sql(sql).fetchall()[0]
