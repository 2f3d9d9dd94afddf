"""Gatling's ``simulation.log`` as text: lines of tab-separated cells, of Gatling 2.0 to 3.12.

A line's kind stands in its first cell (in 2.0 and 2.1 the third): RUN, USER, REQUEST, GROUP, ERROR, ASSERTION. Which
cells a REQUEST has depends on the version, and they show it themselves. Times are epoch milliseconds. Several logs
are those of the injectors of one run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import long_lines
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source
from ator_lib.readers.duck import Connection, DuckError, Query, connect, first_line, text
from ator_lib.readers.gatling.shared import BETWEEN_GROUPS, UNNAMED, note_errors, note_unmatched, users

_LAYOUTS = (  # the cells of a REQUEST; there may be more at the end
    ("REQUEST", "group", "name", "start", "end", "status", "message"),  # 3.4 to 3.12
    ("REQUEST", "user", "group", "name", "start", "end", "status", "message"),  # 3.0 to 3.3
    ("REQUEST", "scenario", "user", "group", "name", "start", "end", "status", "message"),  # 2.2 and 2.3
    (
        "scenario",
        "user",
        "REQUEST",
        "group",
        "name",
        "start",
        "sent",
        "answered",
        "end",
        "status",
        "message",
    ),  # 2.0, 2.1
)
_FIRST_LINES = re.compile(
    r"RUN\t|ASSERTION\t[\w+/=]+$|(USER|REQUEST|GROUP|ERROR)\t.*\t\d{13}|[^\t]*\t[^\t]*\tRUN\t\d+\t"
)
_RUN = re.compile(rb"^(?:RUN\t|[^\t\n]*\t[^\t\n]*\tRUN\t)[^\r\n]*\t([^\t\r\n]+)\r?\n", re.MULTILINE)
_NO_CELLS = "\x1f\x1e\x1d\x1c"  # separates nothing in any log: DuckDB gives whole lines, of any number of cells
_LAST_MS = 253_402_300_799_999  # of the year 9999, the last that tables can hold
_REQUESTS_TRIED = 100
_LONGEST_LINE = 2 * 10**6  # beyond which DuckDB reads none


class GatlingReader:
    """Reads text logs in bulk, with DuckDB."""

    about: ClassVar[Format] = Format(
        name="gatling",
        tool="gatling",
        files="simulation.log of Gatling 2.0 to 3.12, one for each injector",
        gives="samples, metrics (users)",
        precision="exact, in whole milliseconds",
        limits="no status codes, bytes or connect times; no times of groups, only which group a request is in",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether the first line is of a kind that a log begins with."""
        return _FIRST_LINES.match(source.first_line) is not None

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the logs of a run's injectors.

        Raises
        ------
        ResultsError
            There is no request in them, or a file cannot be read.
        """
        connection = connect()
        findings = Findings(truncated=any(source.truncated or not _ends_well(source) for source in sources))
        scans = [_scanned(connection, source, findings) for source in sources]
        logs = [log for log in scans if log.layout]
        if not logs:
            raise ResultsError(f"{sources[0].name} holds no request as Gatling 2.0 to 3.12 writes them: is it whole?")
        samples = (_samples_sql(log, log.source.name if len(sources) > 1 else None) for log in logs)
        return Reading(
            tool="gatling",
            tool_version=next(filter(None, map(_version, sources)), None),
            precision=schema.EXACT,
            samples=Query(connection=connection, sql=" UNION ALL ".join(samples)),
            explain=_explainer(connection, logs, findings),
            metrics=pa.concat_tables([log.users for log in scans]),
            findings=findings,
        )


def _ends_well(source: Source) -> bool:
    """Say whether the last line has an end: Gatling ends each, but writes them in blocks that end anywhere."""
    with source.path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 1))
        return file.read() in (b"\n", b"")


def _version(source: Source) -> str | None:
    """Give the version at the end of the RUN line, where Gatling 2 has its format's, which is always 2.0."""
    found = _RUN.search(source.head)
    version = found[1].decode(errors="replace").strip() if found else None
    return "2" if version == "2.0" else version


# --- the first pass: users, and what a REQUEST looks like ---


