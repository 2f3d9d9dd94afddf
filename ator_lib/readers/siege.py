"""Reads what siege prints: a line per request (``-v``), or its final statistics, as text or JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pyarrow as pa

from ator_lib.errors import ResultsError
from ator_lib.readers import tables, text_documents
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source
from ator_lib.readers.text_documents import ALL_REQUESTS, NUMBER, WHOLE, path_of

_PRECISION = "10 ms"
_PRECISION_MS = "0.01 ms"  # of statistics since siege 4.1.4, which have milliseconds
_BATCH = 50_000

_PREFIX = r"^(?:\[[^\]\n]{1,60}\] ?)?"  # the time, if timestamp = true
_RESPONSE = rf"HTTP/\d(?:\.\d)?[ ,](?P<status>\d{{3}})(?:\(C\))?[ ,] {{0,9}}(?P<seconds>{NUMBER})"
_REQUEST = re.compile(
    rf"{_PREFIX}(?: *\d{{1,9}}\) )?{_RESPONSE} secs:? {{1,20}}(?P<bytes>{WHOLE}) bytes ==> {{1,9}}"
    r"(?:(?P<method>[A-Z]{3,9}) {1,9})?(?P<url>\S+)",
    re.MULTILINE,
)
_REQUEST_CSV = re.compile(
    rf"{_PREFIX}(?:[^,\n]{{1,60}},){{0,2}}?{_RESPONSE}, {{0,20}}(?P<bytes>{WHOLE}),(?P<url>[^,\n]*),\d{{1,9}},"
    r"(?P<ended_at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|n/a)",
    re.MULTILINE,
)
_STATISTIC = re.compile(rf"^(\w[\w ]{{5,30}}):[ \t]{{1,30}}({NUMBER})(?: (ms))?", re.MULTILINE)
_STATISTIC_JSON = re.compile(rf'"(\w{{5,30}})":\s{{0,40}}({NUMBER})()')
_MARK = re.compile(r'^Transactions:[ \t]{1,30}\d+ {1,9}hits|\{\s{0,20}"transactions":', re.MULTILINE)
_NEEDED = ("transactions", "failed_transactions", "elapsed_time")


class SiegeReader:
    """Reads the output of one run."""

    about: ClassVar[Format] = Format(
        name="siege",
        tool="siege",
        files="what siege prints: lines of requests (-v, also csv = true), its statistics as text or JSON",
        gives="samples of lines, unless there are requests without one; else summaries",
        precision=f"{_PRECISION}; {_PRECISION_MS} of newer statistics",
        limits="no percentiles in the statistics; times only in lines with csv = true, of ends, to the second",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it holds a line of a request, or the first line of the statistics."""
        head = text_documents.head(source)
        return any(mark.search(head) for mark in (_REQUEST, _REQUEST_CSV, _MARK))

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the requests, or the statistics where those tell of more: a request that got no response has no line.

        What siege printed to its two outputs may stand in two files.

        Raises
        ------
        ResultsError
            There are several runs, or no request.
        """
        source = sources[0]
        text = "\n".join(text_documents.load(part) for part in sources)
        if len(_MARK.findall(text)) > 1:
            raise ResultsError(f"{source.name} has the statistics of several runs of siege: ingest each by itself.")
        findings = Findings()
        statistics = _statistics(text)
        line = _REQUEST if _REQUEST.search(text) else _REQUEST_CSV
        lines = sum(1 for _ in line.finditer(text))
        if all(key in statistics for key in _NEEDED) and lines != _counted(statistics):
            return _summary(source, statistics, lines, options.started_at, findings)
        if not lines:
            raise ResultsError(
                f"{source.name} tells of no request, or is cut short: siege prints their number at its end."
            )
        findings.truncated = not text.endswith("\n")
        zone = options.zone or ZoneInfo("UTC")
        if line is _REQUEST_CSV:
            findings.note(f"times have no time zone: they were read as {zone}; they are of ends, to the second")
        batches = _samples(line.finditer(text), zone)
        return Reading(
            tool="siege",
            precision=_PRECISION,
            samples=tables.stream(batches),
            duration_s=statistics.get("elapsed_time", (0.0, ""))[0] or None,
            clock_s=1.0 if line is _REQUEST_CSV else 0.0,
            findings=findings,
        )


def _statistics(text: str) -> dict[str, tuple[float, str]]:
    """Give each figure of the final statistics, and ``ms`` if that is its unit."""
    found = [*_STATISTIC.findall(text), *_STATISTIC_JSON.findall(text)]
    return {label.lower().replace(" ", "_"): (float(value), unit) for label, value, unit in found}


def _counted(statistics: Mapping[str, tuple[float, str]]) -> int:
    return int(statistics["transactions"][0]) + int(statistics["failed_transactions"][0])


def _samples(lines: Iterator[re.Match[str]], zone: tzinfo) -> Iterator[pa.RecordBatch]:
    rows: list[dict[str, Any]] = []
    for line in lines:
        rows.append(_sample(line.groupdict(), zone))
        if len(rows) == _BATCH:
            yield _batch(rows)
            rows = []
    if rows:
        yield _batch(rows)


def _batch(rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    return tables.samples_batch(len(rows), **{column: [row[column] for row in rows] for column in rows[0]})


def _sample(line: Mapping[str, str | None], zone: tzinfo) -> dict[str, Any]:
    seconds, status = float(line["seconds"] or 0), int(line["status"] or 0)
    return {
        "started_at": _started_at(line.get("ended_at"), seconds, zone),
        "duration_ms": round(seconds * 1000, 3),
        "name": path_of(line["url"] or ""),
        "method": line.get("method"),
        "status_code": status,
        "success": 100 <= status < 400,
        "bytes_received": int(line["bytes"] or 0),
    }


def _started_at(ended_at: str | None, seconds: float, zone: tzinfo) -> datetime | None:
    try:
        return datetime.fromisoformat(ended_at or "").replace(tzinfo=zone) - timedelta(seconds=seconds)
    except (ValueError, OverflowError):  # siege writes "n/a" where it has no time
        return None


def _summary(
    source: Source,
    statistics: Mapping[str, tuple[float, str]],
    lines: int,
    started_at: datetime | None,
    findings: Findings,
) -> Reading:
    requests, failed = _counted(statistics), int(statistics["failed_transactions"][0])
    if not requests:
        raise ResultsError(f"{source.name} tells of no request: siege got through with none.")
    if lines:
        findings.note(f"{lines} of {requests} requests have a line: the figures are those of the statistics")
    row = {
        "name": ALL_REQUESTS,
        "requests": requests,
        "failures": failed,
        "duration_s": statistics["elapsed_time"][0],
    }
    if requests > failed:
        columns = {"mean_ms": "response_time", "min_ms": "shortest_transaction", "max_ms": "longest_transaction"}
        row |= {column: _milliseconds(statistics.get(key)) for column, key in columns.items()}
    if "concurrency" in statistics:
        findings.note(f"concurrency: {statistics['concurrency'][0]:g} on average")
    precision = _PRECISION_MS if statistics.get("response_time", (0, ""))[1] == "ms" else _PRECISION
    return Reading(
        tool="siege",
        precision=precision,
        summaries=tables.summaries([row], precision=precision),
        started_at=started_at,
        findings=findings,
    )


def _milliseconds(statistic: tuple[float, str] | None) -> float | None:
    if statistic is None:
        return None
    value, unit = statistic
    return value if unit == "ms" else round(value * 1000, 3)
