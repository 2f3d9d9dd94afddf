"""Tables with a row per request: what is read, cast, left out and refused. All samples are synthetic."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ator_lib import schema
from ator_lib.errors import ResultsError, UsageError
from ator_lib.readers.base import Findings, Reading, ReadOptions, Source
from ator_lib.readers.formats import reader_for
from ator_lib.readers.samples.reader import SamplesReader
from ator_lib.readers.text_documents import ALL_REQUESTS
from tests.results.synthetic import random_table

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
UNTOLD = "is missing, and there is no status_code to tell it from"
NO_TIME = "is no time; of numbers name the unit: started_at:ms"

WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    "parquet": lambda table, path: pq.write_table(table, path),
    "feather": lambda table, path: feather.write_feather(table, str(path)),
    "uncompressed feather": lambda table, path: feather.write_feather(table, str(path), compression="uncompressed"),
    "csv": lambda table, path: csv.write_csv(table, str(path)),
    "tsv": lambda table, path: csv.write_csv(table, str(path), csv.WriteOptions(delimiter="\t")),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the test's file is; its name says nothing of its format."""
    return tmp_path / "file"


def reading_of(*paths: Path, **options: Any) -> Reading:
    """Read the files as the reader does that recognises them."""
    sources = [Source(path=path, name=path.name) for path in paths]
    given = ReadOptions(**options)
    reader, read = reader_for(sources, options=given)
    assert isinstance(reader, SamplesReader)
    return reader.read(read, given)


def table_of(reading: Reading) -> pa.Table:
    """Consume the samples."""
    assert isinstance(reading.samples, pa.RecordBatchReader)
    table = reading.samples.read_all()
    assert table.schema.equals(schema.SAMPLES)
    return table


def rows_of(*paths: Path, **options: Any) -> list[dict[str, Any]]:
    """Read the samples of the files."""
    return list(table_of(reading_of(*paths, **options)).to_pylist())


def rows_of_text(path: Path, text: str | bytes, **options: Any) -> list[dict[str, Any]]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return rows_of(path, **options)


def findings_of(path: Path, text: str | bytes | None = None, **options: Any) -> Findings:
    """Say what came to light while the file was read."""
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    reading = reading_of(path, **options)
    table_of(reading)
    return reading.findings


def rejected_of(path: Path, text: str | bytes | None = None, **options: Any) -> list[tuple[int | None, str]]:
    """List the lines that were left out, and why."""
    return [(row.line, row.reason) for row in findings_of(path, text, **options).rejected]


def reason(path: Path, text: str | bytes | None = None, **options: Any) -> str:
    """Say why the file is refused."""
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    source, given = Source(path=path, name="the file"), ReadOptions(**options)
    with pytest.raises(ResultsError) as caught:
        table_of(SamplesReader().read([source], given))
    assert "the file" in str(caught.value)
    assert len(str(caught.value)) < 700
    return str(caught.value)


# --- what is read ---


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_of_file_comes_back_as_it_was(path: Path, kind: str) -> None:
    """All columns of the schema, row by row, recognised by content."""
    written = random_table(3000)
    WRITERS[kind](written, path)
    reading = reading_of(path)
    assert table_of(reading).equals(written)
    assert (reading.tool, reading.precision) == (None, schema.EXACT)
    assert reading.findings == Findings()
    assert reading.metrics.schema.equals(schema.METRICS)


def test_parts_of_a_run_are_one(tmp_path: Path) -> None:
    """Each worker wrote its own, one as Parquet, with other columns."""
    (tmp_path / "1.csv").write_text("duration_ms,success,worker\n1,1,w1\n2,1,w1\n")
    pq.write_table(pa.table({"success": [False], "duration_ms": [3]}), tmp_path / "2.parquet")
    rows = rows_of(tmp_path / "1.csv", tmp_path / "2.parquet")
    assert [(row["duration_ms"], row["worker"], row["success"]) for row in rows] == [
        (1.0, "w1", True),
        (2.0, "w1", True),
        (3.0, None, False),
    ]


