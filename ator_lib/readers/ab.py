"""Reads what ab (ApacheBench) writes: ``-g``, a row per request, and the text that it prints, with ``-e`` beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import csv_documents, tables, text_documents
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source, only
from ator_lib.readers.text_documents import ALL_REQUESTS, NUMBER, WHOLE, path_of

_PRECISION = "1 ms"
_COLUMNS = ("starttime", "seconds", "ctime", "dtime", "ttime", "wait")
_ROWS_HEADER = "\t".join(_COLUMNS)
_PERCENTILES_HEADER = "Percentage served,Time in ms"
_LAST_SECOND = 253_402_300_799  # of the year 9999
_LONGEST_MS = 10**10

_VERSION = re.compile(r"This is ApacheBench, Version ([\w.]{1,20})")
_VALUE = re.compile(r"^([A-Z][\w -]{3,30}): +(\S.*)$", re.MULTILINE)
_FAILURES = re.compile(rf"\(Connect: {WHOLE}, Receive: {WHOLE}, Length: ({WHOLE}), Exceptions: {WHOLE}\)")
_TOTAL = re.compile(rf"^Total: +({NUMBER}) +({NUMBER}) *({NUMBER})(?: +({NUMBER}) +({NUMBER}))?$", re.MULTILINE)
_PERCENTILE = re.compile(rf"^ +(\d{{1,3}})% +({NUMBER})", re.MULTILINE)
_LEADING = re.compile(NUMBER)
_MARK = re.compile(r"^(?:This is ApacheBench,|Complete requests: +\d)", re.MULTILINE)


class AbReader:
    """Reads the files of one run of ab: any of ``-g``, ``-e`` and the text."""

    about: ClassVar[Format] = Format(
        name="ab",
        tool="ab",
        files="what ab prints, and its files of -g (gnuplot) and -e (percentiles)",
        gives="samples of -g, unless the text beside it tells of failures; else summaries",
        precision=f"{_PRECISION}; times of -g 1 s; percentiles of -e 1 µs",
        limits="-g does not say which requests failed; -e alone does not say how many requests there were",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether its first line is the header of a file of ab, or it holds a line that only ab prints."""
        return _is_rows(source) or _is_percentiles(source) or _MARK.search(text_documents.head(source)) is not None

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the finest that is there.

        Raises
        ------
        ResultsError
            There are percentiles only, two runs, or no request. Also while the samples are consumed.
        """
        rows = [source for source in sources if _is_rows(source)]
        percentiles = [source for source in sources if _is_percentiles(source)]
        texts = [source for source in sources if source not in (*rows, *percentiles)]
        text = _text(only(texts, "the text of ab")) if texts else None
        if rows and not (text and text.row["failures"]):
            return _samples(only(rows, "ab -g"), text)  # percentiles are computed: those of -e are not needed
        if text is None:
            raise ResultsError(
                f"{percentiles[0].name} has percentiles only (ab -e), and not how many requests there were: "
                "ingest it together with what ab printed, or give the file of ab -g."
            )
        if rows:
            text.findings.note(f"{rows[0].name} does not say which requests failed: the figures are those of the text")
        if percentiles:
            text.row.update(_percentiles(only(percentiles, "ab -e"), text.findings))
        return Reading(
            tool="ab",
            tool_version=text.version,
            precision=_PRECISION,
            summaries=tables.summaries([text.row], precision=_PRECISION),
            started_at=options.started_at,
            findings=text.findings,
        )


def _is_rows(source: Source) -> bool:
    return source.first_line == _ROWS_HEADER


def _is_percentiles(source: Source) -> bool:
    return source.first_line == _PERCENTILES_HEADER


# --- -g ---


def _samples(source: Source, text: _Text | None) -> Reading:
    findings = Findings() if text is None else text.findings
    if text is None:
        findings.note("ab -g does not say which requests failed: all count as successes")
    findings.note("ab -g has starts to the second, and is sorted by duration")
    name = ALL_REQUESTS if text is None else text.row["name"]
    return Reading(
        tool="ab",
        tool_version=None if text is None else text.version,
        precision=_PRECISION,
        samples=tables.stream(_batches(source, name, findings)),
        duration_s=None if text is None else _duration_s(text.row),
        clock_s=1.0,
        findings=findings,
    )


def _duration_s(told: Mapping[str, Any]) -> float | None:
    """Give the time taken; throughput tells more decimals of it than ab prints."""
    requests, seconds, throughput_rps = told["requests"], told["duration_s"], told["throughput_rps"]
    return float(requests / throughput_rps) if throughput_rps else seconds


def _batches(source: Source, name: str, findings: Findings) -> Iterator[pa.RecordBatch]:
    count = 0
    for rows in csv_documents.read(source, findings, _COLUMNS, delimiter="\t"):
        numbers = {column: csv_documents.whole_numbers(rows.columns.column(column)) for column in _COLUMNS[1:]}
        sound = pc.less_equal(numbers["seconds"], _LAST_SECOND)
        for column in numbers.values():
            sound = pc.and_(sound, pc.greater_equal(column, 0))
        for column in ("ctime", "ttime", "wait"):
            sound = pc.and_(sound, pc.less(numbers[column], _LONGEST_MS))
        sound = pc.fill_null(sound, False)
        for row in pc.indices_nonzero(pc.invert(sound)).to_pylist():
            findings.reject(source, int(rows.lines[row]), "a column holds no sound number")
        kept = pa.record_batch(numbers).filter(sound)
        count += kept.num_rows
        yield tables.samples_batch(
            kept.num_rows,
            started_at=pc.multiply(kept.column("seconds"), 10**6),
            duration_ms=kept.column("ttime"),
            name=pa.repeat(name, kept.num_rows),
            success=pa.repeat(True, kept.num_rows),
            connect_ms=kept.column("ctime"),
            ttfb_ms=pc.add(kept.column("ctime"), kept.column("wait")),
        )
    if not count:
        raise csv_documents.no_sound_row(source, "request", findings)


# --- the text, and -e ---


@dataclass(frozen=True, kw_only=True)
class _Text:
    version: str | None
    row: dict[str, Any]
    findings: Findings


def _text(source: Source) -> _Text:
    text = text_documents.load(source)
    values = {key: value.strip() for key, value in _VALUE.findall(text)}
    requests = _whole(values, "Complete requests")
    if not requests or "Failed requests" not in values:
        raise ResultsError(f"{source.name} tells of no request, or is cut short: ab prints their number at its end.")
    findings = Findings(truncated=_TOTAL.search(text) is None)
    row = {
        "name": path_of(values["Document Path"]) if "Document Path" in values else ALL_REQUESTS,
        "requests": requests,
        "failures": _failures(text, values, requests, findings),
        "duration_s": _number(values, "Time taken for tests"),
        "throughput_rps": _number(values, "Requests per second"),
        "bytes_received": _whole(values, "Total transferred"),
        **_durations(text),
    }
    if "Concurrency Level" in values:
        findings.note(f"concurrency level: {values['Concurrency Level']}")
    version = _VERSION.search(text)
    return _Text(version=version[1] if version else None, row=row, findings=findings)


def _failures(text: str, values: dict[str, str], requests: int, findings: Findings) -> int:
    """Count what failed, and answers that are not 2xx. Both may be of other lengths: those are not counted twice."""
    failed, not_2xx = _whole(values, "Failed requests") or 0, _whole(values, "Non-2xx responses") or 0
    lengths = _FAILURES.search(text)
    other_length = min(int(lengths[1]), failed) if lengths else 0
    if other_length:
        findings.note(f"ab counts {other_length} answers of another length than the first as failed (ab -l would not)")
    if not_2xx:
        findings.note(f"{not_2xx} answers were not 2xx and count as failures, redirects among them")
    return min(failed - other_length + max(other_length, not_2xx), requests)


def _durations(text: str) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    if total := _TOTAL.search(text):
        least, mean, third, median, longest = total.groups()
        has_deviation = longest is not None  # without it (ab -S) the third is the longest
        found = {"min_ms": float(least), "mean_ms": float(mean), "max_ms": float(longest if has_deviation else third)}
        if has_deviation:
            found |= {"stddev_ms": float(third), "p50_ms": float(median)}
    for percent, value in _PERCENTILE.findall(text):
        if f"p{percent}_ms" in schema.PERCENTILES:
            found[f"p{percent}_ms"] = float(value)
    return found


def _percentiles(source: Source, findings: Findings) -> dict[str, float]:
    found = {}
    for rows in csv_documents.read(source, findings, ("percentage", "time")):
        percentages, times = (csv_documents.numbers(column).to_pylist() for column in rows.columns.columns)
        for percentage, time in zip(percentages, times, strict=True):
            column = f"p{percentage:g}_ms" if percentage is not None else ""
            if column in schema.PERCENTILES and time is not None and time >= 0:
                found[column] = time
    return found


def _whole(values: dict[str, str], key: str) -> int | None:
    number = _number(values, key)
    return None if number is None else int(number)


def _number(values: dict[str, str], key: str) -> float | None:
    number = _LEADING.match(values.get(key, ""))
    return float(number[0]) if number else None
