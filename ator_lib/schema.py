"""The canonical tables as Arrow schemas: names, units, nulls, version.

Units live in names. A value that a tool does not report is null, never zero.
Times are UTC. Changing any of these is a new ``VERSION`` and a reader for the old one.
"""

from __future__ import annotations

import pyarrow as pa

VERSION = 1
"""Written into every file and ingest; a reader refuses a newer one."""

_TIME = pa.timestamp("us", tz="UTC")


def _required(name: str, type_: pa.DataType) -> pa.Field:
    return pa.field(name, type_, nullable=False)


SAMPLES = pa.schema(
    [
        pa.field("started_at", _TIME),
        _required("duration_ms", pa.float64()),
        _required("name", pa.string()),
        pa.field("method", pa.string()),
        pa.field("status_code", pa.int16()),
        _required("success", pa.bool_()),
        pa.field("error", pa.string()),
        pa.field("connect_ms", pa.float64()),
        pa.field("ttfb_ms", pa.float64()),
        pa.field("bytes_sent", pa.int64()),
        pa.field("bytes_received", pa.int64()),
        pa.field("user", pa.string()),
        pa.field("worker", pa.string()),
        pa.field("group", pa.string()),
        pa.field("scenario", pa.string()),
        _required("weight", pa.int64()),
    ]
)
"""A row per request. ``weight`` > 1: the row stands for that many equal requests."""

SUMMARIES = pa.schema(
    [
        _required("scope", pa.string()),
        pa.field("name", pa.string()),
        pa.field("method", pa.string()),
        _required("requests", pa.int64()),
        _required("failures", pa.int64()),
        pa.field("duration_s", pa.float64()),
        pa.field("throughput_rps", pa.float64()),
        pa.field("error_rate", pa.float64()),
        pa.field("mean_ms", pa.float64()),
        pa.field("stddev_ms", pa.float64()),
        pa.field("min_ms", pa.float64()),
        pa.field("max_ms", pa.float64()),
        pa.field("p50_ms", pa.float64()),
        pa.field("p75_ms", pa.float64()),
        pa.field("p90_ms", pa.float64()),
        pa.field("p95_ms", pa.float64()),
        pa.field("p99_ms", pa.float64()),
        pa.field("p99_9_ms", pa.float64()),
        pa.field("bytes_received", pa.int64()),
        _required("precision", pa.string()),
    ]
)
"""A row per name and method (``scope`` = ``name``) and one for the run (``total``, name null).

``duration_s`` is the run's load window on every row: from the first request's start to the
last one's end. ``error_rate`` is 0 to 1. ``stddev_ms`` has ddof 1 and is null below two requests.
"""

TIMELINE = pa.schema(
    [
        _required("interval_start", _TIME),
        _required("interval_s", pa.float64()),
        pa.field("name", pa.string()),
        pa.field("method", pa.string()),
        pa.field("users", pa.int64()),
        _required("requests", pa.int64()),
        _required("failures", pa.int64()),
        _required("throughput_rps", pa.float64()),
        pa.field("mean_ms", pa.float64()),
        pa.field("p50_ms", pa.float64()),
        pa.field("p95_ms", pa.float64()),
        pa.field("p99_ms", pa.float64()),
        pa.field("max_ms", pa.float64()),
    ]
)
"""A row per interval and name, and one per interval for the whole run (name null).

A request counts in the interval in which it started. ``users`` is on the run's rows only: the most that
each load generator reported in the interval, added up.
An interval without a request is a row with 0 requests and null latencies on the run's rows.
"""

DISTRIBUTIONS = pa.schema(
    [
        pa.field("name", pa.string()),
        pa.field("method", pa.string()),
        pa.field("block_start", _TIME),
        _required("lower_ms", pa.float64()),
        _required("upper_ms", pa.float64()),
        _required("count", pa.int64()),
    ]
)
"""A mergeable histogram: durations in [lower_ms, upper_ms). ``name`` null is the whole run,
``block_start`` null all of its time."""

CASES = pa.schema(
    [
        pa.field("suite", pa.string()),
        _required("case", pa.string()),
        _required("status", pa.string()),
        pa.field("duration_ms", pa.float64()),
        pa.field("message", pa.string()),
        pa.field("details", pa.string()),
    ]
)
"""A row per functional test outcome: passed, failed, error or skipped."""

METRICS = pa.schema(
    [
        _required("timestamp", _TIME),
        _required("metric", pa.string()),
        _required("value", pa.float64()),
        pa.field("unit", pa.string()),
        pa.field("source", pa.string()),
    ]
)
"""A row per measurement beside the requests: ``users`` per load generator, host health …"""

REJECTED = pa.schema(
    [
        _required("source", pa.string()),
        pa.field("line", pa.int64()),
        _required("reason", pa.string()),
        pa.field("text", pa.string()),
    ]
)
"""A row per row of a source that could not be taken in: where it stands, why, and how it begins."""

ERRORS = pa.schema(
    [
        *(SAMPLES.field(column) for column in ("name", "method", "status_code", "error")),
        _required("requests", pa.int64()),
    ]
)
"""Failed requests that are alike, and how many they are."""

PERCENTILES: dict[str, float] = {
    "p50_ms": 0.5,
    "p75_ms": 0.75,
    "p90_ms": 0.9,
    "p95_ms": 0.95,
    "p99_ms": 0.99,
    "p99_9_ms": 0.999,
}
"""The percentile columns of SUMMARIES and the quantile that each of them is."""

PERCENTILE_RULE = (
    "Percentiles are exact: linear interpolation between order statistics of all raw samples "
    "(Hyndman-Fan type 7), failed requests included. Percentiles are never averaged."
)
"""Stands on every report."""

EXACT = "exact"
"""``precision`` of summaries computed from raw samples."""
