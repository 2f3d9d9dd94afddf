"""Answers of Flux queries become measurements, or a timeline where they have its columns."""

from __future__ import annotations

import csv
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


PIVOTED = ",result,table,_time,requests,failures,{column}\n"


@pytest.mark.parametrize(
    ("column", "time", "requests", "value", "reason"),
    [
        ("interval_s", "2026-11-21T10:00:00Z", "5", "0", "interval_s '0' is no length of an interval"),
        ("interval_s", "2026-11-21T10:00:00Z", "5", "-1", "interval_s '-1' is no length of an interval"),
        ("interval_s", "2026-11-21T10:00:00Z", "5", "1e-320", "interval_s '1e-320' is no length of an interval"),
        ("interval_s", "2026-11-21T10:00:00Z", "1e300", "1", "requests 1e+300 is no number of requests"),
        ("interval_s", "2026-11-21T10:00:00Z", "-5", "1", "requests -5 is no number of requests"),
        ("users", "2026-11-21T10:00:00Z", "5", "1e30", "users 1e+30 is no number of users"),
        ("users", "0001-01-01T00:00:00+14:00", "5", "1", "_time '0001-01-01T00:00:00+14:00' is beyond the calendar"),
        ("users", "9999-12-31T23:59:00-14:00", "5", "1", "_time '9999-12-31T23:59:00-14:00' is beyond the calendar"),
    ],
)
def test_impossible_intervals_are_rejected(
    tmp_path: Path, column: str, time: str, requests: str, value: str, reason: str
) -> None:
    """The others count."""
    file = tmp_path / "answer.csv"
    file.write_text(
        PIVOTED.format(column=column) + f",,0,{time},{requests},0,{value}\n,,0,2026-11-21T10:00:10Z,8,1,2\n"
    )
    reading = read(file)
    assert reading.timeline is not None
    assert [row["requests"] for row in reading.timeline.to_pylist()] == [8]
    ((line, told),) = [(row.line, row.reason) for row in reading.findings.rejected]
    assert line == 2
    assert told.startswith(reason)


def test_many_rows_keep_their_order(tmp_path: Path) -> None:
    """They are put into columns many at a time."""
    file = tmp_path / "answer.csv"
    file.write_text(HEADER + "".join(f",,0,2026-11-21T10:00:00Z,{value},f,m\n" for value in range(50_001)))
    assert read(file).metrics["value"].to_pylist() == list(range(50_001))


def test_the_widest_cell_of_others_stays(tmp_path: Path) -> None:
    """The limit is of the whole process: another thread may be reading, too, by a higher one."""
    before = csv.field_size_limit(2**22)
    try:
        read(RECORDED / "host.csv")
        assert csv.field_size_limit() == 2**22
        csv.field_size_limit(2**10)
        read(RECORDED / "host.csv")
        assert csv.field_size_limit() == 2**20
    finally:
        csv.field_size_limit(before)