def test_only_durations_are_needed_beside_success(path: Path) -> None:
    """What a file does not say is null, but for the name and the weight."""
    (row,) = rows_of_text(path, "duration_ms,success\n12.5,true\n")
    told = {"duration_ms": 12.5, "success": True, "name": ALL_REQUESTS, "weight": 1}
    assert row == dict.fromkeys(schema.SAMPLES.names) | told


def test_what_pandas_writes_is_read(path: Path) -> None:
    """CSV of pandas: True and False, whole numbers as 200.0 beside gaps, a zone on every time."""
    frame = pd.DataFrame(
        {
            "started_at": pd.to_datetime([NOON, NOON + timedelta(microseconds=1_500_000)]),
            "duration_ms": [1, 2],
            "success": [True, False],
            "status_code": [200, None],
            "name": pd.Categorical(["/a", "/b"]),
        }
    )
    for write in (lambda: frame.to_csv(path, index=False), lambda: frame.to_parquet(path)):
        write()
        first, second = rows_of(path)
        assert (first["started_at"], second["started_at"]) == (NOON, NOON + timedelta(seconds=1.5))
        assert (first["status_code"], second["status_code"]) == (200, None)
        assert (first["success"], second["success"], second["name"]) == (True, False, "/b")


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfduration_ms,success,name\n1,1,a\n",
        b"duration_ms,success,name\r\n1,TRUE,a\r\n",
        b'"duration_ms","success","name"\n"1","true","a"',
        b"name,success,duration_ms\na,true,1\n\n",
        b"duration_ms;success;name\n1;pass;a\n",
        b"duration_ms\tsuccess\tname\n1\tYES\ta\n",
        b"name|duration_ms|success\na| 1.0 |Ok\n",
        b'"duration_ms";success;"name"\n1;1;"a"\n',
    ],
    ids=["mark", "CRLF", "quoted, no newline", "other order, blank line", "semicolon", "tab", "bar", "half quoted"],
)
def test_csv_has_many_shapes(path: Path, text: bytes) -> None:
    """All of them say the same request."""
    (row,) = rows_of_text(path, text)
    assert (row["duration_ms"], row["success"], row["name"]) == (1.0, True, "a")


def test_texts_are_what_they_look_like(path: Path) -> None:
    """``NA`` and ``null`` are names like any other, an empty cell is none, and a line may break in quotes."""
    rows = rows_of_text(path, 'duration_ms,success,name,method,error\n1,1,NA,,"two\nlines"\n1,1,null,GET,""\n')
    assert [(row["name"], row["method"], row["error"]) for row in rows] == [
        ("NA", None, "two\nlines"),
        ("null", "GET", None),
    ]


@pytest.mark.parametrize(
    ("words", "success"),
    [
        (["true", "T", "1", "1.0", "yes", "y", "OK", "pass", "Passed", "success"], True),
        (["False", "f", "0", "0.0", "no", "N", "KO", "FAIL", "failed", "failure", "error"], False),
    ],
)
def test_success_has_many_words(path: Path, words: list[str], success: bool) -> None:
    """In any case, with white space."""
    rows = rows_of_text(path, "duration_ms,success\n" + "".join(f"1, {word}\n" for word in words))
    assert [row["success"] for row in rows] == [success] * len(words)


def test_words_in_place_of_a_status_code_are_the_error(path: Path) -> None:
    """Such as the exception of a client that got no answer; what the file says of both counts more."""
    rows = rows_of_text(path, "duration_ms,status_code,error\n1,200,\n1,ConnectTimeout,\n1,n/a,refused\n")
    assert [(row["status_code"], row["success"], row["error"]) for row in rows] == [
        (200, True, None),
        (None, False, "ConnectTimeout"),
        (None, False, "refused"),
    ]


