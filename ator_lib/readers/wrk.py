"""Reads what wrk and wrk2 print: one run, or several one after the other."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import tables, text_documents
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source, end_of, only
from ator_lib.readers.text_documents import ALL_REQUESTS, NUMBER, WHOLE, path_of

_PRECISION = "2 decimals of the unit shown"
_PRECISION_WRK2 = "3 significant digits"

_LOAD = rf"{WHOLE} threads and {WHOLE} connections"
_BEGIN = re.compile(rf"^(?:Running \S+ test @ (?P<url>.*)\n)? *(?P<load>{_LOAD})", re.MULTILINE)
_END = re.compile(rf"^ *({WHOLE}) requests in ({NUMBER})(us|ms|s|m|h), ({NUMBER})([KMGTP]?)B read", re.MULTILINE)
_LATENCY = re.compile(rf"^ *Latency{3 * rf' +({NUMBER}|-?nan)([a-z]*)'}", re.MULTILINE)
_PERCENTILE = re.compile(rf"^ *({NUMBER})% +({NUMBER})(us|ms|s|m|h)\b", re.MULTILINE)
_DISTRIBUTION = re.compile(r"^ *Latency Distribution(.*)$", re.MULTILINE)
_SPECTRUM = re.compile(rf"^ +({NUMBER}) +({NUMBER}) +({WHOLE}) +(?:{NUMBER}|inf)$", re.MULTILINE)
_MEASURED = re.compile(
    rf"#\[Mean *= *({NUMBER}), StdDeviation *= *({NUMBER})\]\n#\[Max *= *({NUMBER}), Total count *= *({WHOLE})\]"
)
_SOCKET_ERRORS = re.compile(rf"Socket errors: connect ({WHOLE}), read ({WHOLE}), write ({WHOLE}), timeout ({WHOLE})")
_BAD_STATUS = re.compile(rf"Non-2xx or 3xx responses: ({WHOLE})")
_RATE = re.compile(rf"Requests/sec: +({NUMBER})")

_MS = {"us": 1e-3, "ms": 1.0, "s": 1000.0, "m": 60_000.0, "h": 3_600_000.0}
_BYTES = {unit: 1024**power for power, unit in enumerate(("", "K", "M", "G", "T", "P"))}
_MOST_BYTES = 2**62
_PERCENTILES = {f"{100 * share:g}": column for column, share in schema.PERCENTILES.items()}


class WrkReader:
    """Reads the text of wrk and wrk2."""

    about: ClassVar[Format] = Format(
        name="wrk",
        tool="wrk",
        files="output of wrk and wrk2, best with --latency; of several runs one after the other, too",
        gives="summaries; distributions of wrk2's spectrum",
        precision=f"{_PRECISION}; {_PRECISION_WRK2} with the spectrum of wrk2",
        limits="no times, no single requests; percentiles only with --latency; the uncorrected ones of -U are left out",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it holds the line of threads and connections with which a run begins."""
        return _BEGIN.search(text_documents.head(source)) is not None

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the runs of one file, a row for each, named by the path of its URL, and by its number if there are more.

        Requests that got no response because of a socket error count as requests that failed.

        Raises
        ------
        ResultsError
            There are several files, or no run in it came to its end.
        """
        source = only(sources, "wrk")
        findings = Findings()
        runs = _runs(text_documents.load(source), source, findings)
        precision = _PRECISION_WRK2 if all(run.spectrum for run in runs) else _PRECISION
        rows = [{"name": run.name, **run.summary} for run in runs]
        whole = {**tables.total_of(rows), "duration_s": sum(row["duration_s"] for row in rows)}
        return Reading(
            tool="wrk2" if any(run.is_wrk2 for run in runs) else "wrk",
            precision=precision,
            summaries=tables.summaries(rows, precision=precision, total=whole),
            distributions=_distributions(runs),
            started_at=options.started_at,
            ended_at=_ended_at(options.started_at, runs),
            findings=findings,
        )


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What one run printed; ``spectrum`` has values in milliseconds and how many durations are not above each."""

    name: str
    is_wrk2: bool
    summary: dict[str, Any]
    spectrum: list[tuple[float, int]]
    notes: list[str]


def _runs(text: str, source: Source, findings: Findings) -> list[_Run]:
    begins = list(_BEGIN.finditer(text))
    ends = [begin.start() for begin in begins[1:]] + [len(text)] * bool(begins)
    runs = []
    for number, (begin, end) in enumerate(zip(begins, ends, strict=True), 1):
        part = text[begin.start() : end]
        if done := _END.search(part):
            runs.append(_run(part, begin, done, number if len(begins) > 1 else None))
            findings.truncated |= runs[-1].summary["throughput_rps"] is None  # errors stand above that line
            for note in runs[-1].notes:
                findings.note(f"{runs[-1].name}: {note}")
        elif number == len(begins):
            findings.truncated = True
        else:
            findings.note(f"run {number} came to no end: it is left out")
    if not runs:
        raise ResultsError(f"{source.name} holds no run of wrk that came to its end: there is no line of its requests.")
    if not any(run.summary["requests"] for run in runs):
        raise ResultsError(f"{source.name} tells of no request: wrk got no response in all of its time.")
    return runs


