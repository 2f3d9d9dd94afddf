"""Answers of Flux queries become measurements, or a timeline where they have its columns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ator_lib.errors import ResultsError
from ator_lib.readers.base import NO_OPTIONS, Reading, Source
from ator_lib.readers.influx import InfluxReader

RECORDED = Path(__file__).parents[1] / "recorded" / "influx"
TEN = datetime(2026, 11, 21, 10, tzinfo=UTC)
HEADER = ",result,table,_time,_value,_field,_measurement\n"


def read(path: Path) -> Reading:
    return InfluxReader().read([Source(path=path, name=path.name)], NO_OPTIONS)


def test_measurements() -> None:
    """Measurement and field name the metric, tags are the source; each table has columns of its own."""
    rows = read(RECORDED / "host.csv").metrics.to_pylist()
    assert [(row["metric"], row["value"], row["source"]) for row in rows] == [
        ("cpu.usage_user", 12.5, "host=target-1"),
        ("cpu.usage_user", 37.25, "host=target-1"),
        ("cpu.usage_user", 11.0, "host=target-2"),
        ("load", 0.5, None),
    ]
    assert rows[1]["timestamp"] == TEN + timedelta(seconds=10, microseconds=123456)
    assert rows[3]["timestamp"] == TEN


def test_a_timeline() -> None:
    """Its interval is the step between its times; what is not measured is null."""
    reading = read(RECORDED / "timeline.csv")
    assert reading.timeline is not None
    assert reading.metrics.num_rows == 0
    first, _, last = reading.timeline.to_pylist()
    assert (first["interval_start"], first["interval_s"], first["name"]) == (TEN, 10.0, "/checkout")
    assert (first["requests"], first["failures"], first["throughput_rps"], first["p95_ms"]) == (100, 1, 10.0, 12.5)
    assert (last["requests"], last["mean_ms"], last["users"]) == (80, None, None)


def test_bad_rows_are_rejected_with_their_lines(tmp_path: Path) -> None:
    """A value that is no number, a time without a zone or none, and a cell too many."""
    file = tmp_path / "answer.csv"
    bad = (
        ",,0,2026-11-21T10:00:00Z,abc,f,m\n"
        ",,0,2026-11-21T10:00:00,1,f,m\n"
        ",,0,,1,f,m\n"
        ",,0,2026-11-21T10:00:00Z,1,f,m,x\n"
    )
    file.write_text(HEADER + ",,0,2026-11-21T10:00:00Z,1,f,m\n" + bad)
    reading = read(file)
    assert reading.metrics.num_rows == 1
    assert [row.line for row in reading.findings.rejected] == [3, 4, 5, 6]
    assert "no zone" in reading.findings.rejected[1].reason


def test_an_error_of_the_server(tmp_path: Path) -> None:
    """InfluxDB answers some errors within the CSV."""
    file = tmp_path / "answer.csv"
    file.write_text("#datatype,string,string\n#default,,\n,error,reference\n,query was too slow,897\n")
    with pytest.raises(ResultsError, match=r"answer\.csv is an error of InfluxDB: query was too slow"):
        read(file)
