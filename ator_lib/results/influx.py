"""A sink: what is known of a run as points of InfluxDB, and Flux queries of what others wrote there.

The one file that knows influxdb-client. Its batching writer only logs what it loses; here a lost batch is an error.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyarrow as pa

from ator_lib.errors import SettingsError, StoreError
from ator_lib.model import Run

if TYPE_CHECKING:
    from influxdb_client import InfluxDBClient, Point

_AT_ONCE = 5_000
_RETRIES = 2
_RETRY_AFTER_MS = 500
_GIVE_UP_AFTER_MS = 20_000
_TIMELINE_FIELDS = (
    *("users", "requests", "failures", "throughput_rps"),
    *("mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms"),
)
_SUMMARY_FIELDS = (
    *("requests", "failures", "duration_s", "throughput_rps", "error_rate", "mean_ms", "stddev_ms", "min_ms", "max_ms"),
    *("p50_ms", "p75_ms", "p90_ms", "p95_ms", "p99_ms", "p99_9_ms", "bytes_received"),
)


@dataclass(frozen=True, kw_only=True)
class Influx:
    """Where points go: an InfluxDB 2 or what speaks its write API.

    The token is shown nowhere, and an address that may hold another secret is refused: it stands in messages.
    """

    url: str
    bucket: str
    org: str = "-"
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        _check_address(self.url)
        if not (self.token.isascii() and self.token.isprintable()):
            raise SettingsError(
                "the token for InfluxDB (ATOR_INFLUX_TOKEN, token=) holds a character that none has: copy it anew"
            )
        if not self.bucket:
            raise SettingsError("points of InfluxDB go into a bucket: name it (ATOR_INFLUX_BUCKET, --bucket)")


def _check_address(url: str) -> None:
    """Refuse what is no address, and what holds more than one; the message repeats nothing of it."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or not url.isprintable() or " " in url:
        raise SettingsError("the address of InfluxDB is http(s)://host:port, such as http://127.0.0.1:8086")
    if "@" in url or parts.query or parts.fragment:
        raise SettingsError(
            "the address of InfluxDB holds a user, a password or what stands behind ? or #: "
            "leave it out, and give a token in ATOR_INFLUX_TOKEN or token="
        )


def send(
    target: Influx, run: Run, *, ended_at: datetime, summaries: pa.Table, timeline: pa.Table, metrics: pa.Table
) -> int:
    """Write a run's figures as points, and say how many they are.

    Measurements are ``ator_summary`` (a point per name and one for the run, at ``ended_at``), ``ator_timeline``
    (a point per interval and name) and ``ator_metric``; tags are run_id, test, stream, location, environment, tool,
    and scope, name and method. Null values are left out. Writing the same run again changes nothing: points of the
    same tags and time replace each other.

    Raises
    ------
    StoreError
        A batch was refused or lost, or the server cannot be reached; how much of the run is there is not known.
    """
    points = list(_points(run, ended_at, summaries, timeline, metrics))
    lost = _Lost()
    with _client(target) as client, client.write_api(**lost.options()) as writer:
        writer.write(target.bucket, target.org, points)
    if lost.reasons:
        raise StoreError(
            f"run {run.run_id} is not whole in InfluxDB at {target.url}: {lost.reasons[0]}. "
            "Mend that and export the run again; nothing is doubled by it."
        )
    return len(points)


def answer(target: Influx, flux: str) -> str:
    """Return what a Flux query answers, as annotated CSV for ``readers.influx``.

    Raises
    ------
    StoreError
        It cannot be reached, does not take the query, or answers no text.
    """
    from influxdb_client.rest import ApiException
    from urllib3.exceptions import HTTPError

    try:
        with _client(target) as client:
            text: str = client.query_api().query_raw(flux).data.decode()
    except (ApiException, HTTPError, OSError, ValueError) as error:
        raise StoreError(f"InfluxDB at {target.url} did not answer the query: {_reason(error)}") from error
    return text


class _Lost:
    """Notes the batches that could not be written; the writer calls it from threads of its own."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self._lock = threading.Lock()

    def options(self) -> dict[str, Any]:
        from influxdb_client import WriteOptions

        options = WriteOptions(
            batch_size=_AT_ONCE,
            max_retries=_RETRIES,
            retry_interval=_RETRY_AFTER_MS,
            max_retry_time=_GIVE_UP_AFTER_MS,
        )
        return {"write_options": options, "error_callback": self._note}

    def _note(self, _batch: object, _data: object, error: Exception) -> None:
        with self._lock:
            self.reasons.append(_reason(error))


def _client(target: Influx) -> InfluxDBClient:
    from influxdb_client import InfluxDBClient

    client_log = logging.getLogger("influxdb_client")
    if not client_log.handlers:  # what it would print is in our error
        client_log.addHandler(logging.NullHandler())
    return InfluxDBClient(url=target.url, token=target.token, org=target.org)


def _reason(error: Exception) -> str:
    status = getattr(error, "status", None)
    words = getattr(error, "message", None) or getattr(error, "reason", None) or str(error)
    return f"{f'HTTP {status}, ' if status else ''}{words}"[:300]


# --- points ---


def _points(
    run: Run, ended_at: datetime, summaries: pa.Table, timeline: pa.Table, metrics: pa.Table
) -> Iterator[Point]:
    for row in summaries.to_pylist():
        yield from _point(run, "ator_summary", row, _SUMMARY_FIELDS, ended_at, tags=("scope", "name", "method"))
    for row in timeline.to_pylist():
        scope = {"scope": "total" if row["name"] is None else "name"}
        yield from _point(
            run, "ator_timeline", row | scope, _TIMELINE_FIELDS, row["interval_start"], tags=("scope", "name", "method")
        )
    for row in metrics.to_pylist():
        yield from _point(run, "ator_metric", row, ("value",), row["timestamp"], tags=("metric", "unit", "source"))


def _point(
    run: Run, measurement: str, row: Mapping[str, Any], fields: Iterable[str], time: Any, *, tags: Iterable[str]
) -> Iterator[Point]:
    from influxdb_client import Point

    point = Point(measurement).time(time)
    for name in ("run_id", "test", "stream", "location", "environment", "tool"):
        point.tag(name, getattr(run, name))
    for name in tags:
        point.tag(name, row[name])
    known = {name: float(row[name]) for name in fields if row[name] is not None}
    for name, value in known.items():
        point.field(name, value)
    if known:
        yield point
