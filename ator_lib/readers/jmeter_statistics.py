"""``statistics.json``: the table of JMeter's HTML report, which JMeter writes beside it since 5.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ator_lib.errors import ResultsError
from ator_lib.readers import json_documents, tables
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source, only
from ator_lib.readers.json_documents import count, number

_PRECISION = "tool summary"
_TOTAL = "Total"
_MARKS = (b'"sampleCount"', b'"errorCount"', b'"meanResTime"')
_COUNTS = {"requests": "sampleCount", "failures": "errorCount"}
_DURATIONS = {
    "meanResTime": "mean_ms",
    "minResTime": "min_ms",
    "maxResTime": "max_ms",
    "medianResTime": "p50_ms",
    "pct1ResTime": "p90_ms",
    "pct2ResTime": "p95_ms",
    "pct3ResTime": "p99_ms",
}
_DEFAULTS = (
    "pct1ResTime, pct2ResTime and pct3ResTime were taken for the percentiles 90, 95 and 99, as JMeter is set up by "
    "default (aggregate_rpt_pct1 to 3)"
)
_ESTIMATED = "the percentiles of the total are JMeter's, of its last 20,000 requests only (statistic_window)"
_WINDOW = 20_000
_DOUBLED = "the names add up to more than the total, which counts requests only: some are transaction controllers"


class JmeterStatisticsReader:
    """Reads the statistics of one report."""

    about: ClassVar[Format] = Format(
        name="jmeter-statistics",
        tool="jmeter",
        files="statistics.json of jmeter -e -o report",
        gives="summaries",
        precision=_PRECISION,
        limits="no times, no bytes; p90, p95 and p99 as by default; transaction controllers are names among the others",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it is JSON with the keys of a statistic."""
        return json_documents.begins_object(source, _MARKS)

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the statistics.

        Raises
        ------
        ResultsError
            There are several, it is damaged, or tells of no request.
        """
        source = only(sources, "the statistics of a JMeter report")
        document = json_documents.load_object(source)
        statistics = {name: _row(source, name, value) for name, value in document.items()}
        total = statistics.pop(_TOTAL, None)
        names = [{"name": name, **row} for name, row in statistics.items()]
        if not (names or total) or not (total or tables.total_of(names))["requests"]:
            raise ResultsError(f"{source.name} tells of no request: JMeter sent none.")
        return Reading(
            tool="jmeter",
            precision=_PRECISION,
            summaries=tables.summaries(names, precision=_PRECISION, total=total),
            started_at=options.started_at,
            findings=Findings(notes=_notes(names, total)),
        )


def _notes(names: Sequence[Mapping[str, Any]], total: Mapping[str, Any] | None) -> list[str]:
    notes = [_DEFAULTS]
    if total and total["requests"] > _WINDOW:
        notes.append(_ESTIMATED)
    if total and sum(row["requests"] for row in names) > total["requests"]:
        notes.append(_DOUBLED)
    return notes


def _row(source: Source, name: str, statistic: Any) -> dict[str, Any]:
    if not isinstance(statistic, dict):
        raise ResultsError(f"{source.name} is no statistics.json of JMeter: {name[:60]!r} is no object in it.")
    counts = {column: count(statistic.get(key)) for column, key in _COUNTS.items()}
    for column, known in counts.items():
        if known is None:
            raise ResultsError(f"{source.name} does not say how many {column} {name[:60]!r} had.")
    durations = {column: number(statistic.get(key)) for key, column in _DURATIONS.items()}
    return {**counts, "throughput_rps": number(statistic.get("throughput")), **durations}
