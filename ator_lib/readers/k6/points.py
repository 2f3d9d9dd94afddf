"""Points of k6, whatever file they stand in: a request is several of them, written one after the other.

k6 writes the points of a request together: ``http_reqs``, ``http_req_duration``, its phases and, in newer versions,
``http_req_failed``; those of other requests never come between. So a phase stands a fixed number of rows behind the
duration, and looking ahead in the order of the file puts a request together in a stream, without a join.

``http_req_duration`` is sending, waiting and receiving; it leaves out what comes before: waiting for a connection and
making it. So ``ttfb_ms`` (sending and waiting) is a part of ``duration_ms``, and ``connect_ms`` (connecting and TLS
handshake) comes before it. The time of all points of a request is that of its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import duck
from ator_lib.readers.base import Findings, Reading, Source
from ator_lib.readers.text_documents import ALL_REQUESTS

TAGS = (
    *("name", "url", "method", "status", "group", "scenario", "check"),
    *("expected_response", "error", "error_code", "vu"),
)
"""Tags of k6 that are used; all of them are texts."""

_MEMORY = "1GB"
"""What points may take up before DuckDB puts them on the disk: some 100 bytes each."""

_POINTS = """
    CREATE TEMP TABLE points (
        file USMALLINT, metric VARCHAR, is_point BOOLEAN, kind VARCHAR, contains VARCHAR,
        moment TIMESTAMPTZ, value DOUBLE, name VARCHAR, method VARCHAR, code SMALLINT, success BOOLEAN, error VARCHAR,
        "group" VARCHAR, scenario VARCHAR, "user" VARCHAR)
"""
"""All rows of the files in their order; ``metric`` is null where no sense could be made of a row.

A definition of a metric says its kind and what it contains, and is no point. What requests have and others have not
is null, but for checks, whose ``name`` and group are kept.
"""

_PHASES = ("blocked", "connecting", "tls_handshaking", "sending", "waiting", "receiving", "failed")
"""What follows the duration of a request, in this order."""


def connect() -> duck.Connection:
    """Open a connection with an empty table of points, of bounded memory."""
    connection = duck.connect()
    connection.execute(f"SET memory_limit = '{_MEMORY}'")
    connection.execute(_POINTS)
    return connection


def add(connection: duck.Connection, file: int, rows: str) -> list[int]:
    """Add rows behind those that are there.

    Parameters
    ----------
    file
        The number of their source among those of the run.
    rows
        A SELECT of ``type`` (Point, or Metric for a definition), ``metric``, ``kind``, ``contains``, ``moment``,
        ``value`` and ``TAGS``.

    Returns
    -------
    The numbers, from 0 among those added, of rows that no sense could be made of.

    Raises
    ------
    DuckError
        The rows cannot be read.
    """
    (before,) = connection.execute("SELECT count(*) FROM points").fetchall()[0]
    connection.execute(_ADD.format(file=file, rows=rows))
    unreadable = "SELECT rowid - ? FROM points WHERE rowid >= ? AND metric IS NULL ORDER BY rowid"
    return [row for (row,) in connection.execute(unreadable, [before, before]).fetchall()]


def read(connection: duck.Connection, sources: Sequence[Source], findings: Findings) -> Reading:
    """Read the points that have been added.

    Raises
    ------
    ResultsError
        There is no measurement at all.
    """
    found: dict[str, Any] = connection.sql(_FIGURES).to_arrow_table().to_pylist()[0]
    if found["first"] is None:
        raise ResultsError(f"{sources[0].name} holds no measurement of k6: did the run end before its first request?")
    findings.rows_read = found["rows"] + len(findings.rejected)
    if found["are_seconds"]:
        findings.note("all times are whole seconds: when requests started is known to a second")
    metrics = _metrics(connection, sources)
    if set(metrics["metric"].to_pylist()) - {"users"}:
        findings.note("metrics have a value a second: counters added up, gauges at their highest, others as the mean")
    return Reading(
        tool="k6",
        precision=schema.EXACT,
        samples=duck.Query(connection=connection, sql=_SAMPLES) if found["requests"] else None,
        cases=connection.sql(_CASES).to_arrow_table().cast(schema.CASES),
        metrics=metrics,
        started_at=found["first"],
        ended_at=found["last"],
        clock_s=1.0 if found["are_seconds"] else 0.0,
        findings=findings,
    )


# --- from what the file says to points ---


_NAME = r"""
    if(regexp_matches(name, '^\w+://'),
        regexp_replace(regexp_replace(name, '^(\w+://)[^/@]*@', '\1'), '=[^&#]*', '', 'g'), name)"""
"""Values in the query of a URL are left out, and who logs in."""

_GROUP = """if(starts_with("group", '::'), replace(substr("group", 3), '::', ' / '), "group")"""
"""A group in a group is ``::outer::inner``."""

_ADD = f"""
    INSERT INTO points
    WITH told AS (
        SELECT * REPLACE (
                if(metric = 'checks', "check", coalesce(nullif(name, ''), nullif(url, ''), '{ALL_REQUESTS}')) AS name),
            metric = 'http_req_duration' AS is_http, metric = 'grpc_req_duration' AS is_grpc,
            metric <> '' AND (type = 'Metric' OR type = 'Point' AND isfinite(value)
                AND moment BETWEEN TIMESTAMPTZ '1970-01-01' AND TIMESTAMPTZ '2200-01-01'
                AND (value BETWEEN 0 AND 1e12 OR NOT (is_http OR is_grpc))) AS is_readable
        FROM ({{rows}})
    )
    SELECT {{file}}, if(is_readable, metric, NULL), type = 'Point' AND is_readable, kind, contains, moment, value,
        CASE WHEN is_http OR is_grpc OR metric = 'checks' THEN {_NAME} END,
        CASE WHEN is_http OR is_grpc THEN nullif(method, '') END,
        CASE WHEN is_http THEN try_cast(status AS SMALLINT) END,
        CASE WHEN is_http THEN lower(nullif(expected_response, '')) = 'true' WHEN is_grpc THEN status = '0' END,
        CASE WHEN is_grpc THEN if(status <> '0', 'gRPC status ' || status, NULL)
            WHEN is_http AND error <> '' THEN concat(error, ' (' || nullif(error_code, '') || ')')
            WHEN is_http AND status = '0' THEN concat('no response', ' (' || nullif(error_code, '') || ')') END,
        CASE WHEN is_http OR is_grpc OR metric = 'checks' THEN nullif({_GROUP}, '') END,
        CASE WHEN is_http OR is_grpc THEN nullif(scenario, '') END,
        CASE WHEN is_http OR is_grpc THEN nullif(vu, '') END
    FROM told