def test_success_is_told_from_the_status_code(path: Path) -> None:
    """Below 400; a code below 100 is no answer. What the file says itself counts more."""
    rows = rows_of_text(path, "duration_ms,status_code,success\n1,200,\n1,399,\n1,400,\n1,0,\n1,404,true\n")
    assert [row["success"] for row in rows] == [True, True, False, False, True]


def test_types_are_cast_where_nothing_is_lost(path: Path) -> None:
    """Decimals, other integers, other units of time, categories, numbers as user names."""
    table = pa.table(
        {
            "duration_ms": pa.array([Decimal("1.25")], pa.decimal128(10, 2)),
            "success": [True],
            "status_code": pa.array([200], pa.uint64()),
            "name": pa.array(["/a"]).dictionary_encode(),
            "user": [7],
            "started_at": pa.array([int(NOON.timestamp()) * 10**9 + 999]).cast(pa.timestamp("ns", "Europe/Berlin")),
        }
    )
    for kind in ("parquet", "feather"):
        WRITERS[kind](table, path)
        (row,) = rows_of(path)
        assert (row["duration_ms"], row["status_code"], row["name"], row["user"]) == (1.25, 200, "/a", "7")
        assert row["started_at"] == NOON


# --- times ---


@pytest.mark.parametrize(
    "time", ["2026-11-02T12:00:00Z", "2026-11-02 13:00:00+01:00", "2026-11-02T06:00:00.000000000-0600"]
)
def test_times_of_any_zone_are_the_same_moment(path: Path, time: str) -> None:
    """ISO 8601, kept in UTC."""
    assert rows_of_text(path, f"duration_ms,success,started_at\n1,1,{time}\n1,1,\n")[0]["started_at"] == NOON


@pytest.mark.parametrize(
    ("zone", "hour", "said"),
    [
        (None, 12, "UTC"),
        (ZoneInfo("Europe/Berlin"), 11, "Europe/Berlin"),
        (timezone(timedelta(hours=-3)), 15, "UTC-03:00"),
        (UTC, 12, "UTC"),
    ],
)
def test_times_without_a_zone_are_read_in_the_zone_given(path: Path, zone: Any, hour: int, said: str) -> None:
    """Else in UTC; and that is said. In text as in Parquet; times with a zone have theirs."""
    note = f"started_at has no time zone: its times were read as {said}"
    path.write_text("duration_ms,success,started_at\n1,1,2026-11-02 12:00:00\n1,1,2026-11-02T12:00:00.5Z\n")
    reading = reading_of(path, zone=zone)
    read = NOON.replace(hour=hour)
    assert table_of(reading)["started_at"].to_pylist() == [read, NOON + timedelta(seconds=0.5)]
    assert reading.findings.notes == [note]
    pq.write_table(pa.table({"duration_ms": [1.0], "success": [True], "started_at": [NOON.replace(tzinfo=None)]}), path)
    reading = reading_of(path, zone=zone)
    assert table_of(reading)["started_at"].to_pylist() == [read]
    assert reading.findings.notes == [note]


def test_the_hour_that_comes_twice_is_its_first(path: Path) -> None:
    """And the one that is left out becomes the moment after it: no row is lost to the clocks."""
    text = "duration_ms,success,started_at\n1,1,2026-10-25 02:30:00\n1,1,2026-03-29 02:30:00\n"
    rows = rows_of_text(path, text, zone=ZoneInfo("Europe/Berlin"))
    assert [row["started_at"] for row in rows] == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    ]


def test_numbers_are_no_times(path: Path) -> None:
    """Seconds or milliseconds since 1970? The file does not say, so the user must."""
    text = "duration_ms,success,started_at\n1,1,1793620800\n"
    ((line, said),) = rejected_of(path, text)
    assert (line, said) == (
        2,
        f"started_at '1793620800' {NO_TIME}",
    )
    pq.write_table(pa.table({"duration_ms": [1.0], "success": [True], "started_at": [1793620800]}), path)
    assert "started_at as int64" in (said := reason(path))
    assert "columns={'started_at': 'started_at:ms'}" in said
    assert rows_of(path, columns={"started_at": "started_at:s"})[0]["started_at"] == NOON


