"""Summaries, timelines and distributions of samples, by SQL.

Every query reads ``requests``: the samples, with a row of weight n repeated n times, so that one query serves
both kinds and its result is by definition that of the expanded rows. Durations that are no finite number are not
expected here; what would make DuckDB fail on them leaves them out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError, UsageError
from ator_lib.readers.duck import text
from ator_lib.results.duck import Connection, fetch

BIN_RATIO = 1.01
"""Upper over lower edge of a histogram bin: durations are known to 1 %."""

FIRST_BIN = -694
"""Below ``BIN_RATIO ** FIRST_BIN`` ms, about a microsecond, all durations share the bin that starts at 0."""

MOST_REQUESTS = 1_000_000_000
"""More expanded requests than this would not fit into memory for exact percentiles."""

MOST_INTERVALS = 10_000_000
"""Gaps are filled, so one wrong clock could ask for billions of intervals; this is 115 days of seconds."""

REQUESTS_AT_ONCE = 5_000_000
"""Requests of a window of time, about: what a timeline holds in memory."""


@dataclass(frozen=True, kw_only=True)
class Extent:
    """What must be known of the samples before their aggregates are asked for.

    ``first`` and ``last`` are the earliest and latest start, ``ended_at`` the latest end, all ``None`` when no
    sample says when it started; ``duration_s`` is the load window between ``first`` and ``ended_at``.
    """

    first: datetime | None
    last: datetime | None
    ended_at: datetime | None
    requests: int
    weighted: bool

    @property
    def duration_s(self) -> float | None:
        """Length of the load window in seconds."""
        return None if self.first is None or self.ended_at is None else (self.ended_at - self.first).total_seconds()


def measure_extent(connection: Connection) -> Extent:
    """Look at the samples once and define ``requests`` for the queries below.

    Raises
    ------
    ResultsError
        The weights add up to more requests than can be summarised exactly.
    """
    rows = connection.sql("""
        SELECT min(started_at) FILTER (weight > 0) AS first, max(started_at) FILTER (weight > 0) AS last,
            make_timestamptz(max(epoch_us(started_at) + try_cast(duration_ms * 1000 AS BIGINT)) FILTER (weight > 0))
                AS ended_at,
            coalesce(sum(weight) FILTER (weight > 0), 0)::DOUBLE AS requests,
            coalesce(bool_or(weight <> 1), false) AS weighted
        FROM samples
    """).to_arrow_table()
    row = rows.to_pylist()[0]
    extent = Extent(**{**row, "requests": int(row["requests"])})
    if extent.requests > MOST_REQUESTS:
        raise ResultsError(
            f"the samples stand for {extent.requests:.3g} requests by their weights, more than {MOST_REQUESTS:.0g}: "
            "check the file, or keep the tool's own summary or histogram instead"
        )
    source = "SELECT samples.* FROM samples, range(samples.weight)" if extent.weighted else "FROM samples"
    connection.execute(f"CREATE TEMP VIEW requests AS {source}")
    return extent


def summaries(connection: Connection, extent: Extent, precision: str) -> pa.Table:
    """Return ``schema.SUMMARIES``: rows by name and method, then the total.

    Percentiles are Hyndman-Fan 7, stddev has ddof 1. Memory: some 10 bytes a request, for exact percentiles.
    """
    # two queries and not one with GROUPING SETS, which was measured to need four times the memory
    scopes = [("name", "name, method", "GROUP BY name, method"), ("total", "NULL AS name, NULL AS method", "")]
    tables = [fetch(connection, _summaries_sql(extent, precision, *scope), schema.SUMMARIES) for scope in scopes]
    return pa.concat_tables(tables).combine_chunks()


def _summaries_sql(extent: Extent, precision: str, scope: str, keys: str, grouping: str) -> str:
    duration = "NULL" if extent.duration_s is None else repr(extent.duration_s)
    quantiles = ", ".join(f"quantiles[{i}] AS {column}" for i, column in enumerate(schema.PERCENTILES, start=1))
    return f"""
    WITH measured AS (
        SELECT {keys}, count(*) AS requests, count(*) FILTER (NOT success) AS failures,
            avg(duration_ms) AS mean_ms, stddev_samp(duration_ms) FILTER (isfinite(duration_ms)) AS stddev_ms,
            min(duration_ms) AS min_ms, max(duration_ms) AS max_ms,
            quantile_cont(duration_ms, {list(schema.PERCENTILES.values())}) AS quantiles,
            sum(bytes_received)::BIGINT AS bytes_received
        FROM requests {grouping}
    )
    SELECT {text(scope)} AS scope, name, method, requests, failures,
        {duration}::DOUBLE AS duration_s, requests / nullif(duration_s, 0) AS throughput_rps,
        failures / nullif(requests, 0) AS error_rate, mean_ms, stddev_ms, min_ms, max_ms, {quantiles},
        bytes_received, {text(precision)} AS precision
    FROM measured ORDER BY name, method NULLS FIRST
    """


_LAST_WORD_S = 1
"""How long the last word of a source on its users holds: generators report once a second."""


def timeline(
    connection: Connection,
    extent: Extent,
    interval_s: float,
    *,
    from_first: bool = False,
    at_once: int = REQUESTS_AT_ONCE,
) -> Iterator[pa.RecordBatch]:
    """Yield ``schema.TIMELINE``: intervals start at UTC multiples of their length, or at the first request.

    A long run is taken in windows of time, so that memory is bounded by the requests ``at_once``, or of one interval.

    Raises
    ------
    UsageError
        The interval is no positive length, or so short that there would be too many of them.
    """
    grid = _grid(extent, interval_s, from_first=from_first)
    for window in grid.windows(math.ceil(extent.requests / at_once)):
        yield from fetch(connection, _timeline_sql(window), schema.TIMELINE).to_batches()


def _timeline_sql(grid: _Grid) -> str:
    return f"""
    WITH timed AS (
        SELECT {grid.step("started_at")} AS step, name, method, success, duration_ms
        FROM requests WHERE {grid.covers("started_at")}
    ),
    measured AS (
        SELECT {grid.start_of("step")} AS interval_start, name, method, count(*) AS requests,
            count(*) FILTER (NOT success) AS failures, avg(duration_ms) AS mean_ms,
            quantile_cont(duration_ms, [0.5, 0.95, 0.99]) AS quantiles, max(duration_ms) AS max_ms
        FROM timed GROUP BY GROUPING SETS ((step, name, method), (step))
    ),
    peaks AS (
        SELECT {grid.bucket('"timestamp"')} AS interval_start, source, max(value) AS peak,
            arg_max(value, "timestamp") AS last_word
        FROM metrics WHERE metric = 'users' GROUP BY ALL
    ),
    sources AS (SELECT source, max(interval_start) AS last_start FROM peaks GROUP BY ALL),
    users AS ( -- a source that says nothing in an interval still has the users of its last word
        SELECT intervals.interval_start,
            sum(if(intervals.interval_start = peaks.interval_start, peak, last_word)) AS users
        FROM ({grid.intervals()}) AS intervals CROSS JOIN sources
        ASOF LEFT JOIN peaks ON peaks.source IS NOT DISTINCT FROM sources.source
            AND intervals.interval_start >= peaks.interval_start
        WHERE intervals.interval_start <= sources.last_start + INTERVAL '{_LAST_WORD_S} seconds'
        GROUP BY ALL
    ),
    shown AS (
        FROM measured WHERE name IS NOT NULL
        UNION ALL BY NAME
        FROM ({grid.intervals()}) LEFT JOIN (FROM measured WHERE name IS NULL) USING (interval_start)
    )
    SELECT interval_start, {grid.step_us / 1e6!r}::DOUBLE AS interval_s, name, method,
        if(name IS NULL, users, NULL)::BIGINT AS users,
        coalesce(requests, 0) AS requests, coalesce(failures, 0) AS failures,
        coalesce(requests, 0) / interval_s AS throughput_rps, mean_ms,
        quantiles[1] AS p50_ms, quantiles[2] AS p95_ms, quantiles[3] AS p99_ms, max_ms
    FROM shown LEFT JOIN users USING (interval_start)
    ORDER BY interval_start, name NULLS FIRST, method NULLS FIRST
    """


def distributions(connection: Connection, extent: Extent, block_s: float | None) -> pa.Table:
    """Return ``schema.DISTRIBUTIONS``: blocks start at the first request; ``None`` is one block, its start null.

    The bin edges are the same for every run, so that distributions can be added up.

    Raises
    ------
    UsageError
        The block is no positive length, or so short that there would be too many of them.
    """
    return fetch(connection, _distributions_sql(extent, block_s), schema.DISTRIBUTIONS)


def _distributions_sql(extent: Extent, block_s: float | None) -> str:
    block = "NULL::TIMESTAMPTZ" if block_s is None else _grid(extent, block_s, from_first=True).bucket("started_at")
    lower, upper, first = f"pow({BIN_RATIO}, bin)", f"pow({BIN_RATIO}, bin + 1)", f"pow({BIN_RATIO}, {FIRST_BIN})"
    return f"""
    WITH guessed AS (
        SELECT name, method, {block} AS block_start, duration_ms,
            if(duration_ms < {first}, NULL, floor(ln(greatest(duration_ms, {first})) / ln({BIN_RATIO}))) AS bin
        FROM requests WHERE isfinite(duration_ms)
    ),
    binned AS ( -- rounding may have put the guess one beside the right bin
        SELECT * REPLACE (bin - (duration_ms < {lower})::INT + (duration_ms >= {upper})::INT AS bin) FROM guessed
    ),
    counted AS MATERIALIZED (SELECT name, method, block_start, bin, count(*) AS count FROM binned GROUP BY ALL),
    shown AS (
        FROM counted
        UNION ALL BY NAME
        SELECT block_start, bin, sum(count)::BIGINT AS count FROM counted GROUP BY ALL
    )
    SELECT name, method, block_start, if(bin IS NULL, 0, {lower}) AS lower_ms,
        if(bin IS NULL, {first}, {upper}) AS upper_ms, count
    FROM shown ORDER BY name NULLS FIRST, method NULLS FIRST, block_start NULLS FIRST, lower_ms
    """


def users(connection: Connection) -> pa.Table:
    """Return ``schema.METRICS``: the most users that each load generator had in a second, as its samples say."""
    sql = """
    WITH seconds AS (
        SELECT epoch_us(started_at) // 1_000_000 AS second, worker, max(users) AS users FROM samples GROUP BY ALL
    )
    SELECT make_timestamptz(second * 1_000_000) AS "timestamp", 'users' AS metric, users::DOUBLE AS value,
        NULL::VARCHAR AS unit, worker AS source
    FROM seconds WHERE second IS NOT NULL AND users IS NOT NULL ORDER BY "timestamp", source
    """
    return fetch(connection, sql, schema.METRICS)


def errors(connection: Connection) -> pa.Table:
    """Return failed requests by name, method, status code and error, the most frequent first."""
    sql = """
    SELECT name, method, status_code, error, sum(weight)::BIGINT AS requests FROM samples
    WHERE NOT success AND weight > 0
    GROUP BY ALL ORDER BY requests DESC, name, method, status_code, error
    """
    return fetch(connection, sql, schema.ERRORS)


@dataclass(frozen=True, kw_only=True)
class _Grid:
    """Equal intervals in whole microseconds since 1970: ``count`` of them from ``start_us`` cover the samples."""

    origin_us: int
    step_us: int
    start_us: int
    count: int

    def windows(self, number: int) -> Iterator[_Grid]:
        """Cut into as many grids of about the same number of intervals, one after the other."""
        length = max(math.ceil(self.count / max(number, 1)), 1)
        for first in range(0, self.count, length):
            start_us = self.start_us + first * self.step_us
            yield replace(self, start_us=start_us, count=min(length, self.count - first))

    def bucket(self, column: str) -> str:
        """Return SQL for the start of the interval that a time lies in."""
        return f"time_bucket(to_microseconds({self.step_us}), {column}, {_instant(self.origin_us)})"

    def step(self, column: str) -> str:
        """Return SQL for the number of the interval, from 0, that a time lies in: faster to find than its start."""
        return f"(epoch_us({column}) - {self.start_us}) // {self.step_us}"

    def start_of(self, step: str) -> str:
        """Return SQL for the start of the interval of that number."""
        return f"make_timestamptz({self.start_us} + {step} * {self.step_us})"

    def covers(self, column: str) -> str:
        """Return SQL for whether a time lies in one of the intervals; null does not."""
        end_us = self.start_us + self.count * self.step_us
        return f"{column} >= {_instant(self.start_us)} AND {column} < {_instant(end_us)}"

    def intervals(self) -> str:
        """Return SQL for the starts of all intervals, also of those without a request."""
        return f"SELECT {self.start_of('i')} AS interval_start FROM range({self.count}) AS steps(i)"


def _grid(extent: Extent, interval_s: float, *, from_first: bool) -> _Grid:
    if not 1e-6 <= interval_s <= 1e9:
        raise UsageError(f"an interval of {interval_s} s is not possible: give a positive number of seconds")
    step = round(interval_s * 1_000_000)
    if extent.first is None or extent.last is None:
        return _Grid(origin_us=0, step_us=step, start_us=0, count=0)
    first, last = _microseconds(extent.first), _microseconds(extent.last)
    origin = first if from_first else 0
    start = first - (first - origin) % step
    count = (last - start) // step + 1
    if count > MOST_INTERVALS:
        raise UsageError(
            f"requests from {extent.first:%Y-%m-%d %H:%M} to {extent.last:%Y-%m-%d %H:%M} UTC make {count} intervals "
            f"of {interval_s} s, more than {MOST_INTERVALS}: give a longer interval, or check the clocks of the load"
        )
    return _Grid(origin_us=origin, step_us=step, start_us=start, count=count)


def _instant(microseconds: int) -> str:
    return f"make_timestamptz({microseconds})"


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
