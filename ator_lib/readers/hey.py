"""Reads what hey writes: its CSV, a row per response, or else the summary that it prints."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import csv_documents, tables, text_documents
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source, only
from ator_lib.readers.text_documents import ALL_REQUESTS, NUMBER, WHOLE

_PRECISION = "0.1 ms"
_MOST_ROWS = 1_000_000  # hey keeps no more responses, and counts on
_MOST_SECONDS = 1e7
_COLUMNS = (
    *("response-time", "DNS+dialup", "DNS", "Request-write", "Response-delay", "Response-read"),
    *("status-code", "offset"),  # since 0.1.3 and 0.1.4
)
_HEADER = ",".join(_COLUMNS[:6])

_TEXT_MARK = re.compile(r"^Summary:\n +Total:\t", re.MULTILINE)
_SECONDS = re.compile(rf"^  (Total|Slowest|Fastest|Average):[ \t]{{1,9}}({NUMBER}) secs", re.MULTILINE)
_RATE = re.compile(rf"^  Requests/sec:[ \t]{{1,9}}({NUMBER})", re.MULTILINE)
_RECEIVED = re.compile(rf"^  Total data:[ \t]{{1,9}}({WHOLE}) bytes", re.MULTILINE)
_PERCENTILE = re.compile(rf"^  (\d{{1,2}})%{{1,2}} in ({NUMBER}) secs", re.MULTILINE)
_STATUS = re.compile(rf"^  \[(\d{{1,3}})\]\t({WHOLE}) responses", re.MULTILINE)
_ERRORS = re.compile(rf"^  \[({WHOLE})\]\t(?!{WHOLE} responses)", re.MULTILINE)
_BUCKET = re.compile(rf"^  {NUMBER} \[({WHOLE})\]", re.MULTILINE)


class HeyReader:
    """Reads CSV, of which several files are parts of one run, or the printed summary of one run."""

    about: ClassVar[Format] = Format(
        name="hey",
        tool="hey",
        files="output of hey -o csv, or the summary that it prints",
        gives="samples; of the summary: summaries, distributions",
        precision=_PRECISION,
        limits="the CSV leaves out requests without a response, and all after 1,000,000; started_at is to be given",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether its first line names hey's columns, or it holds the beginning of hey's summary."""
        return _is_csv(source) or _TEXT_MARK.search(text_documents.head(source)) is not None

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read all CSV files, or one summary.

        Raises
        ------
        ResultsError
            There are several summaries, or it tells of no response. Also while the samples are consumed.
        """
        if not (tables_ := [source for source in sources if _is_csv(source)]):
            return _summary(only(sources, "the summary of hey"), options)
        findings = Findings(notes=[f"not read: {source.name}" for source in sources if source not in tables_])
        findings.note("hey leaves requests without a response out of its CSV: they are not counted")
        if options.started_at is None:
            findings.note("hey tells only when a request started after the first: give started_at to have a timeline")
        batches = _samples(tables_, options.started_at, findings)
        return Reading(tool="hey", precision=_PRECISION, samples=tables.stream(batches), findings=findings)


def _is_csv(source: Source) -> bool:
    return source.first_line.startswith(_HEADER)


# --- CSV ---


def _samples(sources: Sequence[Source], started_at: datetime | None, findings: Findings) -> Iterator[pa.RecordBatch]:
    count = 0
    for source in sources:
        columns = _COLUMNS[: source.first_line.count(",") + 1]
        if "status-code" not in columns:
            findings.note("there are no status codes: every response counts as success")
        for rows in csv_documents.read(source, findings, columns):
            numbers = _sound(rows, source, findings)
            count += numbers.num_rows
            yield _batch(numbers, started_at)
    if not count:
        raise csv_documents.no_sound_row(sources[0], "response", findings)
    if count >= _MOST_ROWS:
        findings.note(f"hey writes no more than {_MOST_ROWS} responses: there may have been more")


def _sound(rows: csv_documents.Rows, source: Source, findings: Findings) -> pa.RecordBatch:
    """Read the numbers, and reject rows in which one is missing, negative or beyond all measure."""
    names = rows.columns.schema.names
    numbers = pa.record_batch([csv_documents.numbers(column) for column in rows.columns.columns], names)
    sound = pa.repeat(True, numbers.num_rows)
    for column in numbers.columns:
        fits = pc.and_(pc.greater_equal(column, 0), pc.less(column, _MOST_SECONDS))
        sound = pc.and_(sound, pc.fill_null(fits, False))
    for row in pc.indices_nonzero(pc.invert(sound)).to_pylist():
        findings.reject(source, int(rows.lines[row]), "a column holds no sound number")
    return numbers.filter(sound)


def _batch(numbers: pa.RecordBatch, started_at: datetime | None) -> pa.RecordBatch:
    known = numbers.schema.names
    to_first_byte = [numbers.column(name) for name in ("DNS+dialup", "Request-write", "Response-delay")]
    status = _status(numbers.column("status-code")) if "status-code" in known else None
    answered = pa.repeat(True, numbers.num_rows)
    started = None
    if started_at is not None and "offset" in known:
        after_us = pc.round(pc.multiply(numbers.column("offset"), 1e6)).cast(pa.int64())
        started = pc.add(after_us, round(started_at.timestamp() * 1e6))
    return tables.samples_batch(
        numbers.num_rows,
        started_at=started,
        duration_ms=_milliseconds(numbers.column("response-time")),
        name=pa.repeat(ALL_REQUESTS, numbers.num_rows),
        status_code=status,
        success=answered if status is None else _is_success(status),
        connect_ms=_milliseconds(numbers.column("DNS+dialup")),
        ttfb_ms=_milliseconds(pc.add(pc.add(to_first_byte[0], to_first_byte[1]), to_first_byte[2])),
    )


def _is_success(status: pa.Array) -> pa.Array:
    return pc.fill_null(pc.and_(pc.greater_equal(status, 100), pc.less(status, 400)), False)


def _status(column: pa.Array) -> pa.Array:
    return pc.if_else(pc.less_equal(column, 999), pc.round(column), pa.scalar(None, pa.float64())).cast(pa.int64())


def _milliseconds(seconds: pa.Array) -> pa.Array:
    return pc.round(pc.multiply(seconds, 1000), ndigits=1)  # hey writes 4 decimals of a second


# --- the summary ---


def _summary(source: Source, options: ReadOptions) -> Reading:
    text = text_documents.load(source)
    text = text[max(text.rfind("\nSummary:"), 0) :]  # behind what else stands in a log
    findings = Findings(truncated=not text.endswith("\n"))
    row = _row(text)
    if not row["requests"] or row["duration_s"] is None:
        raise ResultsError(
            f"{source.name} tells of no response and no error, or is cut short: hey's summary ends with their numbers."
        )
    if row["requests"] >= _MOST_ROWS:
        findings.note(
            f"hey keeps {_MOST_ROWS} responses: all figures but throughput are of those, and the mean is none"
        )
        row["mean_ms"] = None  # hey divides the sum of all by the number of those
    return Reading(
        tool="hey",
        precision=_PRECISION,
        summaries=tables.summaries([row], precision=_PRECISION),
        distributions=_distributions(text, row),
        started_at=options.started_at,
        findings=findings,
    )


def _row(text: str) -> dict[str, Any]:
    statuses = {int(code): int(number) for code, number in _STATUS.findall(text)}
    responses, errors = sum(statuses.values()), sum(map(int, _ERRORS.findall(text)))
    seconds = {name: float(value) for name, value in _SECONDS.findall(text)}
    rate, received = _RATE.search(text), _RECEIVED.search(text)
    return {
        "name": ALL_REQUESTS,
        "requests": responses + errors,
        "failures": sum(number for code, number in statuses.items() if not 100 <= code < 400) + errors,
        "duration_s": seconds.get("Total"),
        "throughput_rps": float(rate[1]) if rate else None,
        "bytes_received": int(received[1]) if received else None,
        **(_durations(text, seconds) if responses else {}),
    }


def _durations(text: str, seconds: dict[str, float]) -> dict[str, float]:
    printed = {"mean_ms": "Average", "min_ms": "Fastest", "max_ms": "Slowest"}
    found = {column: seconds[name] for column, name in printed.items() if name in seconds}
    for percent, value in _PERCENTILE.findall(text):
        if f"p{percent}_ms" in schema.PERCENTILES:
            found[f"p{percent}_ms"] = float(value)
    return {column: round(value * 1000, 1) for column, value in found.items()}


def _distributions(text: str, row: dict[str, Any]) -> pa.Table | None:
    """Make a histogram of hey's: ten bins of one width from the fastest on, of which it prints rounded ends.

    What is as fast as the fastest is counted by itself there, and in the first bin here.
    """
    counts = [int(count) for count in _BUCKET.findall(text)]
    fastest, slowest = row.get("min_ms"), row.get("max_ms")
    if len(counts) < 2 or fastest is None or slowest is None or slowest <= fastest:
        return None
    width = (slowest - fastest) / (len(counts) - 1)
    edges = [fastest + width * number for number in range(len(counts) - 1)] + [math.nextafter(slowest, math.inf)]
    merged = [counts[0] + counts[1], *counts[2:]]
    bins = [
        {"lower_ms": lower, "upper_ms": upper, "count": count}
        for lower, upper, count in zip(edges, edges[1:], merged, strict=False)
    ]
    return tables.table(
        schema.DISTRIBUTIONS, [{"name": name, **bin_} for name in (ALL_REQUESTS, None) for bin_ in bins]
    )
