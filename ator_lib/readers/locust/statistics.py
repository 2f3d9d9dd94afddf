"""``_stats.csv`` (before 0.13 ``_requests.csv`` and ``_distribution.csv``), ``_failures.csv``, ``_exceptions.csv``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import pyarrow as pa

from ator_lib import schema
from ator_lib.readers import tables
from ator_lib.readers.base import Findings, Source
from ator_lib.readers.locust.counters import TOTAL, Key, key_of, percentiles, summary
from ator_lib.readers.locust.rows import TOTALS, Row, rows

_MOST_EXCEPTIONS = 10
_Read = TypeVar("_Read")


def statistics(source: Source, findings: Findings) -> dict[Key, dict[str, Any]]:
    """Read the summary of each name, and of all requests if its row is there."""
    return dict(_each(source, findings, lambda row: (key_of(row), _whole_summary(row))))


def distribution(source: Source, findings: Findings) -> dict[str, dict[str, float]]:
    """Read the percentiles of each method and name as they stand in the first column: ``GET /products``."""
    return dict(_each(source, findings, lambda row: (row.name, percentiles(row))))


def with_distribution(
    summaries: Mapping[Key, dict[str, Any]], percentiles_of: Mapping[str, dict[str, float]]
) -> dict[Key, dict[str, Any]]:
    """Put percentiles that stand in a file of their own to the summaries."""
    return {
        key: said | next((percentiles_of[label] for label in _labels(key) if label in percentiles_of), {})
        for key, said in summaries.items()
    }


def failures(source: Source, findings: Findings) -> pa.Table:
    """Read ``schema.ERRORS``, the most frequent first."""
    errors = [dict(error) for error in _each(source, findings, _error)]
    return tables.table(schema.ERRORS, sorted(errors, key=lambda error: -error["requests"]))


def note_exceptions(source: Source, findings: Findings) -> None:
    """Note what the users of the test stumbled over: that is no request."""
    told = [f"exception in the test: {row.cells.get('message', '')[:200]}" for row in rows(source, findings)]
    for sentence in told[:_MOST_EXCEPTIONS]:
        findings.note(sentence)
    if len(told) > _MOST_EXCEPTIONS:
        findings.note(f"{source.name} lists {len(told) - _MOST_EXCEPTIONS} more exceptions in the test")


def _each(source: Source, findings: Findings, read: Callable[[Row], _Read]) -> Iterator[_Read]:
    for row in rows(source, findings):
        try:
            yield read(row)
        except ValueError as error:
            findings.reject(source, row.line, str(error), row.text)


def _whole_summary(row: Row) -> dict[str, Any]:
    rate, said = row.number("requests/s"), summary(row)
    if not said["requests"]:
        return said
    window = {"duration_s": said["requests"] / rate} if rate and row.is_total else {}  # names begin later than the run
    return said | percentiles(row) | window


def _labels(key: Key) -> list[str]:
    if key == TOTAL:
        return list(TOTALS)
    return [f"{key.method} {key.name}" if key.method else str(key.name)]


def _error(row: Row) -> dict[str, Any]:
    words = {"name": row.name, "method": row.method, "error": row.word("error")}
    return words | {"requests": row.count("occurrences")}