"""  # noqa: S608 – SQL of our own


# --- from points to tables ---

_FIGURES = """
    SELECT count(metric) AS rows, min(moment) FILTER (is_point) AS first, max(moment) FILTER (is_point) AS last,
        count_if(is_point AND metric IN ('http_req_duration', 'grpc_req_duration')) AS requests,
        bool_and(date_trunc('second', moment) = moment) FILTER (is_point) AS are_seconds
    FROM points
"""


def _phase(name: str) -> str:
    rows = _PHASES.index(name) + 1
    return f"if(lead(metric, {rows}) OVER () = 'http_req_{name}', lead(value, {rows}) OVER (), NULL) AS {name}"


# The rows are chosen by no more than a prefix and equality: for an IN of many names DuckDB would join, and after a join
# it would no longer look ahead in a stream, but collect the rows first.
_SAMPLES = f"""
    WITH requests AS (
        SELECT *, {", ".join(_phase(name) for name in _PHASES if name not in ("blocked", "receiving"))}
        FROM points WHERE is_point AND (starts_with(metric, 'http_req_') OR metric = 'grpc_req_duration')
    )
    SELECT moment - to_microseconds(round(value * 1000)::BIGINT) AS started_at, value AS duration_ms, name, method,
        if(code >= 100, code, NULL) AS status_code,
        coalesce(requests.success, failed = 0, code BETWEEN 100 AND 399, requests.error IS NULL) AS success,
        if(success, NULL, requests.error) AS error,
        connecting + tls_handshaking AS connect_ms, sending + waiting AS ttfb_ms,
        NULL::BIGINT AS bytes_sent, NULL::BIGINT AS bytes_received, "user", NULL::VARCHAR AS worker,
        "group", scenario, 1::BIGINT AS weight
    FROM requests WHERE metric IN ('http_req_duration', 'grpc_req_duration')
"""  # noqa: S608

_CASES = """
    SELECT coalesce("group", 'checks') AS suite, coalesce(name, 'checks') AS "case",
        if(bool_and(value <> 0), 'passed', 'failed') AS status, NULL::DOUBLE AS duration_ms,
        if(bool_and(value <> 0), NULL, count_if(value = 0) || ' of ' || count(*) || ' failed') AS message,
        NULL::VARCHAR AS details
    FROM points WHERE is_point AND metric = 'checks' GROUP BY ALL ORDER BY ALL
"""

_BUILT_IN = """
    VALUES ('vus', 'gauge', NULL), ('vus_max', 'gauge', NULL), ('iterations', 'counter', NULL),
        ('dropped_iterations', 'counter', NULL), ('data_sent', 'counter', 'data'), ('data_received', 'counter', 'data'),
        ('ws_sessions', 'counter', NULL), ('ws_msgs_sent', 'counter', NULL), ('ws_msgs_received', 'counter', NULL),
        ('iteration_duration', 'trend', 'time'), ('group_duration', 'trend', 'time'),
        ('ws_connecting', 'trend', 'time'), ('ws_session_duration', 'trend', 'time'), ('ws_ping', 'trend', 'time')
"""
"""What k6 itself defines, as CSV files carry no definitions: metric, kind, contains."""

_METRICS = f"""
    WITH built_in(metric, kind, contains) AS ({_BUILT_IN}),
    defined AS (
        SELECT metric, any_value(kind) AS kind, any_value(contains) AS contains
        FROM points WHERE NOT is_point GROUP BY metric
    ),
    measured AS (
        SELECT time_bucket(INTERVAL 1 second, moment) AS second, metric, file,
            sum(value) AS total, avg(value) AS mean, max(value) AS highest
        FROM points
        WHERE is_point AND NOT starts_with(metric, 'http_req') AND metric NOT IN ('checks', 'grpc_req_duration')
        GROUP BY ALL
    )
    SELECT second AS "timestamp", if(metric = 'vus', 'users', metric) AS metric,
        CASE coalesce(defined.kind, built_in.kind) WHEN 'counter' THEN total WHEN 'gauge' THEN highest ELSE mean END
            AS value,
        CASE coalesce(defined.contains, built_in.contains) WHEN 'time' THEN 'ms' WHEN 'data' THEN 'bytes' END AS unit,
        $sources[file + 1] AS source
    FROM measured LEFT JOIN defined USING (metric) LEFT JOIN built_in USING (metric) ORDER BY metric, file, second
"""  # noqa: S608


def _metrics(connection: duck.Connection, sources: Sequence[Source]) -> pa.Table:
    """Give all that is no request and no check, by second; the number of virtual users is called ``users``.

    The source of a value is its file, if there are several: users of several load generators add up.
    """
    names = [source.name if len(sources) > 1 else None for source in sources]
    table: pa.Table = connection.sql(_METRICS, params={"sources": names}).to_arrow_table()
    return table.cast(schema.METRICS)
