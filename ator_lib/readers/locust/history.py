"""``_stats_history.csv``: what Locust had counted so far, about every second; the differences are the timeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ator_lib.readers.base import Findings, Source
from ator_lib.readers.locust.counters import TOTAL, Count, Key, count, key_of, percentiles, summary
from ator_lib.readers.locust.rows import Row, rows

LATEST_S = 253_402_300_799
"""The last second of the year 9999, and of what times can say."""

_SHOWN = ("p50_ms", "p95_ms", "p99_ms")


@dataclass(kw_only=True)
class Snapshot:
    """What had been counted at a time, of each name and of all requests.

    Parameters
    ----------
    at_s
        Seconds since 1970.
    users
        Virtual users; ``None`` where the file does not say.
    percentiles
        Of the whole time, or of about the last ten seconds: ``History.is_recent``.
    """

    at_s: int
    users: int | None = None
    counts: dict[Key, Count] = field(default_factory=dict)
    percentiles: dict[Key, dict[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class History:
    """Snapshots in their order, and what the last rows say of all the time.

    Parameters
    ----------
    is_full
        Every name has rows (--csv-full-history).
    is_recent
        Percentiles are of the last seconds, and not of all the time.
    """

    snapshots: list[Snapshot]
    summaries: dict[Key, dict[str, Any]]
    is_full: bool
    is_recent: bool


def history(source: Source, findings: Findings) -> History:
    """Read a history; rows that cannot be read are rejected."""
    snapshots: list[Snapshot] = []
    last: dict[Key, Row] = {}
    for row in rows(source, findings, ended=True):
        try:
            key = key_of(row)
            _add(row, key, snapshots)
            last[key] = row
        except ValueError as error:
            findings.reject(source, row.line, str(error), row.text)
    is_full = any(key != TOTAL for key in last)
    # rounded averages are of a version before 1.2; later ones look at the last seconds only where they tell names apart
    is_recent = is_full or any(row.measured("average") is None for row in last.values())
    summaries = {}
    for key, row in last.items():
        try:
            summaries[key] = summary(row) if is_recent else summary(row) | percentiles(row)
        except ValueError as error:
            findings.reject(source, row.line, str(error), row.text)
    return History(snapshots=snapshots, summaries=summaries, is_full=is_full, is_recent=is_recent)


def _add(row: Row, key: Key, snapshots: list[Snapshot]) -> None:
    at_s, users = row.count("timestamp"), row.number("user")
    last_s = snapshots[-1].at_s if snapshots else 0
    if not max(last_s, 1) <= at_s <= LATEST_S:
        raise ValueError(f"timestamp {at_s} is before the one above it, or no time")
    counted, shown = count(row), percentiles(row, _SHOWN)
    if at_s > last_s:
        snapshots.append(Snapshot(at_s=at_s))
    snapshots[-1].users = None if users is None else int(users)
    snapshots[-1].counts[key] = counted
    snapshots[-1].percentiles[key] = shown


def timeline(read: History, findings: Findings) -> list[dict[str, Any]]:
    """Give rows of ``schema.TIMELINE`` from the first request to the last one."""
    snapshots = [snapshot for snapshot in read.snapshots if TOTAL in snapshot.counts]
    totals = [snapshot.counts[TOTAL].requests for snapshot in snapshots]
    changes = [number for number, (before, now) in enumerate(pairwise([0, *totals])) if now != before]
    if not changes:
        return []
    if tail := len(snapshots) - 1 - changes[-1]:
        findings.note(f"the last {tail} rows of the history repeat its totals, no request came any more: left out")
    if read.is_recent:
        findings.note("percentiles of the timeline are Locust's own, of about the ten seconds before each row's end")
    first_s, step_s = snapshots[0].at_s, snapshots[1].at_s - snapshots[0].at_s if len(snapshots) > 1 else 1
    known: dict[Key, Count] = {}
    rows: list[dict[str, Any]] = []
    for number, (before, now) in enumerate(pairwise([Snapshot(at_s=max(first_s - step_s, 0)), *snapshots])):
        if changes[0] <= number <= changes[-1]:
            rows += _interval(before.at_s, now, known, findings, with_percentiles=read.is_recent)
        known |= now.counts
    return rows


def _interval(
    start_s: int, now: Snapshot, known: Mapping[Key, Count], findings: Findings, *, with_percentiles: bool
) -> Iterator[dict[str, Any]]:
    seconds = now.at_s - start_s
    for key in sorted(now.counts, key=lambda key: (key.name or "", key.method or "")):  # all requests first
        counted = now.counts[key]
        before = known.get(key, Count())
        if counted.requests < before.requests:
            findings.note("Locust began to count anew while it ran (--reset-stats): what it had counted before is lost")
            before = Count()
        requests = counted.requests - before.requests
        if not requests and key != TOTAL:
            continue
        row = {
            "interval_start": start_s * 1_000_000,
            "interval_s": float(seconds),
            "name": key.name,
            "method": key.method,
            "users": now.users if key == TOTAL else None,
            "requests": requests,
            "failures": max(counted.failures - before.failures, 0),
            "throughput_rps": requests / seconds,
            "mean_ms": _mean_ms(counted, before),
        }
        shown = now.percentiles.get(key, {}) if with_percentiles and requests else {}
        yield row | {column: shown.get(column) or None for column in _SHOWN}  # 0: none in the last seconds


def _mean_ms(counted: Count, before: Count) -> float | None:
    requests = counted.requests - before.requests
    if not requests or counted.total_ms is None or before.total_ms is None:
        return None
    return max((counted.total_ms - before.total_ms) / requests, 0.0)
