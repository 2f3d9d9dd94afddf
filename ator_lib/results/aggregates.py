"""Summaries and timelines of samples, by SQL.

Every query reads ``requests`` (``extent``): the samples, with a row of weight n repeated n times, so that one query
serves both kinds and its result is by definition that of the expanded rows. Durations that are no finite number are
not expected here; what would make DuckDB fail on them leaves them out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import pyarrow as pa

from ator_lib import schema
from ator_lib.readers.duck import text
from ator_lib.results.duck import Connection, fetch
from ator_lib.results.extent import Extent, Grid, grid_over

REQUESTS_AT_ONCE = 5_000_000
"""Requests of a window of time, about: what a timeline holds in memory."""


def summaries(connection: Connection, duration_s: float | None, precision: str) -> pa.Table:
    """Return ``schema.SUMMARIES``: rows by name and method, then the total.

    Percentiles are Hyndman-Fan 7, stddev has ddof 1. ``duration_s`` is the length of the load window. Memory: some 10
    bytes a request, for exact percentiles.
    """
    # two queries and not one with GROUPING SETS, which was measured to need four times the memory
    scopes = [("name", "name, method", "GROUP BY name, method"), ("total", "NULL AS name, NULL AS method", "")]
    tables = [fetch(connection, _summaries_sql(duration_s, precision, *scope), schema.SUMMARIES) for scope in scopes]
    return pa.concat_tables(tables).combine_chunks()


def _summaries_sql(duration_s: float | None, precision: str, scope: str, keys: str, grouping: str) -> str:
    duration = "NULL" if duration_s is None else repr(duration_s)
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
    total_only: bool = False,
    at_once: int = REQUESTS_AT_ONCE,
) -> Iterator[pa.RecordBatch]:
    """Yield ``schema.TIMELINE``: intervals start at UTC multiples of their length.

    A long run is taken in windows of time, so that memory is bounded by the requests ``at_once``, or of one interval.
    ``total_only`` leaves the names out, for half of the time.

    Raises
    ------
    UsageError
        The interval is no positive length, or so short that there would be too many of them.
    """
    grid = grid_over(extent, interval_s, from_first=False)
    for window in grid.windows(math.ceil(extent.requests / at_once)):
        yield from fetch(connection, _timeline_sql(window, total_only), schema.TIMELINE).to_batches()


def _timeline_sql(grid: Grid, total_only: bool) -> str:
    keys = "NULL AS name, NULL AS method" if total_only else "name, method"
    grouping = "step" if total_only else "GROUPING SETS ((step, name, method), (step))"
    return f"""
    WITH timed AS (
        SELECT {grid.step("started_at")} AS step, name, method, success, duration_ms
        FROM requests WHERE {grid.covers("started_at")}
    ),
    measured AS (
        SELECT {grid.start_of("step")} AS interval_start, {keys}, count(*) AS requests,
            count(*) FILTER (NOT success) AS failures, avg(duration_ms) AS mean_ms,
            quantile_cont(duration_ms, [0.5, 0.95, 0.99]) AS quantiles, max(duration_ms) AS max_ms
        FROM timed GROUP BY {grouping}
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
