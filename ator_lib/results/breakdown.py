"""The requests of a run counted in cells, for what moved between two runs."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from ator_lib.analysis.explain.data import BREAKDOWN, SEGMENTS
from ator_lib.results import duck
from ator_lib.results.reading import ReadableSets

_COLUMNS = (
    *("started_at", "duration_ms", "name", "method", "status_code", "success"),
    *("connect_ms", "ttfb_ms", "weight"),
)


def breakdown(
    store: ReadableSets,
    ingest_id: str,
    *,
    since: datetime | None = None,
    beyond_ms: float | None = None,
    connect_is_part: bool = True,
) -> pa.Table | None:
    """Return ``BREAKDOWN`` of the samples, with one pass over them; ``None`` where there are none any more.

    Parameters
    ----------
    since
        Leave out what started before, or at an unknown time.
    beyond_ms
        The limit of ``beyond``.
    connect_is_part
        Whether durations include connecting; if not, it is left out.
    """
    with store.borrowed(ingest_id, "samples", columns=_COLUMNS) as lent:
        if not lent.has_samples:
            return None
        with lent.opened("samples") as connection:
            return duck.fetch(connection, _sql(since, beyond_ms, connect_is_part), BREAKDOWN)


def _sql(since: datetime | None, beyond_ms: float | None, connect_is_part: bool) -> str:
    # the phases of a request lie one after the other and within its duration, whatever its tool rounded
    kept = "true" if since is None else f"started_at >= TIMESTAMPTZ '{since.isoformat()}'"
    connect = "if(isfinite(connect_ms), connect_ms, NULL)" if connect_is_part else "NULL::DOUBLE"
    beyond = "NULL" if beyond_ms is None else f"coalesce(sum(weight) FILTER (duration_ms > {beyond_ms!r}::DOUBLE), 0)"
    return f"""
    WITH kept AS (
        SELECT name, method, status_code, success, weight, duration_ms, epoch_us(started_at) AS start_us,
            {connect} AS connect, if(isfinite(ttfb_ms), ttfb_ms, NULL) AS ttfb
        FROM samples WHERE weight > 0 AND isfinite(duration_ms) AND {kept}
    ),
    extent AS (SELECT min(start_us) AS first_us, max(start_us) - min(start_us) + 1 AS length_us FROM kept),
    phased AS (
        SELECT *, ((start_us - first_us) * {SEGMENTS} // length_us)::TINYINT AS segment,
            least(greatest(coalesce(connect, 0), 0), duration_ms) AS connected,
            if(ttfb IS NULL, connected, least(greatest(ttfb, connected), duration_ms)) AS answered
        FROM kept, extent
    )
    SELECT name, method, status_code, success, segment, sum(weight) AS requests,
        sum(weight * duration_ms) AS duration_ms, {beyond} AS beyond,
        sum(weight * connected) AS connect_ms, sum(weight * (answered - connected)) AS first_byte_ms,
        coalesce(sum(weight * (duration_ms - answered)) FILTER (ttfb IS NOT NULL), 0) AS rest_ms,
        coalesce(sum(weight) FILTER (connect IS NOT NULL), 0) AS with_connect,
        coalesce(sum(weight) FILTER (ttfb IS NOT NULL), 0) AS with_ttfb
    FROM phased GROUP BY ALL ORDER BY ALL
    """  # noqa: S608 – numbers and a time of our own