YEAR_10000_US = 253_402_300_800 * 10**6


@pytest.mark.parametrize(
    ("started_at", "duration_ms"),
    [
        (YEAR_10000_US, 0.0),
        (10**18, 1.0),
        (2**63 - 1, 1.0),
        (YEAR_10000_US - 1, 0.001),
        (YEAR_10000_US - 5_000, 5.0),
        (0, 1e300),
        (-62_135_596_800 * 10**6 - 1, 1.0),
        (-(2**63), 1.0),
    ],
)
def test_times_that_python_cannot_say_are_left_out(path: Path, started_at: int, duration_ms: float) -> None:
    """By their row: a start outside the years 1 to 9999, or a request that ended after them."""
    starts = pa.array([0, None, started_at]).cast(pa.timestamp("us", "UTC"))
    pq.write_table(
        pa.table({"started_at": starts, "duration_ms": [1.0, 1e300, duration_ms], "success": [True] * 3}), path
    )
    said = "started_at is before the year 1, or the request ended after the year 9999"
    assert rejected_of(path) == [(3, said)]


def test_the_first_and_the_last_moment_are_times(path: Path) -> None:
    """A microsecond more would be none."""
    moments = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
    starts = pa.array([*moments[:2], moments[2] - timedelta(microseconds=3)], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"started_at": starts, "duration_ms": [1.0, 0.0, 0.003], "success": [True] * 3}), path)
    assert [row["started_at"] for row in rows_of(path)] == starts.to_pylist()


# --- columns that have other names ---


def test_columns_are_named_by_the_user(path: Path) -> None:
    """In their units; names of ours that are there count, too, and others do not matter."""
    text = "ts;latency;endpoint;status_code;machine\n1793620800123;0.029;/a;200;x\n1793620801000;1.5;/b;500;y\n"
    path.write_text(text)
    columns = {"started_at": "ts:ms", "duration_ms": "latency:s", "name": "endpoint"}
    first, second = rows_of(path, columns=columns)
    assert (first["started_at"], first["duration_ms"]) == (NOON + timedelta(milliseconds=123), 29.0)
    assert (first["name"], first["status_code"], first["success"]) == ("/a", 200, True)
    assert (second["duration_ms"], second["success"]) == (1500.0, False)
    assert findings_of(path, columns=columns).notes == ["file: columns that were not read: 'machine'"]


@pytest.mark.parametrize("kind", ["parquet", "feather", "csv"])
def test_durations_have_units(path: Path, kind: str) -> None:
    """29 µs are 0.029 ms, to the last digit."""
    table = pa.table({"ns": [29_000], "us": [29], "ms": [0.029], "s": [0.000029], "ok": [True]})
    WRITERS[kind](table, path)
    for unit in ("ns", "us", "ms", "s"):
        columns = {"duration_ms": f"{unit}:{unit}", "success": "ok"}
        assert rows_of(path, columns=columns)[0]["duration_ms"] == pytest.approx(0.029, rel=1e-15)
    assert rows_of(path, columns={"duration_ms": "ms", "success": "ok"})[0]["duration_ms"] == 0.029


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_since_1970_have_units(path: Path, unit: str) -> None:
    """As whole numbers and with fractions, in text and in Parquet."""
    per_second = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[unit]
    moments = [NOON, NOON + timedelta(milliseconds=250), None]
    epochs = [moment and moment.timestamp() * per_second for moment in moments]
    table = pa.table({"duration_ms": [1.0] * 3, "success": [True] * 3, "at": epochs})
    for kind in ("parquet", "csv"):
        WRITERS[kind](table, path)
        assert [row["started_at"] for row in rows_of(path, columns={"started_at": f"at:{unit}"})] == moments