def _run(part: str, begin: re.Match[str], done: re.Match[str], number: int | None) -> _Run:
    responses = int(done[1])
    recorded = _recorded(part)
    spectrum = [(float(value), int(count)) for value, _, count in _SPECTRUM.findall(recorded)]
    rate = _RATE.search(part, done.end())
    summary = {
        **_counts(part, responses),
        "duration_s": float(done[2]) * _MS[done[3]] / 1000,
        "throughput_rps": float(rate[1]) if rate else None,
        "bytes_received": min(round(float(done[4]) * _BYTES[done[5]]), _MOST_BYTES),
    }
    if responses:
        summary |= _durations(part, recorded)
    path = path_of(begin["url"]) if begin["url"] else ALL_REQUESTS
    return _Run(
        name=path if number is None else f"{path} #{number}",
        is_wrk2="HdrHistogram" in part or "Thread calibration" in part,
        summary=summary,
        spectrum=spectrum,
        notes=[f"the load was {begin['load']}", *_notes(part, recorded, responses)],
    )


def _notes(part: str, recorded: str, responses: int) -> Iterator[str]:
    if "Uncorrected" in part and recorded:
        yield "durations are from when a request should have been sent; the uncorrected ones are left out"
    if measured := _MEASURED.search(recorded):
        yield f"wrk2 measures once it has calibrated: durations are of {measured[4]} of {responses} responses"
    if errors := _SOCKET_ERRORS.search(part):
        yield f"{errors[0]}: all count as failures, and all but timeouts as requests beside the {responses} responses"


def _recorded(part: str) -> str:
    """Give the distribution that holds the waiting of requests that could not be sent in time, if there are two."""
    starts = list(_DISTRIBUTION.finditer(part))
    corrected = next((start.start() for start in starts if "Uncorrected" not in start[1]), len(part))
    return part[corrected : min((start.start() for start in starts if start.start() > corrected), default=len(part))]


def _counts(part: str, responses: int) -> dict[str, int]:
    """Count as failed what has a bad status, came too late, or never; what never came is no response of wrk's."""
    bad_status = _BAD_STATUS.search(part)
    sockets = _SOCKET_ERRORS.search(part)
    connect, read, write, timeout = map(int, sockets.groups()) if sockets else (0, 0, 0, 0)
    requests = responses + connect + read + write
    failures = (int(bad_status[1]) if bad_status else 0) + connect + read + write + timeout
    return {"requests": requests, "failures": min(failures, requests)}


def _durations(part: str, recorded: str) -> dict[str, float | None]:
    """Take each figure from where it has the most digits: the spectrum, the lines above it, the statistics."""
    found: dict[str, float | None] = {}
    if latency := _LATENCY.search(part):
        mean, stddev, longest = (_milliseconds(latency[group], latency[group + 1]) for group in (1, 3, 5))
        found = {"mean_ms": mean, "stddev_ms": stddev, "max_ms": longest}
    for percent, value, unit in _PERCENTILE.findall(recorded):
        if column := _PERCENTILES.get(f"{float(percent):g}"):
            found[column] = _milliseconds(value, unit)
    if measured := _MEASURED.search(recorded):
        stddev = tables.of_sample(float(measured[2]), int(measured[4]))  # wrk2 divides by n
        found |= {"mean_ms": float(measured[1]), "stddev_ms": stddev, "max_ms": float(measured[3])}
    for value, share, _ in _SPECTRUM.findall(recorded):
        found.setdefault("min_ms", float(value))
        if column := _PERCENTILES.get(f"{100 * float(share):g}"):
            found[column] = float(value)
    return found


def _milliseconds(written: str, unit: str) -> float | None:
    return float(written) * _MS[unit] if unit in _MS and "nan" not in written else None


def _ended_at(started_at: datetime | None, runs: Sequence[_Run]) -> datetime | None:
    if started_at is None or len(runs) > 1:  # nobody knows how long the pauses were
        return None
    return end_of(started_at, runs[0].summary["duration_s"])


def _distributions(runs: Sequence[_Run]) -> pa.Table | None:
    """Make histograms of spectra: what lies between two values of one. That of all is given for one run only."""
    rows = [{"name": run.name, **bin_} for run in runs for bin_ in _bins(run.spectrum)]
    if len(runs) == 1:
        rows += [{**row, "name": None} for row in rows]
    return tables.table(schema.DISTRIBUTIONS, rows) if rows else None


def _bins(spectrum: Sequence[tuple[float, int]]) -> list[Mapping[str, Any]]:
    bins: list[Mapping[str, Any]] = []
    lower, below = 0.0, 0
    for value, count in spectrum:
        upper = math.nextafter(value, math.inf)  # the spectrum counts what equals its value, a bin does not
        if count > below and upper > lower:
            bins.append({"lower_ms": lower, "upper_ms": upper, "count": count - below})
            lower, below = upper, count
    return bins
