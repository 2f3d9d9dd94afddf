"""Runs as points of InfluxDB: all of them, or an error. The server here takes what the v2 write API takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pyarrow as pa
import pytest

from ator_lib import schema
from ator_lib.errors import SettingsError, StoreError
from ator_lib.model import Run, RunStatus
from ator_lib.results.influx import Influx, answer, send
from tests.support.influx import TOKEN, InfluxServer

START = datetime(2026, 11, 21, 10, tzinfo=UTC)
INTERVALS = 12_000  # three batches


def export(target: Influx, intervals: int = INTERVALS) -> int:
    run = Run(id=uuid4(), run_id=7, status=RunStatus.SUCCESS, test="check out", start_time=START, end_time=START)
    timeline = [
        {
            "interval_start": START + timedelta(seconds=second),
            "interval_s": 1.0,
            "name": "/a, b",
            "requests": second,
            "failures": 0,
            "throughput_rps": float(second),
        }
        for second in range(intervals)
    ]
    summary = {"scope": "total", "requests": 3, "failures": 1, "p95_ms": 12.5, "precision": schema.EXACT}
    metric = {"timestamp": START, "metric": "users", "value": 50.0}
    return send(
        target,
        run,
        ended_at=START,
        summaries=pa.Table.from_pylist([summary], schema=schema.SUMMARIES),
        timeline=pa.Table.from_pylist(timeline, schema=schema.TIMELINE),
        metrics=pa.Table.from_pylist([metric], schema=schema.METRICS),
    )


def test_every_point_arrives(influx_server: InfluxServer) -> None:
    """In several batches; names are escaped, null values left out, and the token goes along."""
    assert export(influx_server.influx) == INTERVALS + 2
    assert len(influx_server.lines) == INTERVALS + 2
    assert influx_server.batches > 1
    assert influx_server.tokens == {f"Token {TOKEN}"}
    (summary,) = (line for line in influx_server.lines if line.startswith("ator_summary"))
    at = int(START.timestamp()) * 10**9
    assert summary == rf"ator_summary,run_id=7,scope=total,test=check\ out failures=1,p95_ms=12.5,requests=3 {at}"
    assert any(line.startswith(r"ator_timeline,name=/a\,\ b,run_id=7,scope=name") for line in influx_server.lines)
    assert any("ator_metric,metric=users" in line for line in influx_server.lines)


def test_a_lost_batch_is_an_error(influx_server: InfluxServer) -> None:
    """The client's own writer would only log it."""
    influx_server.refused = {1}
    with pytest.raises(StoreError, match=r"run 7 is not whole.*400.*nothing is doubled"):
        export(influx_server.influx)


def test_a_server_that_is_not_there(influx_server: InfluxServer) -> None:
    """It is asked some times, and the error says where; the token is in no message."""
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1") as caught:
        export(Influx(url="http://127.0.0.1:1", bucket="load", token=TOKEN), intervals=1)
    assert TOKEN not in str(caught.value) + repr(influx_server.influx)


def test_an_answer_that_is_no_text(influx_server: InfluxServer) -> None:
    """It is told like one that does not come."""
    influx_server.answer = b"#datatype,\xff\xfe"
    with pytest.raises(StoreError, match="did not answer the query: invalid start byte"):
        answer(influx_server.influx, 'from(bucket: "load")')


def test_a_query_that_is_not_taken(influx_server: InfluxServer) -> None:
    """What the server says stands in the error."""
    with pytest.raises(StoreError, match="did not answer the query: HTTP 400"):
        answer(influx_server.influx, 'from(bucket: "load")')


@pytest.mark.parametrize("given", [{"url": "localhost:8086", "bucket": "b"}, {"url": "http://h", "bucket": ""}])
def test_a_target_that_cannot_be(given: dict[str, str]) -> None:
    """An address without a scheme, no bucket."""
    with pytest.raises(SettingsError):
        Influx(**given)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:sesame@127.0.0.1:9",
        "http://user:12/sesame@127.0.0.1:9",
        "http://sesame@127.0.0.1:9",
        "http://127.0.0.1:9/?token=sesame",
        "http://127.0.0.1:9/#sesame",
    ],
)
def test_an_address_holds_no_secret(url: str) -> None:
    """It stands in messages, in ``repr`` and among a run's attributes; what is refused is not repeated."""
    with pytest.raises(SettingsError, match="ATOR_INFLUX_TOKEN") as caught:
        Influx(url=url, bucket="load")
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["user:sesame@h", "http://", "http://[sesame", "http://h:sesame", "http://h:99999/sesame", "http://h\n/sesame"],
)
def test_what_is_no_address_is_not_repeated(url: str) -> None:
    """A secret may be in the wrong place."""
    with pytest.raises(SettingsError, match=r"http://127\.0\.0\.1:8086") as caught:
        Influx(url=url, bucket="load")
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("token", ["sesame€", "ses\name"])
def test_a_token_that_no_header_takes(token: str) -> None:
    """The client would repeat it in its error, or stumble over it."""
    with pytest.raises(SettingsError, match="ATOR_INFLUX_TOKEN") as caught:
        Influx(url="http://h:8086", bucket="load", token=token)
    assert "ses" not in str(caught.value)
