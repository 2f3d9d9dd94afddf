"""Rows that DuckDB reads in bulk become the table of a set; and how a table is given to SQL."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from ator_lib import schema
from ator_lib.readers import duck
from ator_lib.readers.base import Findings, Reading
from ator_lib.results import files
from ator_lib.results.parquet import ParquetStore

START = datetime(2026, 5, 4, 7, 30, tzinfo=UTC)
ROWS = 200_000
"""More than a row group."""


def query(**more: object) -> duck.Query:
    """Give requests of 0, 1, 2 … ms, ten a millisecond; each hundredth cannot be read."""
    given = {
        "started_at": "make_timestamptz(epoch_us(TIMESTAMP '2026-05-04 07:30:00') + i * 100)",
        "duration_ms": "CASE WHEN i % 100 = 99 THEN NULL ELSE i END::DOUBLE",
        "name": "'item ' || i % 3",
        "success": "true",
        "weight": "1::BIGINT",
        "users": "(i // 1000)::BIGINT",
    }
    columns = [*schema.SAMPLES.names, *(["users"] if "has_users" in more else [])]
    listed = ", ".join(f'{given.get(name, "NULL")} AS "{name}"' for name in columns)
    return duck.Query(connection=duck.connect(), sql=f"SELECT {listed} FROM range({ROWS}) AS rows(i)", **more)  # type: ignore[arg-type]


def reading(samples: duck.Query, unread: list[int]) -> Reading:
    return Reading(tool=None, precision=schema.EXACT, samples=samples, explain=unread.append, findings=Findings())


def test_rows_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    """The reader is told how many they are; all others stay in their order."""
    store, unread = ParquetStore(tmp_path), list[int]()
    staged = store.write(reading(query(), unread))
    durations = store.samples(staged.ingest_id, columns=["duration_ms"])["duration_ms"].to_pylist()
    assert durations == [number for number in range(ROWS) if number % 100 != 99]
    assert unread == [ROWS // 100]


def test_a_reader_leaves_rows_out_once_it_has_seen_all(tmp_path: Path) -> None:
    """By a condition on what was written, in which rows have the number of their place."""
    seen = []
    samples = query(settle=lambda table: seen.append(table) or "file_row_number < 10 AND name <> 'item 0'")
    store = ParquetStore(tmp_path)
    staged = store.write(reading(samples, []))
    assert store.samples(staged.ingest_id, columns=["duration_ms"])["duration_ms"].to_pylist() == [1, 2, 4, 5, 7, 8]
    assert len(seen) == 1


def test_users_of_the_samples_become_metrics(tmp_path: Path) -> None:
    """The most of each second; the samples themselves have no such column."""
    store = ParquetStore(tmp_path)
    staged = store.write(reading(query(has_users=True), []))
    metrics = store.metrics(staged.ingest_id).to_pylist()
    assert [(row["metric"], row["value"]) for row in metrics] == [("users", (n + 1) * 10.0 - 1) for n in range(20)]
    assert metrics[0]["timestamp"] == START
    assert store.samples(staged.ingest_id).schema.equals(schema.SAMPLES)
    first = store.timeline(staged.ingest_id).to_pylist()[0]
    assert (first["name"], first["users"]) == (None, 9)


def test_sql_sees_the_same_texts(tmp_path: Path) -> None:
    """Whether they come by their dictionary or not; filters find them, and nulls are null."""
    store = ParquetStore(tmp_path)
    folder = tmp_path / store.write(reading(query(), [])).ingest_id
    plain, encoded = (files.open_table(folder, "samples", for_sql=for_sql) for for_sql in (False, True))
    assert pa.types.is_dictionary(encoded.schema.field("name").type)
    for condition in (
        "name = 'item 1'",
        "name IN ('item 2', 'x')",
        "name LIKE '%0'",
        "name > 'item 1'",
        "method IS NULL",
    ):
        counted = f"SELECT name, count(*), count(method) FROM {{}} WHERE {condition} GROUP BY name ORDER BY name"
        with duckdb.connect() as connection:
            connection.register("plain", plain)
            connection.register("encoded", encoded)
            found = [connection.sql(counted.format(table)).fetchall() for table in ("plain", "encoded")]
        assert found[0] == found[1] != []
