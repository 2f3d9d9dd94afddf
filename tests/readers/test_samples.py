"""Files with the canonical columns: what is read, what is cast, and what is refused. All samples are synthetic."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

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
from ator_lib.readers.formats import reader_for
from ator_lib.readers.samples import READ_AS_UTC, UNNAMED, SamplesReader
from tests.results.synthetic import random_table

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)

WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    "parquet": lambda table, path: pq.write_table(table, path),
    "feather": lambda table, path: feather.write_feather(table, str(path)),
    "uncompressed feather": lambda table, path: feather.write_feather(table, str(path), compression="uncompressed"),
    "csv": lambda table, path: csv.write_csv(table, str(path)),
    "csv.gz": lambda table, path: csv.write_csv(table, pa.output_stream(str(path), compression="gzip")),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the test's file is; its name says nothing of its format."""
    return tmp_path / "file"


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Read the samples of the file, as the reader that recognises it does."""
    return list(reader_for(path).read(path).samples.read_all().to_pylist())


def rows_of_text(path: Path, text: str | bytes) -> list[dict[str, Any]]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return rows_of(path)


def reason(path: Path, text: str | bytes | None = None) -> str:
    """Say why the file is refused."""
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ResultsError) as caught:
        SamplesReader().read(path).samples.read_all()
    assert str(path) in str(caught.value)
    return str(caught.value)


# --- what is read ---


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_of_file_comes_back_as_it_was(path: Path, kind: str) -> None:
    """All columns of the schema, row by row, recognised by content."""
    written = random_table(3000)
    WRITERS[kind](written, path)
    reading = reader_for(path).read(path)
    assert (reading.tool, reading.precision, reading.truncated, reading.notes) == (None, schema.EXACT, False, ())
    table = reading.samples.read_all()
    assert table.schema.equals(schema.SAMPLES)
    assert table.equals(written)
    assert reading.metrics.schema.equals(schema.METRICS)


def test_only_durations_are_needed_beside_success(path: Path) -> None:
    """What a file does not say is null, but for the name and the weight."""
    (row,) = rows_of_text(path, "duration_ms,success\n12.5,true\n")
    told = {"duration_ms": 12.5, "success": True, "name": UNNAMED, "weight": 1}
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
    ],
    ids=["byte order mark", "CRLF", "quoted, no last newline", "other order, blank line"],
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


def test_times_without_a_zone_are_utc_and_that_is_said(path: Path) -> None:
    """In text as in Parquet."""
    path.write_text("duration_ms,success,started_at\n1,1,2026-11-02 12:00:00\n1,1,2026-11-02 12:00:00.5\n")
    reading = SamplesReader().read(path)
    assert reading.notes == (READ_AS_UTC,)
    assert reading.samples.read_all()["started_at"][0].as_py() == NOON
    pq.write_table(pa.table({"duration_ms": [1.0], "success": [True], "started_at": [NOON.replace(tzinfo=None)]}), path)
    reading = SamplesReader().read(path)
    assert reading.notes == (READ_AS_UTC,)
    assert reading.samples.read_all()["started_at"][0].as_py() == NOON


def test_mixed_zones_are_refused(path: Path) -> None:
    """Nobody knows what the times without one mean."""
    naive, aware = "2026-11-02 12:00:00", "2026-11-02 12:00:00Z"
    assert "started_at in row 3" in reason(path, f"duration_ms,success,started_at\n1,1,{aware}\n1,1,{naive}\n")
    assert "started_at in row" in reason(path, f"duration_ms,success,started_at\n1,1,{naive}\n1,1,{naive}+01:00\n")


def test_numbers_are_no_times(path: Path) -> None:
    """Seconds or milliseconds since 1970? The file does not say."""
    assert "started_at in row 2" in reason(path, "duration_ms,success,started_at\n1,1,1793620800\n")
    pq.write_table(pa.table({"duration_ms": [1.0], "success": [True], "started_at": [1793620800]}), path)
    assert "started_at as int64" in reason(path)


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
def test_times_that_python_cannot_say_are_refused(path: Path, started_at: int, duration_ms: float) -> None:
    """By their row: a start outside the years 1 to 9999, or a request that ended after them."""
    starts = pa.array([0, None, started_at]).cast(pa.timestamp("us", "UTC"))
    pq.write_table(
        pa.table({"started_at": starts, "duration_ms": [1.0, 1e300, duration_ms], "success": [True] * 3}), path
    )
    assert "started_at is before the year 1, or the request ended after the year 9999 (row 3)" in reason(path)


def test_the_first_and_the_last_moment_are_times(path: Path) -> None:
    """A microsecond more would be none."""
    moments = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
    starts = pa.array([*moments[:2], moments[2] - timedelta(microseconds=3)], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"started_at": starts, "duration_ms": [1.0, 0.0, 0.003], "success": [True] * 3}), path)
    assert [row["started_at"] for row in rows_of(path)] == starts.to_pylist()


# --- what is refused ---


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("duration_ms,success\n1,1\nNaN,1\n", "duration_ms is no finite number (row 3)"),
        ("duration_ms,success\n1,1\n,1\n", "duration_ms is missing (row 3)"),
        ("duration_ms,success\n-1,1\n1,1\n-0.5,1\n", "duration_ms is below 0 (row 2, 4)"),
        ("duration_ms,success\n" + "-1,1\n" * 9, "duration_ms is below 0 (row 2, 3, 4, 5, 6 and more)"),
        ("duration_ms,success\n1,1\nabc,1\n", "duration_ms in row 3: invalid value 'abc'"),
        ("duration_ms,success\n1,1\n1\n", "Row #3: Expected 2 columns, got 1"),
        ("duration_ms,success\n1,maybe\n", "success in row 2: invalid value 'maybe'"),
        ("duration_ms\n1\n", "success is missing, and there is no status_code"),
        ("duration_ms,status_code\n1,200\n1,\n", "there is no status_code to tell it from (row 3)"),
        ("duration_ms,status_code\n1,200.5\n", "status_code '200.5' in row 2, which is no int16"),
        ("duration_ms,status_code\n1,200\n1,70000\n", "status_code '70000.0' in row 3"),
        ("duration_ms,success,weight\n1,1,0\n", "weight is below 1 (row 2)"),
        ("duration_ms,success,ttfb_ms\n1,1,inf\n", "ttfb_ms is no finite number (row 2)"),
        ("duration_ms,success,name\n1,1,\n", "name is missing (row 2)"),
        ("duration_ms,success,name\n1,1,a\0b\n", "name holds a NUL character (row 2)"),
        (b"duration_ms,success,name\n1,1,\xed\xa0\x80\n", "name in row 2: invalid UTF8"),
        ("success\n1\n", "no column duration_ms"),
        ("duration_ms,success,duration_ms\n1,1,1\n", "columns twice: 'duration_ms'"),
        ("duration_ms;success\n1;1\n", "'duration_ms;success'"),
        ("duration_ms,success,elapsed\n1,1,1\n", "do not have: 'elapsed'. Rename or drop them; there are started_at,"),
        ("duration_ms,success\n", "not one row"),
        ("", "is empty"),
        (f"duration_ms,success,name\n1,1,{'a' * 3_000_000}\n", "cannot be read"),
    ],
)  # fmt: skip
def test_bad_rows_and_columns_refuse_the_file(path: Path, text: str | bytes, words: str) -> None:
    """With the file, the column, the first rows (a header is row 1) and what is wrong; in a short sentence."""
    said = reason(path, text)
    assert words in said
    assert len(said) < 700


def test_rows_are_counted_over_batches(path: Path) -> None:
    """Row 100,001 of a Parquet file is that, and not row 1 of some batch."""
    pq.write_table(pa.table({"duration_ms": [1.0] * 100_000 + [-1.0], "success": [True] * 100_001}), path)
    assert "(row 100001)" in reason(path)


def test_three_hundred_columns_are_not_all_listed(path: Path) -> None:
    """Some of them, and how many more."""
    said = reason(path, ",".join(["duration_ms", *(f"c{index}" for index in range(299))]) + "\n")
    assert "'c0', 'c1', 'c2', 'c3', 'c4' and 294 more" in said


@pytest.mark.parametrize("kind", ["parquet", "feather", "csv.gz"])
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
    newer = pa.table({"duration_ms": [1.0]}).replace_schema_metadata({"ator_schema": str(schema.VERSION + 1)})
    pq.write_table(newer, path)
    assert "newer ATOR" in reason(path)


# --- recognised by content ---


def test_what_is_no_samples_file_is_not_recognised(path: Path, tmp_path: Path) -> None:
    """Other texts, pictures, empty files, folders and pipes; and nothing waits or breaks."""
    for content in (
        b"",
        b"\n\n",
        b"timeStamp,elapsed\n1,2\n",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        gzip.compress(b"{}"),
        b"\x1f\x8bnope",
    ):
        path.write_bytes(content)
        assert not SamplesReader().recognises(path)
        with pytest.raises(ResultsError, match="no format that is known here: capture, samples"):
            reader_for(path)
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", ".", "gone"):
        assert not SamplesReader().recognises(tmp_path / name)
        with pytest.raises(ResultsError):
            reader_for(tmp_path / name)


def test_a_damaged_file_is_still_recognised(path: Path) -> None:
    """So that its reader can say what is wrong with it."""
    path.write_bytes(b"PAR1 and nothing more")
    assert reader_for(path).format == "samples"


def test_a_format_by_name_is_not_doubted(path: Path) -> None:
    """Whoever names it gets that reader; an unknown name is answered with the known ones."""
    assert reader_for(path, "capture").format == "capture"
    with pytest.raises(UsageError, match="capture, samples"):
        reader_for(path, "jtl")


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
        samples = SamplesReader().read(path).samples.read_all()
    except ResultsError:
        return
    samples.validate(full=True)
    assert min(samples["duration_ms"].to_pylist()) >= 0
