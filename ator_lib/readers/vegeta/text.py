"""Results as JSON lines and as CSV: what ``vegeta encode`` writes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.errors import ResultsError
from ator_lib.readers import csv_documents, duck
from ator_lib.readers.base import Findings, Source
from ator_lib.readers.vegeta.results import RESULTS

LARGEST_LINE = 32 * 2**20
"""Bytes of one result, which holds the body of its response."""

_ROWS = 2**16
_CSV_COLUMNS = (
    *("timestamp", "code", "latency", "bytes_out", "bytes_in", "error"),  # the columns of the first versions
    *("body", "attack", "seq"),
    *("method", "url", "headers"),
)
_CSV_ROW = re.compile(r"-?\d{10,19},\s*\d{1,5},\s*-?\d+,\s*\d+,\s*\d+,")
_JSON_ROW = re.compile(r'\{(?=.*"code"\s*:)(?=.*"timestamp"\s*:)(?=.*"latency"\s*:)(?=.*"bytes_out"\s*:)')
_JSON_TYPES = {
    "timestamp": "VARCHAR",
    **dict.fromkeys(("latency", "code", "bytes_out", "bytes_in"), "BIGINT"),
    **dict.fromkeys(("error", "attack", "method", "url"), "VARCHAR"),
}


def recognises_json(source: Source) -> bool:
    """Say whether its first line is a result in JSON."""
    return _JSON_ROW.match(source.first_line) is not None


def recognises_csv(source: Source) -> bool:
    """Say whether its first line is a result in CSV."""
    return _CSV_ROW.match(source.first_line) is not None


def results_of_json(source: Source, findings: Findings) -> Iterator[pa.RecordBatch]:
    """Yield ``RESULTS``; a line that is none is null, and one at the end that is cut short is said.

    Raises
    ------
    ResultsError
        A line is longer than ``LARGEST_LINE``.
    """
    types = ", ".join(f'"{name}": {duck.text(type_)}' for name, type_ in _JSON_TYPES.items())
    file = (
        f"read_json({duck.text(str(source.path))}, format = 'newline_delimited', compression = 'none', "
        f"hive_partitioning = false, ignore_errors = true, maximum_object_size = {LARGEST_LINE}, columns = {{{types}}})"
    )
    time = 'epoch_us(TRY_CAST("timestamp" AS TIMESTAMPTZ)) AS timestamp_us'
    texts = ", ".join(f"replace(coalesce({name}, ''), chr(0), '\ufffd') AS {name}" for name in RESULTS.names[-4:])
    sql = (
        f"SELECT row_number() OVER () AS place, {time}, latency AS latency_ns, code, bytes_out, bytes_in, {texts} "  # noqa: S608 – names of our own
        f"FROM {file}"
    )
    connection = duck.connect()
    last = RESULTS.empty_table().to_batches()
    try:
        for batch in connection.sql(sql).to_arrow_reader(_ROWS):
            yield from last
            last = [batch.cast(RESULTS)]
    except (duck.DuckError, OSError, pa.ArrowException) as error:  # Arrow wraps what DuckDB raises
        is_long = "maximum_object_size" in str(error)
        reason = f"a line is longer than {LARGEST_LINE} bytes" if is_long else duck.first_line(error)
        raise ResultsError(f"{source.name} cannot be read: {reason}.") from error
    yield from (_without_cut(batch, source, findings) for batch in last)


def _without_cut(results: pa.RecordBatch, source: Source, findings: Findings) -> pa.RecordBatch:
    """Leave out the last line of a file if it is none, as its end is missing."""
    with source.path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        if file.read() == b"\n" or results.column("code")[-1].is_valid:
            return results
    findings.truncated = True
    return results.slice(0, results.num_rows - 1)


def results_of_csv(source: Source, findings: Findings) -> Iterator[pa.RecordBatch]:
    """Yield ``RESULTS``; what is no number is null, and a line at the end that is cut short is said.

    Raises
    ------
    ResultsError
        The file is no table.
    """
    for rows in csv_documents.read(source, findings, _CSV_COLUMNS, header=False):
        found = dict(zip(rows.columns.schema.names, rows.columns.columns, strict=True))
        numbers = {name: csv_documents.whole_numbers(found[name]) for name in _CSV_COLUMNS[:5]}
        none = pa.repeat("", len(rows.lines))
        texts = {name: found.get(name, none) for name in RESULTS.names[-4:]}
        yield pa.record_batch(
            {
                "place": pa.array(rows.lines),
                "timestamp_us": pc.divide(numbers["timestamp"], 1000),
                "latency_ns": numbers["latency"],
                **{name: numbers[name] for name in ("code", "bytes_out", "bytes_in")},
                **texts,
            },
            schema=RESULTS,
        )
