"""What a reader is given and what it gives: the files that one run of a tool left, as canonical tables."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError

if TYPE_CHECKING:  # DuckDB is not for those who write captures: Locust's own processes
    from ator_lib.readers.duck import Query

HEAD_BYTES = 64 * 2**10
"""How much of a file is looked at to recognise it."""

MOST_REJECTED = 300_000
"""Rows of a run that cannot be read, more than which are not listed."""

_LONGEST_TEXT = 200
_UTF8_BOM = b"\xef\xbb\xbf"


def named(path: Path) -> str:
    """Show a path in a message; names of files need not be Unicode."""
    return os.fsencode(path).decode(errors="replace")


@dataclass(frozen=True, kw_only=True)
class Source:
    """A plain file to read: regular, not compressed, out of its archive.

    Parameters
    ----------
    path
        Where it lies now; that may be a temporary folder.
    name
        What people know it as, for messages and reports: ``results.zip: worker-1.jtl``.
    truncated
        It came out of a compressed file that was cut short: the end is missing.
    """

    path: Path
    name: str
    truncated: bool = False

    @cached_property
    def head(self) -> bytes:
        """The first ``HEAD_BYTES``, without a byte order mark."""
        with self.path.open("rb") as file:
            return file.read(HEAD_BYTES).removeprefix(_UTF8_BOM)

    @cached_property
    def first_line(self) -> str:
        """The first line that is not blank, without surrounding white space."""
        return re.split(rb"[\r\n]", self.head.lstrip(), maxsplit=1)[0].decode(errors="replace").strip()


def plain_files(folder: Path) -> list[Source]:
    """Give the files of a folder as they are: for what ATOR wrote itself."""
    return [Source(path=file, name=named(Path(file.name))) for file in sorted(folder.iterdir())]


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What the user said about files that do not say it themselves.

    Parameters
    ----------
    zone
        Zone of times without one; ``None`` reads them as UTC, and a note says so.
    started_at
        When the run started, in UTC, for sources that know only offsets from there.
    columns
        For tables of samples: canonical column → column of the file, ``{"duration_ms": "latency:s"}``.
    """

    zone: tzinfo | None = None
    started_at: datetime | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


NO_OPTIONS = ReadOptions()


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectedRow:
    """A row (line, record, element) of a source that could not be taken in.

    Parameters
    ----------
    line
        Its number in the file from 1, a header being line 1; ``None`` where the format has no lines.
    text
        The beginning of it.
    """

    source: str
    line: int | None
    reason: str
    text: str | None


