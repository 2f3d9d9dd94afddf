"""The report of Artillery 1: a summary of all the time, and one every ten seconds, often with all its requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from ator_lib.readers import tables
from ator_lib.readers.artillery.report import Counted, Period, Report, latencies, time
from ator_lib.readers.json_documents import count, counts, member, number
from ator_lib.readers.text_documents import ALL_REQUESTS

_PERIOD = timedelta(seconds=10)
_NS_PER_MS = 1e6


def parse(document: Mapping[str, Any]) -> Report:
    """Take a document apart."""
    aggregate, parts = document.get("aggregate"), _parts(document)
    total, ended_at = _counted(aggregate), time(member(aggregate, "timestamp"))
    periods = list(_periods(parts))
    return Report(
        total=total,
        periods=periods,
        started_at=_started_at(aggregate, total, ended_at),
        ended_at=ended_at,
        precision="tool summary",
    )


def samples(document: Mapping[str, Any], total: Counted) -> pa.RecordBatch | None:
    """Make ``schema.SAMPLES``, if every request is there; one without an answer never is.

    What it holds of each is the time of the answer, an id of the user, what it took in ns, and the status.
    """
    lists = [part["latencies"] for part in _parts(document) if isinstance(part.get("latencies"), list)]
    kept = [entry for entries in lists for entry in entries if _is_entry(entry)]
    if total.errors or not kept or len(kept) != total.sent:
        return None
    statuses = [entry[3] for entry in kept]
    return tables.samples_batch(
        len(kept),
        started_at=[round(at_ms * 1000 - took_ns / 1000) for at_ms, _, took_ns, _ in kept],
        duration_ms=[took_ns / _NS_PER_MS for _, _, took_ns, _ in kept],
        name=[ALL_REQUESTS] * len(kept),
        status_code=[status or None for status in statuses],
        success=[status < 400 for status in statuses],
        user=[entry[1] for entry in kept],
    )


def _parts(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    parts = document.get("intermediate")
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _counted(part: Any) -> Counted:
    return Counted(
        sent=count(member(part, "rps", "count")) or 0,
        answers=counts(member(part, "codes")),
        errors=counts(member(part, "errors")),
        latencies=latencies(member(part, "latency")),
    )


def _started_at(aggregate: Any, total: Counted, ended_at: datetime | None) -> datetime | None:
    """Reckon from the rate, which is that of all the time."""
    rate = number(member(aggregate, "rps", "mean"))
    if ended_at is None or not rate or total.sent / rate > ended_at.timestamp():
        return None
    return ended_at - timedelta(seconds=total.sent / rate)


def _periods(parts: Sequence[Mapping[str, Any]]) -> Iterator[Period]:
    """Yield periods, which Artillery dates by their ends."""
    last: datetime | None = None
    for part in parts:
        ended_at = time(part.get("timestamp"))
        if ended_at is None or (last is not None and ended_at <= last):
            continue
        started_at = ended_at - _PERIOD if last is None else last
        seconds = (ended_at - started_at).total_seconds()
        yield Period(
            started_at=started_at, seconds=seconds, counted=_counted(part), users=count(part.get("concurrency"))
        )
        last = ended_at


def _is_entry(entry: Any) -> bool:
    if not (isinstance(entry, list) and len(entry) == 4 and isinstance(entry[1], str)):
        return False
    at_ms, took_ns, status = count(entry[0]), number(entry[2]), count(entry[3])
    if at_ms is None or took_ns is None or status is None or time(at_ms) is None:
        return False
    return took_ns / _NS_PER_MS < at_ms and status < 1000
