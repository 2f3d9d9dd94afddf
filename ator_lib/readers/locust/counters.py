"""What Locust has counted so far, whichever file says it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ator_lib.readers.locust.rows import LARGEST_COUNT, Row

_PERCENTILES = {
    "p50_ms": "50%",
    "p75_ms": "75%",
    "p90_ms": "90%",
    "p95_ms": "95%",
    "p99_ms": "99%",
    "p99_9_ms": "99.9%",
}


class Key(NamedTuple):
    """Whose figures they are; both null: of all requests."""

    name: str | None
    method: str | None


TOTAL = Key(None, None)


@dataclass(frozen=True, kw_only=True)
class Count:
    """Requests up to some time; ``total_ms`` is the sum of what they took, null where only a rounded mean is known."""

    requests: int = 0
    failures: int = 0
    total_ms: float | None = 0.0


def key_of(row: Row) -> Key:
    """Give whose row it is."""
    return TOTAL if row.is_total else Key(row.name, row.method)


def count(row: Row) -> Count:
    """Read how many requests there were.

    Raises
    ------
    ValueError
        A cell is no number.
    """
    requests, failures, mean_ms = row.count("requests"), row.count("failures"), row.measured("average")
    if failures > requests:
        raise ValueError(f"{failures} failures of {requests} requests")
    return Count(requests=requests, failures=failures, total_ms=None if mean_ms is None else mean_ms * requests)


def percentiles(row: Row, columns: Iterable[str] = _PERCENTILES) -> dict[str, float]:
    """Read percentiles that ``schema.SUMMARIES`` has, as far as Locust was asked for them.

    Raises
    ------
    ValueError
        A cell is no number.
    """
    read = {column: row.number(_PERCENTILES[column]) for column in columns}
    return {column: value for column, value in read.items() if value is not None}


def summary(row: Row) -> dict[str, Any]:
    """Read a row of ``schema.SUMMARIES``, of percentiles the median only: others may be of a part of the time.

    Raises
    ------
    ValueError
        A cell is no number.
    """
    counts, size = count(row), row.measured("average content size")
    requests = counts.requests
    counted = {"name": row.name, "method": row.method, "requests": requests, "failures": counts.failures}
    measured = {
        "p50_ms": row.number("median"),
        "mean_ms": row.number("average"),
        "min_ms": row.number("min"),
        "max_ms": row.number("max"),
        "bytes_received": None if size is None or size * requests >= LARGEST_COUNT else round(size * requests),
    }
    return counted | measured if requests else counted  # the zeros of no request at all are no measurements
