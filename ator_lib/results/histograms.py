"""Distributions of samples, and runs cut into time blocks, by one pass of SQL over ``requests``."""

from __future__ import annotations

import math

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib import schema
from ator_lib.results.duck import Connection, fetch
from ator_lib.results.extent import Grid

BIN_RATIO = 1.01
"""Upper over lower edge of a histogram bin: durations are known to 1 %."""

FIRST_BIN = -694
"""Below ``BIN_RATIO ** FIRST_BIN`` ms, about a microsecond, all durations share the bin that starts at 0."""

_NEAR_EDGE = 1e-6
"""In bins: a logarithm this close to a whole number may have been rounded to the wrong side of it."""


def distributions(connection: Connection, grid: Grid | None) -> pa.Table:
    """Return ``schema.DISTRIBUTIONS`` of ``requests``: per block of the grid, or of all time, block_start null.

    The bin edges are the same for every run, so that distributions can be added up.
    """
    _count_cells(connection, grid)
    return _distributions(connection, grid)


def blocks(connection: Connection, grid: Grid) -> tuple[pa.Table, pa.Table]:
    """Return the distributions and ``schema.TIMELINE`` of the same blocks: requests, failures and throughput alone."""
    _count_cells(connection, grid)
    return _distributions(connection, grid), _timeline(connection, grid)


def condensed(connection: Connection, grid: Grid) -> dict[str, pa.Table]:
    """Return the tables of a file set that stand for its samples in a comparison, by their names.

    ``distributions`` of all time and per block, and ``blocks``, the timeline of these. Samples of unknown start are in
    the first alone.
    """
    timed, timeline = blocks(connection, grid)
    timed = timed.filter(pc.is_valid(timed["block_start"]))
    return {"distributions": pa.concat_tables([_distributions(connection, None), timed]), "blocks": timeline}


def _count_cells(connection: Connection, grid: Grid | None) -> None:
    """Define ``cells``: how many ``requests`` and failures there are by name, method, block and bin.

    ``step`` is the number of the block, null for an unknown start, and for all without a grid. ``bin`` is null for
    durations that are no finite number.
    """
    step = "NULL::BIGINT" if grid is None else grid.step("started_at")
    first = f"pow({BIN_RATIO}, {FIRST_BIN})"
    lower, upper = (f"pow({BIN_RATIO}, floor(place) + {more})" for more in (0, 1))
    connection.execute(f"""
    CREATE TEMP TABLE cells AS
    WITH placed AS (
        SELECT name, method, success, {step} AS step, duration_ms,
            ln(greatest(duration_ms, {first})) * {1 / math.log(BIN_RATIO)!r}::DOUBLE AS place
        FROM requests
    ),
    binned AS (
        SELECT name, method, success, step, CASE
            WHEN NOT isfinite(duration_ms) THEN NULL
            WHEN duration_ms < {first} THEN {FIRST_BIN - 1}
            WHEN abs(place - round(place)) > {_NEAR_EDGE} THEN floor(place)::INTEGER
            ELSE floor(place)::INTEGER - (duration_ms < {lower})::INTEGER + (duration_ms >= {upper})::INTEGER
        END AS bin
        FROM placed
    )
    SELECT name, method, step, bin, count(*) AS requests, count(*) FILTER (NOT success) AS failures
    FROM binned GROUP BY ALL
    """)


def _distributions(connection: Connection, grid: Grid | None) -> pa.Table:
    """Add ``cells`` up to distributions: per block of the grid, or of all time."""
    step, block = ("NULL", "NULL::TIMESTAMPTZ") if grid is None else ("step", grid.start_of("step"))
    sql = f"""
    WITH counted AS (SELECT name, method, {step} AS step, bin, sum(requests) AS count FROM cells GROUP BY ALL),
    shown AS (
        FROM counted UNION ALL BY NAME SELECT step, bin, sum(count) AS count FROM counted GROUP BY ALL
    )
    SELECT name, method, {block} AS block_start,
        if(bin < {FIRST_BIN}, 0, pow({BIN_RATIO}, bin)) AS lower_ms, pow({BIN_RATIO}, bin + 1) AS upper_ms,
        count::BIGINT AS count
    FROM shown WHERE bin IS NOT NULL
    ORDER BY name NULLS FIRST, method NULLS FIRST, step NULLS FIRST, bin
    """
    return fetch(connection, sql, schema.DISTRIBUTIONS)


def _timeline(connection: Connection, grid: Grid) -> pa.Table:
    sql = f"""
    WITH counted AS (
        SELECT name, method, step, sum(requests) AS requests, sum(failures) AS failures FROM cells
        WHERE step IS NOT NULL GROUP BY GROUPING SETS ((step, name, method), (step))
    ),
    shown AS (
        SELECT {grid.start_of("step")} AS interval_start, * EXCLUDE (step) FROM counted WHERE name IS NOT NULL
        UNION ALL BY NAME
        SELECT {grid.start_of("i")} AS interval_start, counted.* EXCLUDE (step)
        FROM range({grid.count}) AS steps(i) LEFT JOIN counted ON step = i AND name IS NULL
    )
    SELECT interval_start, {grid.step_us / 1e6!r}::DOUBLE AS interval_s, name, method, NULL::BIGINT AS users,
        coalesce(requests, 0)::BIGINT AS requests, coalesce(failures, 0)::BIGINT AS failures,
        coalesce(requests, 0) / interval_s AS throughput_rps, NULL::DOUBLE AS mean_ms, NULL::DOUBLE AS p50_ms,
        NULL::DOUBLE AS p95_ms, NULL::DOUBLE AS p99_ms, NULL::DOUBLE AS max_ms
    FROM shown ORDER BY interval_start, name NULLS FIRST, method NULLS FIRST
    """
    return fetch(connection, sql, schema.TIMELINE)
