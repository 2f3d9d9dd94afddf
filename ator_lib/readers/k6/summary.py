"""k6's summary at the end of a run: ``--summary-export``, or what ``handleSummary`` is given, old and new."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import json_documents, tables
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source, only
from ator_lib.readers.k6.forms import Summary, summary_of

_PRECISION = "tool summary"
_MARKS = re.compile(
    rb'"(root_group|testRunDurationMs|k6_?[vV]ersion|http_req_duration|iteration_duration)"\s*:|"checks_total"'
)
_STATISTICS = {"avg": "mean_ms", "min": "min_ms", "med": "p50_ms", "max": "max_ms"}
_PERCENTILE = re.compile(r"p\(?(\d+(?:\.\d+)?)\)?$")
_SUBMETRIC = re.compile(r"http_req_duration(\{(.+)\})$", re.DOTALL)
_LONGEST_S = 1e9


class K6SummaryReader:
    """Reads one summary: what k6 says of the whole run, and of names that have thresholds of their own."""

    about: ClassVar[Format] = Format(
        name="k6-summary",
        tool="k6",
        files="the summary of a run (k6 run --summary-export=FILE, or what handleSummary is given), old and new",
        gives="summaries, cases (checks and thresholds)",
        precision=_PRECISION,
        limits="the percentiles of summaryTrendStats; a name has a row if http_reqs{name:…} has a threshold, too",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it is an object with words that only k6 uses."""
        return json_documents.begins_object(source) and _MARKS.search(source.head) is not None

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the summary.

        Raises
        ------
        ResultsError
            It is no whole JSON document, or has no requests and no checks of k6.
        """
        source = only(sources, "a summary of k6")
        summary = summary_of(json_documents.load_object(source))
        findings = Findings()
        summaries, cases = _summaries(summary, findings), tables.table(schema.CASES, _cases(summary))
        if summaries is None and not len(cases):
            raise ResultsError(f"{source.name} has no requests and no checks of k6: is it a summary that k6 made?")
        started_at, ended_at = _window(summary, options, findings)
        return Reading(
            tool="k6",
            tool_version=summary.version,
            precision=_PRECISION,
            summaries=summaries,
            cases=cases,
            started_at=started_at,
            ended_at=ended_at,
            findings=findings,
        )


def _summaries(summary: Summary, findings: Findings) -> pa.Table | None:
    requests = _requests(summary, "")
    if requests is None:
        return None
    failures = summary.metric("http_req_failed").count("matches")
    if failures is None:
        findings.note("there is no http_req_failed: how many requests failed is unknown, and stands as 0")
    total = _row(summary, "", requests, failures or 0)
    total["bytes_received"] = summary.metric("data_received").count("count")
    rows = list(_named_rows(summary, findings))
    return tables.summaries(rows, precision=_PRECISION, total=total, duration_s=summary.duration_s)


def _named_rows(summary: Summary, findings: Findings) -> Iterator[dict[str, Any]]:
    for metric in summary.metrics:
        found = _SUBMETRIC.match(metric)
        named = _named(found[2]) if found else None
        if found is None or named is None:
            continue
        tags = found[1]
        requests, failures = _requests(summary, tags), summary.metric(f"http_req_failed{tags}").count("matches")
        if failures is None and summary.metric("http_req_failed").count("matches") == 0:
            failures = 0
        if requests is None or failures is None:
            absent = "http_reqs" if requests is None else "http_req_failed"
            findings.note(f"left out: {metric}, as there is no {absent}{tags} that counts them")
        else:
            yield named | _row(summary, tags, requests, failures)


def _named(tags: str) -> dict[str, str] | None:
    """Say which name, and method, a submetric is of, such as ``name:login``; ``None`` if of something else."""
    pairs = {key.strip(): value.strip() for key, _, value in (pair.partition(":") for pair in tags.split(","))}
    name = pairs.get("name", pairs.get("url"))
    if not name or not pairs.keys() <= {"name", "url", "method"}:
        return None
    return {"name": name} | ({"method": pairs["method"]} if "method" in pairs else {})


def _requests(summary: Summary, tags: str) -> int | None:
    """Say how many requests there were with these tags, ``{name:login}`` or empty for all."""
    counts = (
        summary.metric(f"http_reqs{tags}").count("count"),
        summary.metric(f"http_req_failed{tags}").count("total"),
        summary.metric(f"http_req_duration{tags}").count("count"),
    )
    return next((count for count in counts if count is not None), None)


def _row(summary: Summary, tags: str, requests: int, failures: int) -> dict[str, Any]:
    values = summary.metric(f"http_req_duration{tags}").values if requests else {}  # k6 puts 0 where there was none
    told = {column: value for name, value in values.items() if (column := _column(name)) is not None}
    rate = summary.metric(f"http_reqs{tags}").values.get("rate")
    return {**told, "requests": requests, "failures": min(failures, requests), "throughput_rps": rate}


def _column(statistic: str) -> str | None:
    if (found := _PERCENTILE.match(statistic)) is None:
        return _STATISTICS.get(statistic)
    percent = float(found[1])
    return next((column for column, q in schema.PERCENTILES.items() if math.isclose(q * 100, percent)), None)


def _cases(summary: Summary) -> Iterator[dict[str, str | None]]:
    for check in summary.checks:
        message = f"{check.fails} of {check.passes + check.fails} failed" if check.fails else None
        yield _case(check.group or "checks", check.name, message)
    for name, metric in summary.metrics.items():
        for rule, is_kept in metric.thresholds.items():
            yield _case("thresholds", f"{name}: {rule}", None if is_kept else _reached(rule, metric.values))


def _case(suite: str, case: str, message: str | None) -> dict[str, str | None]:
    return {"suite": suite, "case": case, "status": "failed" if message else "passed", "message": message}


def _reached(rule: str, values: Mapping[str, float]) -> str:
    """Say what crossed a threshold such as ``p(95)<500``."""
    statistic = re.split(r"[<>=!\s]", rule.strip(), maxsplit=1)[0]
    value = values.get(statistic, values.get("value") if statistic == "rate" else None)
    return "crossed" if value is None else f"crossed: {statistic} is {value:.6g}"


def _window(summary: Summary, options: ReadOptions, findings: Findings) -> tuple[datetime | None, datetime | None]:
    length = timedelta(seconds=min(max(summary.duration_s or 0, 0), _LONGEST_S))
    try:
        if options.started_at is not None:
            return options.started_at, options.started_at + length
        if summary.generated_at is not None:
            return summary.generated_at - length, summary.generated_at
    except OverflowError:  # beyond the first or the last year
        pass
    findings.note("the summary does not say when the run was: give it (started_at=)")
    return None, None
