"""Reads what Locust left of a run."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, NoReturn

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import tables
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source, only
from ator_lib.readers.locust.counters import TOTAL, Count, Key
from ator_lib.readers.locust.histograms import Histogram, histograms
from ator_lib.readers.locust.histograms import timeline as histograms_timeline
from ator_lib.readers.locust.history import History, Snapshot, history
from ator_lib.readers.locust.history import timeline as history_timeline
from ator_lib.readers.locust.rows import columns_of
from ator_lib.readers.locust.statistics import (
    distribution,
    failures,
    note_exceptions,
    statistics,
    with_distribution,
)

_JSON = re.compile(rb'\s*\[\s*\{[^\[\]]*"num_requests"[^\[\]]*"total_response_time"')
_COLUMNS = {
    "history": {"timestamp", "method", "name", "requests", "failures", "average", "requests/s"},
    "statistics": {"method", "name", "requests", "failures", "average", "min", "max", "requests/s"},
    "distribution": {"name", "requests", "50%"},
    "failures": {"method", "name", "error", "occurrences"},
    "exceptions": {"message", "traceback", "nodes"},
}
"""What a file is, by columns that it has in every version; the first one that fits."""

TWO_DIGITS = "2 significant digits"


class LocustReader:
    """Reads all files of a run together: summaries from the best of them, the timeline from the history."""

    about: ClassVar[Format] = Format(
        name="locust",
        tool="locust",
        files="all that --csv PREFIX and --json-file (or --json) write, also with --csv-full-history; since 0.11",
        gives="summaries, errors; with the history a timeline; with JSON distributions and a timeline",
        precision=f"percentiles {TWO_DIGITS}; mean, min and max exact",
        limits="no samples; the CSV files lack what came in their last second, JSON does not; a distributed run's "
        "requests count when its workers report them, every 3 s",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it is one of Locust's CSV files by its columns, or its JSON by its first keys."""
        return _kind(source) is not None

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read a run.

        Raises
        ------
        ResultsError
            There is not one request in the files, or several of a kind, which are several runs.
        """
        findings = Findings(rows_read=0)
        files = _by_kind(sources)
        counted = histograms(files.get("json", []), findings)
        past = history(files["history"][0], findings) if "history" in files else None
        summaries = _summaries(files, counted, past, findings)
        if not any(said["requests"] for said in summaries.values()):
            raise ResultsError(f"{sources[0].name} holds no requests: Locust had made none when it was written.")
        rows = _timeline(counted, past, findings)
        window = _window(counted, rows, options)
        is_usual = all(histogram.is_rounded_as_usual for histogram in counted.values())
        precision = TWO_DIGITS if is_usual else "as the locustfile rounds"
        made = _made(summaries, precision, window, findings)
        return Reading(
            tool="locust",
            precision=precision,
            summaries=made,
            timeline=tables.table(schema.TIMELINE, rows) if rows else None,
            distributions=_distributions(counted) if counted and is_usual else None,
            errors=_errors(files, findings),
            started_at=window.started_at,
            ended_at=window.ended_at,
            findings=findings,
        )


@dataclass(frozen=True, kw_only=True)
class _Window:
    """When the load was, as far as the files say."""

    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def duration_s(self) -> float | None:
        if self.started_at is None or self.ended_at is None:
            return None
        return max((self.ended_at - self.started_at).total_seconds(), 0.0)


def _kind(source: Source) -> str | None:
    if _JSON.match(source.head):
        return "json"
    columns = set(columns_of(source.first_line))
    return next((kind for kind, known in _COLUMNS.items() if known <= columns), None)


def _by_kind(sources: Sequence[Source]) -> dict[str, list[Source]]:
    files: dict[str, list[Source]] = {}
    for source in sources:
        files.setdefault(_kind(source) or _refuse(source), []).append(source)
    for kind in _COLUMNS.keys() & files.keys():  # JSON can be added up, percentiles and times of CSV cannot
        only(files[kind], f"a run of Locust, of each kind of CSV file ({kind}),")
    return files


def _refuse(source: Source) -> NoReturn:
    raise ResultsError(f"{source.name} is none of Locust's files: neither its JSON nor a CSV file with its columns.")


def _summaries(
    files: Mapping[str, list[Source]], counted: Mapping[Key, Histogram], past: History | None, findings: Findings
) -> dict[Key, dict[str, Any]]:
    """Take the best that there is: histograms, then the statistics, then the last rows of the history."""
    if counted:
        for source in files.get("statistics", []):
            findings.note(f"{source.name} was left aside: the histograms of {files['json'][0].name} are more complete")
        return {key: histogram.summary(key) for key, histogram in counted.items()}
    if "statistics" not in files:
        return past.summaries if past else {}
    summaries = statistics(files["statistics"][0], findings)
    for source in files.get("distribution", []):
        summaries = with_distribution(summaries, distribution(source, findings))
    _check_sums(summaries, files["statistics"][0], findings)
    return summaries


def _check_sums(summaries: Mapping[Key, Mapping[str, Any]], source: Source, findings: Findings) -> None:
    for column in ("requests", "failures") if TOTAL in summaries else ():
        total, added = summaries[TOTAL][column], sum(said[column] for key, said in summaries.items() if key != TOTAL)
        if total != added:
            findings.note(f"{source.name} contradicts itself: {total} {column} in all, {added} in its rows; both kept")


def _timeline(counted: Mapping[Key, Histogram], past: History | None, findings: Findings) -> list[dict[str, Any]]:
    if past is not None:
        return history_timeline(_completed(past, counted), findings)
    if counted:
        findings.note("requests of the timeline count in the second in which they ended")
        return histograms_timeline(counted)
    return []


def _completed(past: History, counted: Mapping[Key, Histogram]) -> History:
    """Put what came after the last row of the history behind it, if there is JSON that tells."""
    last = past.snapshots[-1] if past.snapshots else None
    if last is None or not counted or counted[TOTAL].requests <= last.counts.get(TOTAL, Count()).requests:
        return past
    counts = {key: histogram.count for key, histogram in counted.items() if key == TOTAL or past.is_full}
    end = Snapshot(at_s=max(math.ceil(counted[TOTAL].ended_s), last.at_s + 1), counts=counts)
    return replace(past, snapshots=[*past.snapshots, end])


def _window(counted: Mapping[Key, Histogram], rows: Sequence[Mapping[str, Any]], options: ReadOptions) -> _Window:
    if counted and counted[TOTAL].started_s <= counted[TOTAL].ended_s:
        total = counted[TOTAL]
        return _Window(started_at=_time(total.started_s), ended_at=_time(total.ended_s))
    if rows:
        ended_s = rows[-1]["interval_start"] / 1e6 + rows[-1]["interval_s"]
        return _Window(started_at=_time(rows[0]["interval_start"] / 1e6), ended_at=_time(ended_s))
    return _Window(started_at=options.started_at)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _made(summaries: Mapping[Key, Mapping[str, Any]], precision: str, window: _Window, findings: Findings) -> pa.Table:
    rows = [said for key, said in summaries.items() if key != TOTAL and (said["requests"] or said["failures"])]
    total = summaries.get(TOTAL)
    duration_s = window.duration_s if total is None else total.get("duration_s", window.duration_s)
    made = tables.summaries(rows, precision=precision, total=total, duration_s=duration_s)
    findings.rows_read = max(findings.rows_read or 0, len(made) + len(findings.rejected))
    return made


def _distributions(counted: Mapping[Key, Histogram]) -> pa.Table:
    return tables.table(schema.DISTRIBUTIONS, (row for key, each in counted.items() for row in each.bins(key)))


def _errors(files: Mapping[str, list[Source]], findings: Findings) -> pa.Table | None:
    for source in files.get("exceptions", []):
        note_exceptions(source, findings)
    return failures(files["failures"][0], findings) if "failures" in files else None
