"""Reads the report of vegeta: the figures that ``vegeta report`` makes of results."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import json_documents, tables, text_documents
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source, only
from ator_lib.readers.json_documents import count, number
from ator_lib.readers.text_documents import ALL_REQUESTS, NUMBER, WHOLE

_PRECISION = "tool summary"
_LATENCIES = {"mean": "mean_ms", "min": "min_ms", "max": "max_ms"} | {
    f"{percent}{ending}": f"p{percent}_ms" for percent in (50, 90, 95, 99) for ending in ("", "th")
}
_JSON_MARKS = (b'"latencies"', b'"bytes_in"', b'"bytes_out"', b'"status_codes"')
_TEXT_MARK = re.compile(r"^Requests[ \t]{1,40}\[total, rate", re.MULTILINE)
_TEXT_LINE = re.compile(
    r"^(Requests|Duration|Latencies|Bytes In|Status Codes)[ \t]{1,40}\[([^\]\n]{0,99})\][ \t]{1,40}(.*)$", re.MULTILINE
)
_WHOLE = re.compile(WHOLE)
_STATUS = re.compile(rf"\b(\d{{1,5}}):({WHOLE})")
_DURATION = re.compile(rf"({NUMBER})(h|ms|m|s|µs|μs|us|ns)")
_UNITS_MS = {"h": 3_600_000.0, "m": 60_000.0, "s": 1000.0, "ms": 1.0, "µs": 1e-3, "μs": 1e-3, "us": 1e-3, "ns": 1e-6}
_NS_PER_MS = 1e6


class VegetaReportReader:
    """Reads one report, in JSON or as text."""

    about: ClassVar[Format] = Format(
        name="vegeta-report",
        tool="vegeta",
        files="vegeta report --type json (buckets too) or text",
        gives="summaries; distributions of buckets",
        precision=_PRECISION,
        limits="one name for all requests; percentiles are vegeta's estimates, up to 0.1 % off; errors without numbers",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it is JSON with the keys of a report, or text that begins with its first line."""
        if json_documents.begins_object(source):
            return json_documents.begins_object(source, _JSON_MARKS)
        return _TEXT_MARK.search(text_documents.head(source)) is not None

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read a report.

        Raises
        ------
        ResultsError
            There are several, it is damaged, or tells of no request.
        """
        source = only(sources, "a report of vegeta")
        if json_documents.begins_object(source):
            return _of_json(json_documents.load_object(source), source)
        return _of_text(text_documents.load(source), source)


# --- JSON ---


def _of_json(report: Mapping[str, Any], source: Source) -> Reading:
    latencies = _object(report, "latencies", source)
    codes = _object(report, "status_codes", source)
    statuses = {code: count(requests) or 0 for code, requests in codes.items() if _WHOLE.fullmatch(code)}
    durations = {
        column: ns / _NS_PER_MS for key, column in _LATENCIES.items() if (ns := number(latencies.get(key))) is not None
    }
    window_ns = [number(report.get(key)) for key in ("duration", "wait")]
    started_at, ended_at = (_time(report.get(key)) for key in ("earliest", "end"))
    return _reading(
        source,
        requests=count(report.get("requests")) or 0,
        statuses=statuses,
        durations=durations,
        duration_s=None if None in window_ns else sum(filter(None, window_ns)) / 1e9,
        bytes_received=count(_object(report, "bytes_in", source).get("total")),
        distributions=_distributions(report.get("buckets"), durations.get("max_ms")),
        started_at=started_at,
        ended_at=ended_at,
    )


def _object(report: Mapping[str, Any], key: str, source: Source) -> dict[str, Any]:
    found = report.get(key)
    if not isinstance(found, dict):
        raise ResultsError(f"{source.name} is no report of vegeta: {key} is no object in it.")
    return found


def _time(value: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(value)[:64])
    except ValueError:
        return None
    return time if time.tzinfo and time.year > 1 else None  # the year 1 is Go's "no time"


def _distributions(buckets: Any, max_ms: float | None) -> pa.Table | None:
    """Make a histogram of buckets, of which a report holds the lower ends; the last one ends with the maximum."""
    if not isinstance(buckets, dict):
        return None
    counts = {int(lower) / _NS_PER_MS: count(held) or 0 for lower, held in buckets.items() if _WHOLE.fullmatch(lower)}
    lowers = sorted(counts)
    last = max(max_ms or 0.0, *lowers) if lowers else 0.0
    uppers = [*lowers[1:], math.nextafter(last, math.inf)]
    bins = [
        {"lower_ms": lower, "upper_ms": upper, "count": counts[lower]}
        for lower, upper in zip(lowers, uppers, strict=False)
    ]
    return tables.table(
        schema.DISTRIBUTIONS, [{"name": name, **bin_} for name in (ALL_REQUESTS, None) for bin_ in bins]
    )


# --- text ---


def _of_text(text: str, source: Source) -> Reading:
    """Read the last report: one that is made again and again while an attack goes on tells of it from its start."""
    starts = [found.start() for found in _TEXT_MARK.finditer(text)]
    if not starts:
        raise ResultsError(f"{source.name} is no report of vegeta: there is no line of its requests.")
    lines = {
        label: dict(zip(keys.split(", "), values.split(", "), strict=False))
        for label, keys, values in _TEXT_LINE.findall(text[starts[-1] :])
    }
    statuses = " ".join(lines.get("Status Codes", {}).values())
    durations = {
        _LATENCIES[key]: ms
        for key, written in lines.get("Latencies", {}).items()
        if key in _LATENCIES and (ms := _milliseconds(written)) is not None
    }
    total_ms = _milliseconds(lines.get("Duration", {}).get("total", ""))
    received = lines.get("Bytes In", {}).get("total", "").strip()
    return _reading(
        source,
        requests=_whole(lines.get("Requests", {}).get("total", "")),
        statuses={code: _whole(number) for code, number in _STATUS.findall(statuses)},
        durations=durations,
        duration_s=None if total_ms is None else total_ms / 1000,
        bytes_received=_whole(received) if received else None,
    )


def _whole(written: str) -> int:
    return int(written) if _WHOLE.fullmatch(written.strip()) else 0


def _milliseconds(written: str) -> float | None:
    """Read a duration as Go writes it: ``1m2.5s``, ``946.412ms``."""
    parts = _DURATION.findall(written)
    return sum(float(number) * _UNITS_MS[unit] for number, unit in parts) if parts else None


# --- both ---


def _reading(
    source: Source,
    *,
    requests: int,
    statuses: Mapping[str, int],
    durations: Mapping[str, float],
    duration_s: float | None,
    bytes_received: int | None,
    distributions: pa.Table | None = None,
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
) -> Reading:
    if not requests or "mean_ms" not in durations or sum(statuses.values()) != requests:
        raise ResultsError(
            f"{source.name} tells of no request, or is cut short: its {requests} requests need durations and "
            f"the status codes of each, and there are {sum(statuses.values())}."
        )
    succeeded = sum(number for code, number in statuses.items() if 200 <= int(code) < 400)
    row = {"name": ALL_REQUESTS, "requests": requests, "failures": requests - succeeded, **durations}
    row["bytes_received"] = bytes_received
    return Reading(
        tool="vegeta",
        precision=_PRECISION,
        summaries=tables.summaries([row], precision=_PRECISION, duration_s=duration_s),
        distributions=distributions,
        started_at=started_at,
        ended_at=ended_at,
        findings=Findings(notes=["percentiles are estimates of vegeta (t-digest)"]),
    )
