"""What gates need and nothing stores: Apdex counts and percentiles over time, taken from the samples."""

from __future__ import annotations

import math

import pyarrow as pa

from ator_lib import schema
from ator_lib.results import duck
from ator_lib.results.aggregates import REQUESTS_AT_ONCE
from ator_lib.results.extent import Grid, grid_over, measure_extent
from ator_lib.results.reading import ReadableSets
from ator_lib.results.staging import STORED_INTERVAL_S

APDEX_COUNTS = pa.schema(
    [
        *(schema.SAMPLES.field(column).with_nullable(True) for column in ("name", "method")),
        *(pa.field(column, pa.int64(), nullable=False) for column in ("requests", "satisfied", "tolerated")),
    ]
)
"""Requests by name and method, and those of the run (name null)."""

COURSE = pa.schema([schema.TIMELINE.field(column) for column in ("interval_start", "interval_s", "name", "method")])
"""Intervals with a request, by name and method, and those of the run (name null); ``value`` comes after."""


def apdex_counts(store: ReadableSets, ingest_id: str, target_ms: float, tolerated_ms: float) -> pa.Table | None:
    """Count the requests that succeeded within the target, and those within what is tolerated.

    Returns
    -------
    pyarrow.Table or None
        ``APDEX_COUNTS``; ``None`` if there are no samples to count.
    """
    sql = f"""
    SELECT name, method, sum(weight)::BIGINT AS requests,
        coalesce(sum(weight) FILTER (success AND duration_ms <= {target_ms!r}), 0)::BIGINT AS satisfied,
        coalesce(sum(weight) FILTER (success AND duration_ms > {target_ms!r} AND duration_ms <= {tolerated_ms!r}), 0)
            ::BIGINT AS tolerated
    FROM samples WHERE weight > 0 GROUP BY GROUPING SETS ((name, method), ())
    HAVING sum(weight) > 0
    """  # noqa: S608 – numbers of our own
    columns = ("duration_ms", "name", "method", "success", "weight")
    with store.borrowed(ingest_id, "samples", columns=columns) as lent:
        if not lent.has_samples:
            return None
        with lent.opened("samples") as connection:
            return duck.fetch(connection, sql, APDEX_COUNTS)


def percentile_course(
    store: ReadableSets, ingest_id: str, column: str, interval_s: float = STORED_INTERVAL_S
) -> pa.Table | None:
    """Return a percentile of each interval, named as in ``schema.SUMMARIES``; intervals as in the timeline.

    A long run is taken in windows of time, so that memory is bounded.

    Returns
    -------
    pyarrow.Table or None
        ``COURSE`` and the percentile; ``None`` if there are no samples to take it from.
    """
    found = COURSE.append(pa.field(column, pa.float64()))
    with store.borrowed(
        ingest_id, "samples", columns=("started_at", "duration_ms", "name", "method", "success", "weight")
    ) as lent:
        if not lent.has_samples:
            return None
        with lent.opened("samples") as connection:
            extent = measure_extent(connection)
            windows = grid_over(extent, interval_s, from_first=False).windows(
                math.ceil(extent.requests / REQUESTS_AT_ONCE)
            )
            parts = [duck.fetch(connection, _course_sql(window, column), found) for window in windows]
            return pa.concat_tables(parts) if parts else found.empty_table()


def _course_sql(grid: Grid, column: str) -> str:
    return f"""
    WITH timed AS (
        SELECT {grid.step("started_at")} AS step, name, method, duration_ms
        FROM requests WHERE {grid.covers("started_at")}
    )
    SELECT {grid.start_of("step")} AS interval_start, {grid.step_us / 1e6!r}::DOUBLE AS interval_s, name, method,
        quantile_cont(duration_ms, {schema.PERCENTILES[column]!r}) AS {column}
    FROM timed GROUP BY GROUPING SETS ((step, name, method), (step))
    ORDER BY interval_start, name NULLS FIRST, method NULLS FIRST
    """  # noqa: S608 – numbers and column names of our own
