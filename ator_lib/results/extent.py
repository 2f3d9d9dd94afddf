"""The time that samples span, and its division into equal intervals, as SQL needs them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ator_lib.errors import ResultsError, UsageError
from ator_lib.results.duck import Connection

MOST_REQUESTS = 1_000_000_000
"""More expanded requests than this would not fit into memory for exact percentiles."""

MOST_INTERVALS = 10_000_000
"""Gaps are filled, so one wrong clock could ask for billions of intervals; this is 115 days of seconds."""

_LONG_MS = 1e9
"""Longer than any request: 11 days. A duration above it is some mistake."""


class Window(NamedTuple):
    """A part of a run's time, ``until`` not included; requests of unknown start are in none that has a bound."""

    since: datetime | None = None
    until: datetime | None = None

    def covers(self, column: str) -> str:
        """Return SQL, for DuckDB, for whether a time lies in it."""
        bounds = [f"{column} >= {instant(microseconds(self.since))}"] if self.since else []
        bounds += [f"{column} < {instant(microseconds(self.until))}"] if self.until else []
        return " AND ".join(bounds) or "true"


ALL_TIME = Window()


@dataclass(frozen=True, kw_only=True)
class Extent:
    """What must be known of the samples before their aggregates are asked for.

    Attributes
    ----------
    first, last
        Between which all starts lie: the earliest and the latest one, or the bounds of the window that is looked at.
        ``None`` when none is known.
    requests
        Of a window of the run about how many: as if all of them were spread evenly.
    """

    first: datetime | None
    last: datetime | None
    requests: int


def measure_extent(connection: Connection, window: Window = ALL_TIME) -> Extent:
    """Look at the samples and define ``requests``, which the queries of the other modules read: those of the window.

    A row of weight n is there n times.

    Raises
    ------
    ResultsError
        The weights add up to more requests than can be summarised exactly.
    """
    # without a condition DuckDB answers from the statistics in a Parquet file
    first, last, lightest, heaviest, requests = _one(
        connection, "min(started_at), max(started_at), min(weight), max(weight), count(*) FROM samples"
    )
    weighted = requests > 0 and (lightest, heaviest) != (1, 1)
    taken = window.covers("started_at") + (" AND weight > 0" if weighted else "")
    connection.execute(f"CREATE TEMP VIEW taken AS FROM samples WHERE {taken}")
    if weighted:
        figures = "min(started_at), max(started_at), coalesce(sum(weight), 0)::DOUBLE FROM samples WHERE weight > 0"
        first, last, requests = _one(connection, figures)
    if requests > MOST_REQUESTS:
        raise ResultsError(
            f"the samples stand for {requests:.3g} requests by their weights, more than {MOST_REQUESTS:.0g}: "
            "check the file, or keep the tool's own summary or histogram instead"
        )
    source = "SELECT taken.* FROM taken, range(taken.weight)" if weighted else "FROM taken"
    connection.execute(f"CREATE TEMP VIEW requests AS {source}")
    return _clipped(Extent(first=first, last=last, requests=int(requests)), window)


def measure_end(connection: Connection) -> datetime | None:
    """Return when the last of ``requests`` ended; ``None`` when none says when it started."""
    last, longest_ms = _one(connection, "max(started_at), max(duration_ms) FROM taken")
    within = "true"
    if last is not None and 0 <= longest_ms < _LONG_MS:
        # whoever ends last starts no earlier than the longest request before the last start: few rows of a long run
        within = f"started_at >= {instant(microseconds(last) - math.ceil(longest_ms * 1000))}"
    ended_us = "max(epoch_us(started_at) + try_cast(duration_ms * 1000 AS BIGINT))"
    (ended_at,) = _one(connection, f"make_timestamptz({ended_us}) FROM taken WHERE {within}")
    found: datetime | None = ended_at
    return found


def seconds_between(first: datetime | None, ended_at: datetime | None) -> float | None:
    """Return the length of a load window; ``None`` when one of its ends is not known."""
    return None if first is None or ended_at is None else (ended_at - first).total_seconds()


def _one(connection: Connection, query: str) -> tuple[Any, ...]:
    row: dict[str, Any] = connection.sql(f"SELECT {query}").to_arrow_table().to_pylist()[0]
    return tuple(row.values())


def _clipped(extent: Extent, window: Window) -> Extent:
    if extent.first is None or extent.last is None:
        return extent
    first = max(extent.first, window.since or extent.first)
    last = extent.last if window.until is None else min(extent.last, window.until - timedelta(microseconds=1))
    if first > last:
        return Extent(first=None, last=None, requests=0)
    share = (last - first) / (extent.last - extent.first) if first < last else 1
    return Extent(first=first, last=last, requests=math.ceil(extent.requests * share))


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Equal intervals in whole microseconds since 1970: ``count`` of them from ``start_us`` cover the samples."""

    origin_us: int
    step_us: int
    start_us: int
    count: int

    def windows(self, number: int) -> Iterator[Grid]:
        """Cut into as many grids of about the same number of intervals, one after the other."""
        length = max(math.ceil(self.count / max(number, 1)), 1)
        for first in range(0, self.count, length):
            start_us = self.start_us + first * self.step_us
            yield replace(self, start_us=start_us, count=min(length, self.count - first))

    def bucket(self, column: str) -> str:
        """Return SQL for the start of the interval that a time lies in."""
        return f"time_bucket(to_microseconds({self.step_us}), {column}, {instant(self.origin_us)})"

    def step(self, column: str) -> str:
        """Return SQL for the number of the interval, from 0, that a time lies in: faster to find than its start."""
        return f"(epoch_us({column}) - {self.start_us}) // {self.step_us}"

    def start_of(self, step: str) -> str:
        """Return SQL for the start of the interval of that number."""
        return f"make_timestamptz({self.start_us} + {step} * {self.step_us})"

    def covers(self, column: str) -> str:
        """Return SQL for whether a time lies in one of the intervals; null does not."""
        end_us = self.start_us + self.count * self.step_us
        return f"{column} >= {instant(self.start_us)} AND {column} < {instant(end_us)}"

    def intervals(self) -> str:
        """Return SQL for the starts of all intervals, also of those without a request."""
        return f"SELECT {self.start_of('i')} AS interval_start FROM range({self.count}) AS steps(i)"


def grid_over(extent: Extent, interval_s: float, *, from_first: bool) -> Grid:
    """Divide the time; intervals start at UTC multiples of their length, or at the first request.

    Raises
    ------
    UsageError
        The interval is no positive length, or so short that there would be too many of them.
    """
    if not 1e-6 <= interval_s <= 1e9:
        raise UsageError(f"an interval of {interval_s} s is not possible: give a positive number of seconds")
    step = round(interval_s * 1_000_000)
    if extent.first is None or extent.last is None:
        return Grid(origin_us=0, step_us=step, start_us=0, count=0)
    first, last = microseconds(extent.first), microseconds(extent.last)
    origin = first if from_first else 0
    start = first - (first - origin) % step
    count = (last - start) // step + 1
    if count > MOST_INTERVALS:
        raise UsageError(
            f"requests from {extent.first:%Y-%m-%d %H:%M} to {extent.last:%Y-%m-%d %H:%M} UTC make {count} intervals "
            f"of {interval_s} s, more than {MOST_INTERVALS}: give a longer interval, or check the clocks of the load"
        )
    return Grid(origin_us=origin, step_us=step, start_us=start, count=count)


def instant(at_us: int) -> str:
    """Return SQL for a time in microseconds since 1970."""
    return f"make_timestamptz({at_us})"


def microseconds(moment: datetime) -> int:
    """Return microseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