def test_durations_of_pandas_know_their_unit(path: Path) -> None:
    """A timedelta is one in any unit."""
    table = pa.table({"took": pa.array([29_000], pa.duration("ns")), "ok": [True]})
    pq.write_table(table, path)
    assert rows_of(path, columns={"duration_ms": "took", "success": "ok"})[0]["duration_ms"] == 0.029


def test_a_colon_in_a_name_is_no_unit(path: Path) -> None:
    """Unless a unit follows; and a column of just that name counts more."""
    text = "http:time,latency:s,latency,success\n1,2,3,1\n"
    took = {
        name: rows_of_text(path, text, columns={"duration_ms": name})[0]["duration_ms"] for name in text.split(",")[:3]
    }
    assert took == {"http:time": 1.0, "latency:s": 2.0, "latency": 3.0}
    assert rows_of(path, columns={"duration_ms": "http:time:s"})[0]["duration_ms"] == 1000.0


def test_what_was_exported_is_read_again(path: Path) -> None:
    """With the number of the run, if it is one; several are several."""
    table = random_table(20).add_column(0, "run_id", [[7] * 20])
    for kind in ("parquet", "csv"):
        WRITERS[kind](table, path)
        reading = reading_of(path)
        assert table_of(reading).equals(table.drop_columns(["run_id"]))
        assert reading.findings == Findings()
        WRITERS[kind](pa.concat_tables([table, random_table(1).add_column(0, "run_id", [[8]])]), path)
        assert "holds the requests of several runs" in reason(path)


def test_a_column_may_be_two_of_ours(path: Path) -> None:
    """Such as a status code that is shown as the error, too."""
    (row,) = rows_of_text(path, "duration_ms,code\n1,503\n", columns={"status_code": "code", "error": "code"})
    assert (row["status_code"], row["error"], row["success"]) == (503, "503", False)


def test_columns_must_be_there(path: Path) -> None:
    """Ours as theirs; the message lists those that are."""
    text = "latency,code\n1,200\n"
    assert "has no column 'took' for duration_ms. It has 'latency', 'code'" in reason(
        path, text, columns={"duration_ms": "took"}
    )
    with pytest.raises(UsageError, match="samples have no column 'elapsed'"):
        rows_of(path, columns={"elapsed": "latency"})


def test_columns_are_for_tables(path: Path) -> None:
    """Another format has its own; naming the columns names the format."""
    path.write_text("a,b\n1,ok\n")
    source = Source(path=path, name="file")
    columns = ReadOptions(columns={"duration_ms": "a"})
    assert isinstance(reader_for([source], options=columns)[0], SamplesReader)
    with pytest.raises(UsageError, match="columns= is for tables of samples"):
        reader_for([source], "capture", columns)


# --- bad rows ---


@pytest.mark.parametrize(
    ("text", "rejected"),
    [
        ("duration_ms,success\n1,1\nNaN,1\n", [(3, "duration_ms is no finite number")]),
        ("duration_ms,success\n1,1\n,1\n", [(3, "duration_ms is missing")]),
        ("duration_ms,success\n-1,1\n1,1\n-0.5,1\n", [(2, "duration_ms is below 0"), (4, "duration_ms is below 0")]),
        ("duration_ms,success\n1,1\nabc,1\n", [(3, "duration_ms 'abc' is no number")]),
        ("duration_ms,success\n1,1\n1\n", [(3, "the header has 2 columns, and this row 1")]),
        ("duration_ms,success\n1,maybe\n", [(2, "success 'maybe' is no true or false")]),
        ("duration_ms,status_code\n1,200\n1,\n", [(3, f"success {UNTOLD}")]),
        ("duration_ms,status_code\n1,200.5\n", [(2, "status_code '200.5' is no whole number that fits")]),
        ("duration_ms,status_code\n1,70000\n", [(2, "status_code '70000' is no whole number that fits")]),
        ("duration_ms,success,weight\n1,1,0\n", [(2, "weight is below 1")]),
        (
            "started_at,duration_ms,success\n2026-11-02T12:00:00Z,1,1\n2026-11-02T12:00:00Z,inf,1\n",
            [(3, "duration_ms is no finite number")],
        ),
        ("duration_ms,success,ttfb_ms\n1,1,inf\n", [(2, "ttfb_ms is no finite number")]),
        ("duration_ms,success,name\n1,1,\n", [(2, "name is missing")]),
        ("duration_ms,success,started_at\n1,1,2026-13-01\n", [(2, f"started_at '2026-13-01' {NO_TIME}")]),
    ],
)  # fmt: skip
def test_bad_rows_are_left_out(path: Path, text: str, rejected: list[tuple[int, str]]) -> None:
    """With their lines (a header is line 1), the column and what is wrong."""
    assert rejected_of(path, text) == rejected
    rows = text.count("\n") - 1
    assert len(rows_of(path)) == rows - len(rejected)


