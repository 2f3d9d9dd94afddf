"""k6's points as JSON, a line each: what ``k6 run --out json=FILE`` writes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import duck
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source
from ator_lib.readers.k6 import points

_MARKS = [re.compile(mark) for mark in (rb'"metric"\s*:\s*"', rb'"type"\s*:\s*"(Metric|Point)"', rb'"data"\s*:\s*\{')]
_LINES_LOOKED_AT = 100
_TAIL = 2**20


class K6Reader:
    """Reads files of points in bulk; several are parts of one run, a load generator each."""

    about: ClassVar[Format] = Format(
        name="k6",
        tool="k6",
        files="points, a line of JSON each (k6 run --out json=FILE)",
        gives="samples (HTTP and gRPC), cases (checks), metrics (users and all others, by second)",
        precision=schema.EXACT,
        limits="no sizes of single requests; a duration begins when the request is sent, connect_ms comes before; "
        "how thresholds ended is in the summary only",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether a line at its beginning is a point or the definition of a metric."""
        lines = source.head.splitlines()[:_LINES_LOOKED_AT]
        return any(all(mark.search(line) for mark in _MARKS) for line in lines)

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the files; lines that are no points are rejected, one that was cut short at the end is left out.

        Raises
        ------
        ResultsError
            There is no measurement, or a line is far longer than one.
        """
        findings = Findings()
        connection = points.connect()
        for file, source in enumerate(sources):
            try:
                unreadable = points.add(connection, file, _rows(source.path))
            except duck.DuckError as error:
                raise ResultsError(f"{source.name} cannot be read: {_reason(error)}.") from error
            _reject(source, unreadable, findings)
        return points.read(connection, sources, findings)


def _rows(path: Path) -> str:
    tags = ", ".join(f'"{tag}" VARCHAR' for tag in points.TAGS)
    data = (
        f"STRUCT(time VARCHAR, value DOUBLE, tags STRUCT({tags}), metadata STRUCT(vu VARCHAR), "
        "type VARCHAR, contains VARCHAR)"
    )
    columns = ", ".join(f'data.tags."{tag}"' for tag in points.TAGS if tag != "vu")
    return f"""
        SELECT type, metric, data.type AS kind, data.contains AS contains,
            try_cast(data.time AS TIMESTAMPTZ) AS moment, data.value AS value,
            {columns}, coalesce(data.metadata.vu, data.tags.vu) AS vu
        FROM read_json({duck.text(str(path))}, format = 'newline_delimited', compression = 'none',
            hive_partitioning = false, ignore_errors = true,
            columns = {{metric: 'VARCHAR', type: 'VARCHAR', data: {duck.text(data)}}})
    """  # noqa: S608 – SQL of our own


def _reason(error: duck.DuckError) -> str:
    if "maximum_object_size" in str(error):
        return "a line is far longer than any point of k6"
    return duck.first_line(error).rstrip(".")


def _reject(source: Source, unreadable: Sequence[int], findings: Findings) -> None:
    """Explain rows that are no points, by another look at their lines; a file that is whole has none."""
    ahead = list(reversed(unreadable))
    if ahead and _is_cut_short(source):
        findings.truncated = True
        del ahead[0]
    row = -1
    with source.path.open("rb") as file:
        for number, line in enumerate(file if ahead else (), start=1):
            row += bool(line.strip())  # DuckDB passes over blank lines
            if ahead and row == ahead[-1]:
                ahead.pop()
                findings.reject(source, number, _fault(line), line.decode(errors="replace").strip())


def _fault(line: bytes) -> str:
    try:
        point = json.loads(line)
    except (ValueError, RecursionError):
        return "is no JSON"
    if not isinstance(point, dict) or point.get("type") not in ("Point", "Metric"):
        return "is no point of k6"
    return "has a name, time or value that cannot be read"


def _is_cut_short(source: Source) -> bool:
    """Say whether the last line is unfinished: k6 ends each of them."""
    with source.path.open("rb") as file:
        file.seek(max(0, source.path.stat().st_size - _TAIL))
        last = file.read().rpartition(b"\n")[2].strip()
    return bool(last) and _fault(last) == "is no JSON"
