"""Reads the result of oha."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, ClassVar

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import tables
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source, only
from ator_lib.readers.json_documents import begins_object, count, counts, load_object, member, number
from ator_lib.readers.text_documents import ALL_REQUESTS

PRECISION = "tool summary"

_MARKS = (b'"successRate"', b'"latencyPercentiles"', b'"statusCodeDistribution"')
_SUMMARY = {"mean_ms": "average", "min_ms": "fastest", "max_ms": "slowest"}
_PERCENTILES = {
    "p50_ms": "p50",
    "p75_ms": "p75",
    "p90_ms": "p90",
    "p95_ms": "p95",
    "p99_ms": "p99",
    "p99_9_ms": "p99.9",
}
_CUT_OFF = "aborted due to deadline"
_MS = 1000.0
_LONGEST_S = 10**8


class OhaReader:
    """Reads one result."""

    about: ClassVar[Format] = Format(
        name="oha",
        tool="oha",
        files="oha --output-format json (or --json)",
        gives="summaries, distributions, errors",
        precision=PRECISION,
        limits="one name for all requests; percentiles are of answered requests, not interpolated; no times of day",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it is JSON with the keys of a result."""
        return begins_object(source, _MARKS)

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read a result.

        Raises
        ------
        ResultsError
            There are several, it is damaged, or tells of no request.
        """
        source = only(sources, "a run of oha")
        result = load_object(source)
        findings = Findings()
        statuses, errors = counts(result.get("statusCodeDistribution")), counts(result.get("errorDistribution"))
        answered, unanswered = sum(statuses.values()), sum(errors.values())
        if not answered + unanswered:
            raise ResultsError(f"{source.name} holds no requests: oha got no answer and met no error.")
        failed = _failed(statuses, errors)
        row = {
            "name": ALL_REQUESTS,
            "requests": answered + unanswered,
            "failures": sum(each["requests"] for each in failed),
            "bytes_received": count(member(result, "summary", "totalData")),
            **(_latencies(result) if answered else {}),
        }
        _note(errors, answered, findings)
        duration_s = number(member(result, "summary", "total"))
        return Reading(
            tool="oha",
            precision=PRECISION,
            summaries=tables.summaries([row], precision=PRECISION, duration_s=duration_s),
            distributions=_distributions(result, answered),
            errors=tables.table(schema.ERRORS, failed),
            started_at=options.started_at,
            ended_at=_ended_at(options.started_at, duration_s),
            findings=findings,
        )


def _failed(statuses: Mapping[str, int], errors: Mapping[str, int]) -> list[dict[str, Any]]:
    """Give rows of ``schema.ERRORS``; oha's own success rate knows no bad status."""
    failed: list[dict[str, Any]] = [{"error": error, "requests": requests} for error, requests in errors.items()]
    for status, requests in statuses.items():
        if re.fullmatch(r"[1-9]\d\d", status) is None:
            failed.append({"error": f"status {status[:40]}", "requests": requests})
        elif not 100 <= int(status) < 400:
            failed.append({"status_code": int(status), "requests": requests})
    counted = [{"name": ALL_REQUESTS, **each} for each in failed if each["requests"]]
    return sorted(counted, key=lambda each: -each["requests"])


def _latencies(result: Mapping[str, Any]) -> dict[str, float | None]:
    said = {column: member(result, "summary", key) for column, key in _SUMMARY.items()}
    said |= {column: member(result, "latencyPercentiles", key) for column, key in _PERCENTILES.items()}
    seconds = {column: number(value) for column, value in said.items()}  # null where oha had none
    return {column: None if value is None else value * _MS for column, value in seconds.items()}


def _note(errors: Mapping[str, int], answered: int, findings: Findings) -> None:
    if cut_off := errors.get(_CUT_OFF):
        findings.note(
            f"{cut_off} requests were under way when the time was up and count as failures: "
            "oha's own success rate leaves them out"
        )
    if unanswered := sum(errors.values()):
        findings.note(f"latencies are of the {answered} answers: {unanswered} requests without one have none")


def _distributions(result: Mapping[str, Any], answered: int) -> pa.Table | None:
    """Make bins of the histogram, whose keys are upper ends; the first one holds what took least, and has no width."""
    written = counts(result.get("responseTimeHistogram"))
    at = sorted((float(key) * _MS, n) for key, n in written.items() if re.fullmatch(r"\d{1,15}(\.\d{1,40})?", key))
    if len(at) < 2 or sum(n for _, n in at) != answered:  # of equal times, and of none, oha prints no sound one
        return None
    bins = [
        {"lower_ms": lower, "upper_ms": upper, "count": n + (at[0][1] if lower == at[0][0] else 0)}
        for (lower, _), (upper, n) in pairwise(at)
    ]
    bins[-1]["upper_ms"] = math.nextafter(bins[-1]["upper_ms"], math.inf)  # the longest time is in its bin
    return tables.table(
        schema.DISTRIBUTIONS, [{"name": name, **each} for name in (ALL_REQUESTS, None) for each in bins]
    )


def _ended_at(started_at: datetime | None, duration_s: float | None) -> datetime | None:
    if started_at is None or duration_s is None or duration_s > _LONGEST_S:
        return None
    return started_at + timedelta(seconds=duration_s)
