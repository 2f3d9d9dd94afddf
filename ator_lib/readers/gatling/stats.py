"""The statistics that Gatling's HTML report holds as JSON, until version 3.14: ``stats.json``, ``global_stats.json``.

``stats.json`` is a tree of groups with requests in them; ``global_stats.json`` is no more than the statistics of its
root. Both lie in the folder ``js`` of a report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ator_lib.errors import ResultsError
from ator_lib.readers import json_documents, tables
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source, only
from ator_lib.readers.gatling.shared import BETWEEN_GROUPS, UNNAMED
from ator_lib.readers.json_documents import members, number, word

PRECISION = "tool summary"

_MARKS = (b'"numberOfRequests"', b'"minResponseTime"', b'"standardDeviation"')
_PERCENTILES = ("p50_ms", "p75_ms", "p95_ms", "p99_ms")  # by default
_PERCENTILES_2_0 = ("p95_ms", "p99_ms")


class GatlingStatsReader:
    """Reads the statistics of one report."""

    about: ClassVar[Format] = Format(
        name="gatling-stats",
        tool="gatling",
        files="js/stats.json or js/global_stats.json in a report of Gatling 2.0 to 3.14",
        gives="summaries",
        precision="whole milliseconds, percentiles estimated",
        limits="says neither when the run was nor which percentiles it holds: Gatling's default ones are assumed",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it is JSON with the keys of a statistic."""
        return json_documents.begins_object(source, _MARKS)

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read ``stats.json``, or ``global_stats.json`` where it is alone.

        Raises
        ------
        ResultsError
            A file is no such statistic, there is no request in it, or there are several reports.
        """
        findings = Findings()
        source, tree = _finest(sources, findings)
        stats = members(tree.get("stats", tree))
        total = _row(source, "all requests", stats)
        if not total["requests"]:
            raise ResultsError(f"{source.name} holds no request: the simulation sent none.")
        columns = _percentile_columns(stats)
        listed = ", ".join(column.removesuffix("_ms") for column in columns)
        findings.note(f"{source.name} does not say which percentiles it holds: {listed}, as by default, are assumed")
        return Reading(
            tool="gatling",
            precision=PRECISION,
            summaries=tables.summaries(
                list(_rows(source, tree)), precision=PRECISION, total=total, duration_s=_duration_s(total)
            ),
            started_at=options.started_at,
            findings=findings,
        )


def _finest(sources: Sequence[Source], findings: Findings) -> tuple[Source, dict[str, Any]]:
    """Load the one tree of requests, or what there is instead."""
    documents = [(source, json_documents.load_object(source)) for source in sources]
    trees = [(source, document) for source, document in documents if "contents" in document] or documents
    source = only([source for source, _ in trees], "a report of Gatling")
    for other, _ in documents:
        if other is not source:
            findings.note(f"not read: {other.name}")
    return trees[0]


def _rows(source: Source, tree: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for each request, named by its groups, too, where they only tell it from another."""
    requests = list(_requests(tree))
    times = Counter(path[-1] for path, _ in requests)
    for path, stats in requests:
        name = BETWEEN_GROUPS.join(path) if times[path[-1]] > 1 else path[-1]
        yield {"name": name, **_row(source, name, stats)}


def _requests(tree: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield requests in the order of the file; the statistics of groups are not those of requests."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), child) for child in _children(tree)]
    while waiting:
        groups, node = waiting.pop()
        path = (*groups, word(members(node).get("name")) or UNNAMED)
        if members(node).get("type") == "REQUEST":
            yield path, members(node.get("stats"))
        else:
            waiting += [(path, child) for child in _children(members(node))]


def _children(node: Mapping[str, Any]) -> list[Any]:
    return list(members(node.get("contents")).values())[::-1]  # as they are taken from the end


def _row(source: Source, name: str, stats: Mapping[str, Any]) -> dict[str, Any]:
    requests, failures = (_number(stats, "numberOfRequests", of) for of in ("total", "ko"))
    if requests is None or failures is None:
        raise ResultsError(f"{source.name} does not say how many requests there were and failed ({name}).")
    percentiles = {
        column: _number(stats, f"percentiles{place}") for place, column in enumerate(_percentile_columns(stats), 1)
    }
    return {
        "requests": int(requests),
        "failures": int(failures),
        "throughput_rps": _number(stats, "meanNumberOfRequestsPerSecond"),
        "mean_ms": _number(stats, "meanResponseTime"),
        "stddev_ms": tables.of_sample(_number(stats, "standardDeviation"), requests),
        "min_ms": _number(stats, "minResponseTime"),
        "max_ms": _number(stats, "maxResponseTime"),
        **percentiles,
    }


def _percentile_columns(stats: Mapping[str, Any]) -> tuple[str, ...]:
    return _PERCENTILES if "percentiles3" in stats else _PERCENTILES_2_0


def _duration_s(total: Mapping[str, Any]) -> float | None:
    """Give the run's length, which Gatling divides by; where it rounds the rate to whole numbers it cannot be told."""
    rate = total["throughput_rps"]
    return total["requests"] / rate if rate and not rate.is_integer() else None


def _number(stats: Mapping[str, Any], key: str, of: str = "total") -> float | None:
    """Give a statistic of all requests, or of those that are ``ok`` or ``ko``; ``-`` is none."""
    value = members(stats.get(key)).get(of)
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return number(value)
