"""Reads the report of Artillery."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import tables
from ator_lib.readers.artillery import version1, version2
from ator_lib.readers.artillery.report import Counted, Report
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source, only
from ator_lib.readers.json_documents import load_object, member

OTHER_REQUESTS = "other requests"
"""Name of those that the plugin did not see."""

_BEGINNING = re.compile(rb'\{\s*"(aggregate|intermediate)"\s*:')
_MARKS = (b'"scenariosCreated"', b'"vusers.created', b'"http.requests"')


class ArtilleryReader:
    """Reads one report."""

    about: ClassVar[Format] = Format(
        name="artillery",
        tool="artillery",
        files="artillery run --output, of versions 1 and 2, with the plugin metrics-by-endpoint or without",
        gives="summaries, errors, a timeline of 10 s; samples where version 1 kept them",
        precision="version 2: percentiles ±1%; version 1: as it sums up",
        limits="HTTP only; durations end at the first byte, and requests without an answer have none; names only "
        "from the plugin; failures of the timeline count in the period in which they came",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it is JSON that begins with a part of a report, and counts what Artillery counts."""
        is_report = _BEGINNING.match(source.head.lstrip()) is not None
        return is_report and any(mark in source.head for mark in _MARKS)

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read a report.

        Raises
        ------
        ResultsError
            There are several, it is damaged, or tells of no HTTP request.
        """
        source = only(sources, "a run of Artillery")
        document = load_object(source)
        is_first = member(document, "aggregate", "codes") is not None
        report = version1.parse(document) if is_first else version2.parse(document)
        if not report.total.sent:
            raise ResultsError(f"{source.name} holds no HTTP requests: Artillery sent none, or by another engine.")
        if is_first and (samples := version1.samples(document, report.total)) is not None:
            stream = tables.stream(iter([samples]))
            return Reading(tool="artillery", precision=schema.EXACT, samples=stream, metrics=_users(report))
        return _summed_up(report)


def _users(report: Report) -> pa.Table:
    said = [period for period in report.periods if period.users is not None]
    rows = [
        {"timestamp": each.started_at, "metric": "users", "value": each.users, "source": "artillery"} for each in said
    ]
    return tables.table(schema.METRICS, rows)


def _summed_up(report: Report) -> Reading:
    findings = Findings()
    _note(report, findings)
    rows = _by_name(report)
    duration_s = None
    if report.started_at is not None and report.ended_at is not None:
        duration_s = max((report.ended_at - report.started_at).total_seconds(), 0.0)
    return Reading(
        tool="artillery",
        precision=report.precision,
        summaries=tables.summaries(
            rows, precision=report.precision, total=report.total.summary(), duration_s=duration_s
        ),
        timeline=tables.table(schema.TIMELINE, [period.row() for period in report.periods]),
        errors=_errors(report),
        started_at=report.started_at,
        ended_at=report.ended_at,
        findings=findings,
    )


def _by_name(report: Report) -> list[dict[str, Any]]:
    """Give a row of ``schema.SUMMARIES`` per endpoint, and one of the requests that are in none: redirects, unnamed."""
    if not report.endpoints:
        return [report.total.summary()]
    rows = [each.summary() for each in report.endpoints]
    requests, failures = (
        total - sum(row[column] for row in rows)
        for column, total in (("requests", report.total.sent), ("failures", report.total.failures))
    )
    if requests > 0:
        rows.append({"name": OTHER_REQUESTS, "requests": requests, "failures": min(max(failures, 0), requests)})
    return rows


def _errors(report: Report) -> pa.Table:
    """Make ``schema.ERRORS``, by endpoint as far as the plugin saw them."""
    statuses, words = Counter(report.total.answers), Counter(report.total.errors)
    for endpoint in report.endpoints:
        statuses -= Counter(endpoint.answers)
        words -= Counter(endpoint.errors)
    rest = Counted(sent=report.total.sent, answers=statuses, errors=words)
    failed = [error for each in (*report.endpoints, rest) for error in each.failed() if error["requests"]]
    return tables.table(schema.ERRORS, sorted(failed, key=lambda error: -int(error["requests"])))


def _note(report: Report, findings: Findings) -> None:
    total = report.total
    if total.unanswered:
        findings.note(f"durations are of answers: {total.unanswered} requests without one, such as timeouts, have none")
    if total.refused_answers and total.bad_answers:
        findings.note(
            f"{total.refused_answers} answers that the test refused and {total.bad_answers} of a bad status may be the "
            "same requests: the larger number counts as failures"
        )
    if report.periods and (others := total.sent - sum(period.counted.sent for period in report.periods)):
        findings.note(f"the periods lack {others} of all requests: Artillery's own sums differ")
