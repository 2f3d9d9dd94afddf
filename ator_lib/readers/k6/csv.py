"""k6's points as CSV: what ``k6 run --out csv=FILE`` writes, whatever its tags and its format of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import csv_documents, duck
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source
from ator_lib.readers.k6 import points

_FIRST_COLUMNS = ["metric_name", "timestamp", "metric_value"]

_MOMENT = r"""
    CASE WHEN contains("timestamp", 'T') THEN try_cast("timestamp" AS TIMESTAMPTZ)
        WHEN regexp_full_match("timestamp", '\d{1,19}') THEN make_timestamptz(("timestamp"::HUGEINT * 1000000 // CASE
            WHEN length("timestamp") < 12 THEN 1 WHEN length("timestamp") < 15 THEN 1000
            WHEN length("timestamp") < 18 THEN 1000000 ELSE 1000000000 END)::BIGINT) END"""
"""The setting timeFormat: rfc3339, or seconds, milli-, micro- or nanoseconds since 1970."""


class K6CsvReader:
    """Reads files of points in bulk; several are parts of one run, a load generator each."""

    about: ClassVar[Format] = Format(
        name="k6-csv",
        tool="k6",
        files="points (k6 run --out csv=FILE), whatever their tags and timeFormat",
        gives="samples (HTTP and gRPC), cases (checks), metrics (users and all others, by second)",
        precision=schema.EXACT,
        limits="starts are known to a second, unless timeFormat is finer; counters of the script have their mean only",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it begins with the columns that every such file has."""
        return source.first_line.startswith(",".join(_FIRST_COLUMNS))

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the files; rows that are no points are rejected, one that was cut short at the end is left out.

        Raises
        ------
        ResultsError
            There is no measurement, or the columns are not those of k6.
        """
        findings = Findings()
        connection = points.connect()
        for file, source in enumerate(sources):
            _add(connection, file, source, findings)
        return points.read(connection, sources, findings)


def _add(connection: duck.Connection, file: int, source: Source, findings: Findings) -> None:
    header = source.first_line.split(",")
    if header[:3] != _FIRST_COLUMNS or len(set(header)) < len(header):
        raise ResultsError(f"{source.name} does not begin with {', '.join(_FIRST_COLUMNS)}, as k6 writes it.")
    for rows in csv_documents.read(source, findings, header):
        connection.register("block", rows.columns)
        for row in points.add(connection, file, _rows(header)):
            values = [value.as_py() for value in (column[row] for column in rows.columns)]
            if values != header:  # of files that were put one behind the other
                text = ",".join(values)
                findings.reject(source, int(rows.lines[row]), "has a time or value that cannot be read", text)


def _rows(header: Sequence[str]) -> str:
    vu = """regexp_extract(metadata, '(?:^|&)vu=([^&]*)', 1)""" if "metadata" in header else "NULL::VARCHAR"
    absent = {tag: vu if tag == "vu" else "NULL::VARCHAR" for tag in points.TAGS if tag not in header}
    tags = ", ".join(f'{absent[tag]} AS "{tag}"' if tag in absent else f'"{tag}"' for tag in points.TAGS)
    return f"""
        SELECT 'Point' AS type, metric_name AS metric, NULL::VARCHAR AS kind, NULL::VARCHAR AS contains,
            {_MOMENT} AS moment, try_cast(metric_value AS DOUBLE) AS value, {tags}
        FROM block
    """  # noqa: S608 – SQL of our own