@dataclass(frozen=True, kw_only=True)
class _Log:
    """A log after the first pass: ``lines`` is SQL for its lines, ``layout`` empty where it has no request."""

    source: Source
    encoding: str
    lines: str
    layout: tuple[str, ...]
    users: pa.Table

    def is_a(self, kind: str) -> str:
        """Give SQL for whether a line is of this kind."""
        return _is_a(kind, self.layout)

    def cell(self, name: str) -> str:
        """Give SQL for a cell of a REQUEST; null where this version has none."""
        return f"cells[{self.layout.index(name) + 1}]" if name in self.layout else "NULL::VARCHAR"


def _check_lines(source: Source) -> None:
    for begin, end in long_lines.found(source.path, _LONGEST_LINE):
        raise ResultsError(
            f"{source.name} cannot be read as a log of Gatling: a line in it is too long, {end - begin} bytes in line "
            f"{long_lines.number(source.path, begin)}."
        )


def _scanned(connection: Connection, source: Source, findings: Findings) -> _Log:
    _check_lines(source)
    try:
        try:
            return _scan(connection, source, "utf-8", findings)
        except DuckError as error:
            if "not utf-8" not in str(error):
                raise
            findings.note(f"{source.name} is not UTF-8: its text was read as Latin-1")
            return _scan(connection, source, "latin-1", findings)
    except DuckError as error:
        reason = "a line in it is too long" if "Maximum line size" in str(error) else first_line(error)
        raise ResultsError(f"{source.name} cannot be read as a log of Gatling: {reason}.") from error


def _scan(connection: Connection, source: Source, encoding: str, findings: Findings) -> _Log:
    lines = _lines_sql(source, encoding)
    layout = _layout(connection, lines)
    events = connection.execute(_events_sql(lines, layout)).fetchall()
    note_errors(findings, source, sum(number for is_error, _, number in events if is_error))
    changes = {second: number for is_error, second, number in events if not is_error and second is not None}
    return _Log(source=source, encoding=encoding, lines=lines, layout=layout, users=users(changes, source))


def _lines_sql(source: Source, encoding: str) -> str:
    table = "columns={'line': 'VARCHAR'}, header=false, auto_detect=false, compression='none', hive_partitioning=false"
    cells = f"strict_mode=false, delim={text(_NO_CELLS)}, quote='', escape='', comment='', encoding={text(encoding)}"
    return f"read_csv({text(str(source.path))}, {table}, {cells})"


def _layout(connection: Connection, lines: str) -> tuple[str, ...]:
    """Find the layout by the first REQUEST that has one."""
    some = f"SELECT line FROM {lines} WHERE contains(line, 'REQUEST\t') LIMIT {_REQUESTS_TRIED}"  # noqa: S608 – ours
    requests = [line.split("\t") for (line,) in connection.execute(some).fetchall()]
    return next((layout for cells in requests for layout in _LAYOUTS if _fits(cells, layout)), ())


def _fits(cells: list[str], layout: tuple[str, ...]) -> bool:
    if len(cells) <= layout.index("status"):
        return False
    request = dict(zip(layout, cells, strict=False))
    times = request["start"] + request["end"]
    return request["REQUEST"] == "REQUEST" and request["status"] in ("OK", "KO") and times.isdecimal()


def _is_a(kind: str, layout: tuple[str, ...]) -> str:
    is_first = not layout or layout[0] == "REQUEST"
    return f"starts_with(line, '{kind}\t')" if is_first else f"contains(line, '\t{kind}\t')"


def _events_sql(lines: str, layout: tuple[str, ...]) -> str:
    """Give SQL for the changes of the number of users, by second, and for the number of errors.

    The time of an event is the later one of the last two cells: before it may stand the start of the user, and in
    2.0 a 0 behind it. As in Gatling's charts, a user who ends counts until its second is over.
    """
    return f"""
    WITH events AS (
        SELECT {_is_a("ERROR", layout)} AS is_error, contains(line, '\tSTART\t') AS starts,
            line, string_split(line, '\t') AS cells
        FROM {lines} WHERE {_is_a("USER", layout)} OR is_error
    ),
    timed AS (
        SELECT is_error, starts, greatest(try_cast(cells[-1] AS BIGINT), try_cast(cells[-2] AS BIGINT)) AS at_ms
        FROM events WHERE is_error OR starts OR contains(line, '\tEND\t')
    )
    SELECT is_error, if(at_ms BETWEEN 0 AND {_LAST_MS}, at_ms // 1000 + if(starts, 0, 1), NULL) AS second,
        sum(if(is_error OR starts, 1, -1))::BIGINT AS number
    FROM timed GROUP BY ALL
    """  # noqa: S608 – SQL of our own