def test_lines_are_counted_as_editors_do(path: Path) -> None:
    """With blank lines, lines in quotes, rows of too many fields, and over batches."""
    text = (
        'duration_ms,success,name\n\n1,1,"two\nlines"\nx,1,a\n1,1,b,c\n' + "1,1,a\n" * 400_000 + '-1,1,"a\nb"\n1,1,a\n'
    )
    findings = findings_of(path, text)
    assert [(row.line, row.text) for row in findings.rejected] == [
        (5, "x,1,a"),
        (6, "1,1,b,c"),
        (400_007, "-1,1,a\nb"),
    ]


def test_rows_of_parquet_are_counted_over_batches(path: Path) -> None:
    """Row 100,001 is that, and not row 1 of some batch."""
    pq.write_table(pa.table({"duration_ms": [1.0] * 100_000 + [-1.0], "success": [True] * 100_001}), path)
    assert rejected_of(path) == [(100_001, "duration_ms is below 0")]


@pytest.mark.parametrize("tail", ["1,1", "1,1,na", "-", '1,1,"a'])
def test_a_last_line_that_was_cut_short_is_no_bad_row(path: Path, tail: str) -> None:
    """The tool was killed while it wrote. A whole one needs no newline."""
    whole = "duration_ms,success,name,error\n1,1,a,\n2,1,b,\n"
    findings = findings_of(path, whole + tail)
    assert findings.truncated
    assert findings.rejected == []
    assert len(rows_of(path)) == 2
    assert not findings_of(path, whole + "3,1,a,").truncated


def test_of_an_archive_that_was_cut_short_only_whole_lines_count(path: Path) -> None:
    """12 may have been 125: the last line is out, though it looks whole."""
    path.write_text("duration_ms,success\n1,1\n12,1")
    (cut,) = table_of(SamplesReader().read([Source(path=path, name="file", truncated=True)], ReadOptions())).to_pylist()
    assert cut["duration_ms"] == 1.0


def test_bytes_that_are_no_text_are_shown_as_such(path: Path) -> None:
    """Neither a strange encoding nor a NUL loses the row."""
    rows = rows_of_text(path, b"duration_ms,success,name,error\n1,1,caf\xe9,a\0b\n1,1,\xed\xa0\x80,\xc3\xa9\n")
    assert [(row["name"], row["error"]) for row in rows] == [
        ("caf\ufffd", "a\ufffdb"),
        ("\ufffd" * 3, "é"),
    ]


