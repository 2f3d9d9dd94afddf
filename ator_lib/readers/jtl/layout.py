"""How the rows of one JTL are laid out: delimiter, columns, clock; told by its first rows."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from ator_lib.errors import ResultsError
from ator_lib.readers.base import Source

_BEGIN = ["timeStamp", "elapsed", "label", "responseCode", "responseMessage", "threadName", "dataType", "success"]
_THREADS = ["grpThreads", "allThreads"]
_REST = ["Latency", "Encoding", "SampleCount", "ErrorCount", "Hostname", "IdleTime", "Connect"]
_KNOWN = [*_BEGIN, "failureMessage", "bytes", "sentBytes", *_THREADS, "URL", "Filename", *_REST, "method"]
"""The columns of JMeter, in its order, and the ``method`` of others that write its format."""

_WITHOUT_HEADER = {
    len(columns): columns
    for columns in (
        [*_BEGIN, "bytes", "Latency"],  # JMeter up to 2.12
        [*_BEGIN, "bytes", *_THREADS, "Latency"],  # 2.13
        [*_BEGIN, "failureMessage", "bytes", *_THREADS, "Latency", "IdleTime"],  # 3.0
        [*_BEGIN, "failureMessage", "bytes", "sentBytes", *_THREADS, "Latency", "IdleTime"],  # 3.1
        [*_BEGIN, "failureMessage", "bytes", "sentBytes", *_THREADS, "Latency", "IdleTime", "Connect"],  # 3.2 to 4.0
        [*_BEGIN, "failureMessage", "bytes", "sentBytes", *_THREADS, "URL", "Latency", "IdleTime", "Connect"],  # 5.0
    )
}
"""Number of columns → what JMeter writes by default; since 3.0 with a header, unless it is told otherwise."""

_SURE = {"timestamp", "label", "responsecode", "responsemessage", "threadname", "success", "latency"}
_FIRST_WORD = re.compile(r'"?\w+"?(\W)')
_DELIMITERS = ",;\t|"
_MOST_ROWS = 200
_CHUNK = 2**18  # small enough for the processor's cache
_UNKNOWN = "\ufffd"


@dataclass(frozen=True, kw_only=True)
class Clock:
    """How times are written: the type that DuckDB reads them as, and by which format, if not its own.

    ``is_naive``: without a zone. ``is_count``: whole milliseconds since 1970.
    """

    type: str
    format: str | None = None
    is_naive: bool = False
    is_count: bool = False


FIRST_MS = 315_532_800_000
"""Of the year 1980: what was before is no time of a run in milliseconds, but -1, nothing, or seconds."""

_COUNT = Clock(type="DECIMAL(13,0)", is_count=True)  # a number of more digits is after the year 2286: no time
_ISO = re.compile(r"\d{4}[-/]\d\d?[-/]\d\d?[T ]\d\d?:\d\d(:\d\d(\.\d+)?)?( ?(?P<zone>Z|[+-]\d\d(:?\d\d)?))?")
_FORMATS = [
    f"{day} %H:%M:%S{fraction}"
    for day in ("%m/%d/%y", "%m/%d/%Y", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%d/%m/%y", "%d-%m-%Y")
    for fraction in ("", ".%f")
]
"""``MM/dd/yy`` is what JMeter itself tries last; the others are what people choose as ``timestamp_format``."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What must be known of a file before its rows are read.

    Parameters
    ----------
    columns
        Canonical names of those that are known, ``_7`` for others.
    header
        The line as it stands there; ``None`` without one.
    skipped
        Lines before the first row.
    rows
        The first ones, each a column → text.
    is_latin
        The text is not UTF-8 but of one byte a character.
    """

    delimiter: str
    columns: tuple[str, ...]
    header: str | None
    skipped: int
    rows: tuple[Mapping[str, str], ...]
    is_latin: bool

    def has(self, *columns: str) -> bool:
        """Whether the file has all of these columns."""
        return all(column in self.columns for column in columns)

    @property
    def numbers_parts(self) -> bool:
        """Whether the first rows have parts of requests, which JMeter numbers from 0 behind the label of the whole."""
        labels = {row.get("label", "") for row in self.rows}
        return any(f"{label}-0" in labels for label in labels)

    def is_whole(self, column: str) -> bool:
        """Whether the first rows have whole numbers there."""
        return not any("." in row.get(column, "") for row in self.rows)


def layout_of(source: Source) -> Layout | None:
    """Look at the head of a file; ``None`` if it is no JTL."""
    line = source.first_line
    found = _by_header(line) or _by_row(line)
    if found is None:
        return None
    delimiter, columns, has_header = found
    blank_lines = source.head[: len(source.head) - len(source.head.lstrip())].count(b"\n")
    skipped = blank_lines + has_header
    text = _text(source)
    return Layout(
        delimiter=delimiter,
        columns=columns,
        header=line if has_header else None,
        skipped=skipped,
        rows=tuple(_first_rows(text, delimiter, columns, skipped)),
        is_latin={character for character in text if not character.isascii()} == {_UNKNOWN},
    )


def is_regular(source: Source) -> bool:
    """Look through a file for lines that end in another way than the others."""
    returns = feeds = pairs = 0
    with source.path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            if not returns and b"\r" not in chunk:
                feeds += b"\n" in chunk  # one is enough to tell
                continue
            if chunk.endswith(b"\r"):
                chunk += file.read(1)
            returns += chunk.count(b"\r")
            feeds += chunk.count(b"\n")
            pairs += chunk.count(b"\r\n")
    return not returns or returns == feeds == pairs


def clock_of(source: Source, layout: Layout) -> Clock | None:
    """Tell how a file writes its times; ``None`` if it has none.

    Raises
    ------
    ResultsError
        It has, in no form that is known.
    """
    times = [row["timeStamp"].strip() for row in layout.rows] if layout.has("timeStamp") else []
    if not times:
        return _COUNT if layout.has("timeStamp") else None
    clocks = [_clock(time) for time in times]
    known = [clock for clock in clocks if clock is not None]
    if known:
        return max(known, key=known.count)
    likely = max(_FORMATS, key=lambda form: sum(_parses(time, form) for time in times))
    if any(_parses(time, likely) for time in times):
        return Clock(type="TIMESTAMP", format=likely, is_naive=True)
    raise ResultsError(
        f"{source.name} has times in a form that is not known here, such as {times[0][:40]!r} in line "
        f"{layout.skipped + 1}: write milliseconds since 1970, or yyyy-MM-dd HH:mm:ss.SSS."
    )


def _clock(time: str) -> Clock | None:
    if time.isascii() and time.isdecimal():
        return _COUNT if int(time[:20]) >= FIRST_MS else None
    if (match := _ISO.fullmatch(time)) is None:
        return None
    return Clock(type="TIMESTAMP", is_naive=True) if match["zone"] is None else Clock(type="TIMESTAMPTZ")


def _parses(time: str, format: str) -> bool:
    try:
        datetime.strptime(time, format)  # noqa: DTZ007 – only whether
    except ValueError:
        return False
    return True


def _by_header(line: str) -> tuple[str, tuple[str, ...], bool] | None:
    first = _FIRST_WORD.match(line)
    if first is None:
        return None
    names = [name.strip() for name in _split(line, first[1])]
    lower = {name.lower() for name in names}
    if "elapsed" not in lower or len(lower & _SURE) < 2:
        return None
    canonical = {name.lower(): name for name in _KNOWN}
    columns: list[str] = []
    for position, name in enumerate(names):
        known = canonical.get(name.lower())
        columns.append(f"_{position}" if known is None or known in columns else known)
    return first[1], tuple(columns), True


def _by_row(line: str) -> tuple[str, tuple[str, ...], bool] | None:
    for delimiter in _DELIMITERS:
        cells = _split(line, delimiter)
        columns = _WITHOUT_HEADER.get(len(cells))
        if columns is None:
            continue
        row = dict(zip(columns, cells, strict=True))
        is_time = re.fullmatch(r"\d{12,13}", row["timeStamp"]) or _ISO.fullmatch(row["timeStamp"])
        if is_time and row["elapsed"].isdecimal() and row["success"] in ("true", "false"):
            return delimiter, tuple(columns), False
    return None


def _split(line: str, delimiter: str) -> list[str]:
    return next(_parsed([line], delimiter), [])


def _parsed(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except (csv.Error, TypeError, ValueError):  # a damaged row, or a delimiter that can be none
        return


def _text(source: Source) -> str:
    """Decode the head but for its last line, if it ends within it."""
    head = source.head
    if source.path.stat().st_size > len(head) + len(codecs.BOM_UTF8):
        head = head[: head.rfind(b"\n") + 1]
    return head.decode(errors="replace")


def _first_rows(text: str, delimiter: str, columns: tuple[str, ...], skipped: int) -> Iterator[Mapping[str, str]]:
    lines = io.StringIO(text, newline="").readlines()[skipped:]
    for row in islice(_parsed(lines, delimiter), _MOST_ROWS):
        if len(row) == len(columns):
            yield dict(zip(columns, row, strict=True))