# --- the second pass: samples ---


def _requests_sql(log: _Log) -> str:
    """Give SQL for the cells of requests with their times; ``duration_ms`` is null where one cannot be read."""
    return f"""
    WITH requests AS (SELECT line, string_split(line, '\t') AS cells FROM {log.lines} WHERE {log.is_a("REQUEST")}),
    typed AS (
        SELECT line, cells, {log.cell("status")} = 'OK' AS success, {log.cell("status")} = 'KO' AS failure,
            try_cast({log.cell("start")} AS BIGINT) AS start_ms, try_cast({log.cell("end")} AS BIGINT) AS end_ms
        FROM requests
    )
    SELECT *, CASE WHEN (success OR failure) AND start_ms BETWEEN 0 AND end_ms AND end_ms <= {_LAST_MS}
        AND NOT contains(line, chr(0)) THEN (end_ms - start_ms)::DOUBLE END AS duration_ms
    FROM typed
    """  # noqa: S608 – SQL of our own


def _samples_sql(log: _Log, worker: str | None) -> str:
    columns = {
        "started_at": f"CASE WHEN start_ms BETWEEN 0 AND {_LAST_MS} THEN make_timestamptz(start_ms * 1000) END",
        "duration_ms": "duration_ms",
        "name": f"coalesce(nullif({log.cell('name')}, ''), '{UNNAMED}')",
        "success": "coalesce(success, false)",
        "error": f"CASE WHEN failure THEN nullif(trim({log.cell('message')}), '') END",
        "user": log.cell("user"),
        "worker": "NULL" if worker is None else text(worker),
        "group": f"nullif(replace({log.cell('group')}, ',', '{BETWEEN_GROUPS}'), '')",
        "scenario": log.cell("scenario"),
        "weight": "1",
    }
    types = {"string": "VARCHAR", "double": "DOUBLE", "int64": "BIGINT", "int16": "SMALLINT", "bool": "BOOLEAN"}
    selected = ", ".join(
        f'({columns.get(field.name, "NULL")})::{types.get(str(field.type), "TIMESTAMPTZ")} AS "{field.name}"'
        for field in schema.SAMPLES
    )
    return f"(SELECT {selected} FROM ({_requests_sql(log)}))"  # noqa: S608 – SQL of our own


# --- what could not be read ---


def _explainer(connection: Connection, logs: Sequence[_Log], findings: Findings) -> Callable[[int], None]:
    def explain(_: int) -> None:
        for log in logs:
            bad = connection.execute(f"SELECT line FROM ({_requests_sql(log)}) WHERE duration_ms IS NULL").fetchall()  # noqa: S608 – ours
            if bad:
                _reject(log, set(chain.from_iterable(bad)), findings)

    return explain


def _reject(log: _Log, bad: set[str], findings: Findings) -> None:
    unmatched = 0
    for number, line in _numbered(log):
        if line.rstrip("\n") not in bad:
            continue
        cells = dict(zip(log.layout, line.rstrip("\n").split("\t"), strict=False))
        if cells.get("end") == "0" and cells.get("status") == "OK":
            unmatched += 1
        elif line.endswith("\n"):  # or it is the truncated tail
            findings.reject(log.source, number, _fault(cells), line.rstrip("\n").replace("\0", "\ufffd"))
    note_unmatched(findings, log.source, unmatched)


def _numbered(log: _Log) -> Iterator[tuple[int, str]]:
    with log.source.path.open(encoding=log.encoding, errors="replace") as file:
        yield from enumerate(file, 1)


def _fault(cells: dict[str, str]) -> str:
    if cells.get("status") not in ("OK", "KO"):
        return f"its status is {cells.get('status')!r}, not OK or KO"
    times = cells["start"], cells["end"]
    if not all(time.isdecimal() and int(time[:20]) <= _LAST_MS for time in times):
        return f"its times are {times[0]!r} and {times[1]!r}, not milliseconds since 1970"
    return "it ends before it starts" if int(times[0]) > int(times[1]) else "it holds a NUL character"