@dataclass(kw_only=True)
class Findings:
    """What comes to light while the rows are read; complete once the samples have been consumed.

    ``rows_read`` is what the source calls its rows, where that is not what was kept and what was rejected: a k6
    request is many points.
    """

    rows_read: int | None = None
    rejected: list[RejectedRow] = field(default_factory=list)
    truncated: bool = False
    notes: list[str] = field(default_factory=list)

    def reject(self, source: Source, line: int | None, reason: str, text: str | None = None) -> None:
        """Note a row that is left out.

        Raises
        ------
        ResultsError
            There are more than ``MOST_REJECTED`` of them.
        """
        if len(self.rejected) >= MOST_REJECTED:
            raise ResultsError(f"{source.name}: more than {MOST_REJECTED:,} rows cannot be read: is it damaged?")
        shown = None if text is None else text[:_LONGEST_TEXT]
        self.rejected.append(RejectedRow(source=source.name, line=line, reason=reason[:_LONGEST_TEXT], text=shown))

    def note(self, sentence: str) -> None:
        """Say once what was taken for granted or left out, such as the zone of times without one."""
        if sentence not in self.notes:
            self.notes.append(sentence)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a tool left behind, in canonical form: the finest table that the source holds, and what only it knows.

    Nothing is invented: a table that the source does not hold is ``None``, and coarser ones are computed from
    the samples by whoever keeps them. The tool's own summaries and timeline are given only where there are no
    samples.

    Parameters
    ----------
    samples
        Rows of ``schema.SAMPLES``, in the order of the file; can be consumed once. A bulk reader gives a
        query of DuckDB with these columns, in which a row that cannot be read has a null ``duration_ms``: whoever
        keeps the samples drops such rows and then calls ``explain`` with how many they were.
    explain
        Finds the lines and reasons of the rows with null ``duration_ms`` and puts them into ``findings``.
    summaries, timeline, distributions, errors, cases
        Rows of these tables; summaries hold a row of scope ``total``.
    metrics
        Rows of ``schema.METRICS``.
    tool, tool_version
        Who made the data; ``None`` when it does not say.
    precision
        How exact durations are: ``schema.EXACT``, ``2 significant digits`` …
    started_at, ended_at
        The load window in UTC, for sources without samples that say when it was.
    duration_s
        Length of the load window in seconds, if the tool says it beside samples.
    clock_s
        To how many seconds starts of samples are known, where that is coarse. Of a load window shorter than ten of
        them nobody knows how long it was, unless ``duration_s`` says so.
    """

    tool: str | None
    tool_version: str | None = None
    precision: str
    samples: pa.RecordBatchReader | Query | None = None
    explain: Callable[[int], None] | None = None
    summaries: pa.Table | None = None
    timeline: pa.Table | None = None
    distributions: pa.Table | None = None
    errors: pa.Table | None = None
    cases: pa.Table | None = None
    metrics: pa.Table = field(default_factory=schema.METRICS.empty_table)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_s: float | None = None
    clock_s: float = 0.0
    findings: Findings = field(default_factory=Findings)


@dataclass(frozen=True, kw_only=True)
class Format:
    """What people are told of a format.

    Parameters
    ----------
    name
        What ``format=`` takes.
    tool
        Who writes it; ``None`` for a format of many tools. Of several formats of one tool in a folder, the first in
        ``readers.formats`` is read.
    files
        The files that it reads, with the options of the tool that write them.
    gives
        The canonical tables that come of them.
    precision
        How exact the durations are.
    limits
        What the source does not hold, or what is not read.
    """

    name: str
    tool: str | None = None
    files: str
    gives: str
    precision: str
    limits: str = ""


class Reader(Protocol):
    """Turns one tool's files into canonical tables. A reader has no state: it may be made any number of times."""

    about: ClassVar[Format]

    def recognises(self, source: Source) -> bool:
        """Say by its head, and quickly, whether a file is of this format; whole or damaged does not matter.

        The name of a file is no evidence.
        """
        ...

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the files of one run, all of which are of this format.

        Raises
        ------
        ResultsError
            There is nothing to take in, it is another format, or a newer version of it. Also while the samples are
            consumed. The message names the file, the place and the reason.
        """
        ...


def moment_of(stamp: str | None, column: str, options: ReadOptions, findings: Findings) -> datetime | None:
    """Read a time as ISO 8601 writes it, in UTC; ``None`` if it is none.

    One without a zone is in that of the options, and a note says so of its column.
    """
    try:
        moment = datetime.fromisoformat(stamp or "")
        if moment.tzinfo is None:
            zone = options.zone or UTC
            findings.note(f"{column} has no time zone: its times were read as {zone}")
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def end_of(started_at: datetime, seconds: float) -> datetime | None:
    """Give the end of what lasted so long; ``None`` where the calendar ends before."""
    try:
        return started_at + timedelta(seconds=seconds)
    except OverflowError:
        return None


def only(sources: Sequence[Source], what: str) -> Source:
    """Give the one file of a format that knows no parts.

    Raises
    ------
    ResultsError
        There are several.
    """
    if len(sources) > 1:
        listed = ", ".join(source.name for source in sources[:5])
        raise ResultsError(f"{listed}: {what} has one file a run, and here are {len(sources)}: ingest each by itself.")
    return sources[0]