# --- what is refused ---


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("success\n1\n", "no column duration_ms"),
        ("duration_ms\n1\n", "neither success nor status_code"),
        ("duration_ms,success,duration_ms\n1,1,1\n", "columns twice: 'duration_ms'"),
        ("duration_ms,success,elapsed\n1,1,1\n", "do not have: 'elapsed'. Name the ones to read (columns=)"),
        ("duration_ms,success\n", "not one row"),
        ("duration_ms,success\n1,", "not one row"),
        ("", "cannot be read"),
        ("\n\n", "cannot be read"),
        ("duration_ms,success\n" + "1.5 s,1\n" * 2000, "none of which can be read: duration_ms '1.5 s' is no number"),
        (f"duration_ms,success,name\n1,1,{'a' * 4_000_000}\n", "more than 1048576 bytes"),
        (b"duration_ms,success,name" + b"\xff" * 4_000_000, "cannot be read"),
        (f'duration_ms,success,name\n1,1,"{"a" * 4_000_000}\n', "a quote is not closed"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_samples_is_refused(path: Path, text: str | bytes, words: str) -> None:
    """With the file, the column and what is wrong; in a short sentence."""
    assert words in reason(path, text)


def test_three_hundred_columns_are_not_all_listed(path: Path) -> None:
    """Some of them, and how many more."""
    said = reason(path, ",".join(["duration_ms", *(f"c{index}" for index in range(299))]) + "\n")
    assert "'c0', 'c1', 'c2', 'c3', 'c4' and 294 more" in said


@pytest.mark.parametrize("type_", [pa.list_(pa.int64()), pa.struct([("a", pa.int64())]), pa.date32(), pa.time32("s")])
def test_types_that_mean_something_else_are_refused(path: Path, type_: pa.DataType) -> None:
    """A list or a day is no duration."""
    pq.write_table(pa.table({"duration_ms": pa.nulls(1, type_), "success": [True]}), path)
    assert "which cannot become duration_ms (double)" in reason(path)


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_files_that_were_cut_short_are_refused(path: Path, kind: str) -> None:
    """Wherever they were cut: their end says what is in them."""
    WRITERS[kind](random_table(3000), path)
    whole = path.read_bytes()
    for size in (20, len(whole) // 2, len(whole) - 5):
        assert "cannot be read" in reason(path, whole[:size])


def test_names_of_columns_that_are_no_text_are_refused(path: Path) -> None:
    """Damaged bytes in a header."""
    feather.write_feather(pa.table({"duration_ms": [1.0], "success": [True]}), str(path))
    path.write_bytes(path.read_bytes().replace(b"duration_ms", b"duration\xff\xff\xff"))
    assert "cannot be read" in reason(path)


def test_results_of_a_newer_ator_are_refused(path: Path) -> None:
    """They may mean something else."""
    newer = pa.table({"duration_ms": [1.0], "success": [True]})
    pq.write_table(newer.replace_schema_metadata({"ator_schema": str(schema.VERSION + 1)}), path)
    assert "newer ATOR" in reason(path)


# --- recognised by content ---


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"timeStamp,elapsed\n1,2\n",
        b"max_duration_ms,success\n1,2\n",
        b'{"duration_ms": 1}\n',
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    ],
)
def test_other_files_are_not_recognised(path: Path, content: bytes) -> None:
    """Other tables, JSON, pictures."""
    path.write_bytes(content)
    assert not SamplesReader().recognises(Source(path=path, name="file"))


def test_a_damaged_file_is_still_recognised(path: Path) -> None:
    """So that its reader can say what is wrong with it."""
    path.write_bytes(b"PAR1 and nothing more")
    assert SamplesReader().recognises(Source(path=path, name="file"))


# --- nothing else than ours ---


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(WRITERS)), data=st.data())
def test_mutated_files_are_read_or_refused(path: Path, kind: str, data: st.DataObject) -> None:
    """Bytes flipped, cut out or doubled: rows of the schema that keep the rules, or one error of ours."""
    WRITERS[kind](random_table(50), path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at, length = data.draw(st.integers(0, len(content))), data.draw(st.integers(0, 40))
        content[at : at + length] = data.draw(
            st.one_of(st.binary(max_size=40), st.just(bytes(content[at : at + length]) * 2))
        )
    path.write_bytes(content)
    try:
        samples = table_of(SamplesReader().read([Source(path=path, name="file")], ReadOptions()))
    except ResultsError:
        return
    samples.validate(full=True)
    assert all(duration >= 0 for duration in samples["duration_ms"].to_pylist())
