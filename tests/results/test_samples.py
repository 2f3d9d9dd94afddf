from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ator_lib import schema
from ator_lib.errors import NotFoundError, StoreError, StoreVersionError, UsageError
from ator_lib.results.parquet import ParquetStore
from tests.results.synthetic import START, failed, random_table, reading, sample, table, users

text = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
number = st.none() | st.floats(0, 1e6)
count = st.none() | st.integers(0, 2**50)
rows = st.fixed_dictionaries(
    {
        "started_at": st.none() | st.integers(0, 10**9).map(lambda us: START + timedelta(microseconds=us)),
        "duration_ms": st.floats(0, 1e6),
        "name": st.text(max_size=20).filter(lambda name: name.isprintable()),
        "status_code": st.none() | st.integers(-1, 999),
        "success": st.booleans(),
        "weight": st.integers(1, 2),
        **dict.fromkeys(["method", "error", "user", "worker", "group", "scenario"], text),
        **dict.fromkeys(["connect_ms", "ttfb_ms"], number),
        **dict.fromkeys(["bytes_sent", "bytes_received"], count),
    }
)


@settings(max_examples=15, deadline=None)
@given(st.lists(rows, max_size=30))
def test_samples_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, given_rows: list[dict[str, object]]
) -> None:
    """Round trip: every column of every sample, in order, also through a filter that lets all through."""
    samples = pa.Table.from_pylist(given_rows, schema=schema.SAMPLES)
    store = ParquetStore(tmp_path_factory.mktemp("results"))
    ingest_id = store.write(reading(samples, batch_rows=7)).ingest_id
    assert store.samples(ingest_id).equals(samples)
    assert store.samples(ingest_id, where="true").equals(samples)


def test_columns_and_where_choose(store: ParquetStore) -> None:
    """Columns come in the order asked for; ``where`` is SQL over all columns, also those not asked for."""
    ingest_id = store.write(reading([sample(0, 5, user="alice"), failed(1, 50), sample(2, 500, group="g")])).ingest_id
    chosen = store.samples(ingest_id, columns=["name", "duration_ms"], where="NOT success OR \"group\" = 'g'")
    assert chosen.to_pylist() == [{"name": "/a", "duration_ms": 50.0}, {"name": "/a", "duration_ms": 500.0}]
    assert chosen.schema.field("duration_ms").equals(schema.SAMPLES.field("duration_ms"))
    assert store.samples(ingest_id, where="\"user\" = 'alice'").num_rows == 1
    assert store.samples(ingest_id, where="started_at >= '2026-11-02 10:00:01+00'").num_rows == 2
    assert store.samples(ingest_id, where="started_at >= '2026-11-02 10:00:01'").num_rows == 2, "times are UTC"


def test_the_order_of_many_samples_is_kept(store: ParquetStore) -> None:
    """Filtering on several threads does not shuffle the rows."""
    big = pa.Table.from_batches(random_table(1000).to_batches() * 400)
    samples = big.set_column(9, schema.SAMPLES.field("bytes_sent"), pa.array(range(big.num_rows), pa.int64()))
    ingest_id = store.write(reading(samples)).ingest_id
    seen = store.samples(ingest_id, columns=["bytes_sent"], where="bytes_sent % 2 = 0")["bytes_sent"].to_pylist()
    assert seen == list(range(0, big.num_rows, 2))


@pytest.mark.parametrize("columns", [["name", "p95"], ["duration_ms; DROP"], []])
def test_unknown_columns_are_named_with_those_there_are(store: ParquetStore, columns: list[str]) -> None:
    """A wrong column is a UsageError that lists the right ones."""
    ingest_id = store.write(reading([sample(0)])).ingest_id
    with pytest.raises(UsageError, match=r"no such column.*Columns: started_at, duration_ms, name"):
        store.samples(ingest_id, columns=columns)


@pytest.mark.parametrize(
    "where",
    [
        "",
        "nope > 1",
        "duration_ms >",
        "name",
        "count(*) > 1",
        "group = 'g'",
        "true; DROP VIEW samples",
        "true) UNION ALL (SELECT 1",
        "true LIMIT 1",
        "exists(FROM read_text('{secret}'))",
        "exists(FROM read_csv('{secret}'))",
        "exists(FROM '{secret}')",
        "exists(FROM glob('{folder}/*'))",
        "exists(FROM read_parquet('{samples}'))",
        "exists(WITH x AS (COPY (SELECT 1) TO '{target}') FROM x)",
        "exists(WITH x AS (COPY (SELECT 1) TO '{samples}' (USE_TMP_FILE false)) FROM x)",
        "exists(FROM pathlib)",
    ],
)
def test_where_is_one_harmless_expression(store: ParquetStore, tmp_path: Path, where: str) -> None:
    """What is no expression over the columns, or reaches for a file, is a UsageError; nothing is read or written."""
    secret, target = tmp_path / "secret.csv", tmp_path / "target.csv"
    secret.write_text("1,2\n")
    ingest_id = store.write(reading([sample(0)])).ingest_id
    samples = store.root / ingest_id / "samples.parquet"
    before = samples.read_bytes()
    hostile = where.format(secret=secret, target=target, folder=tmp_path, samples=samples)
    with pytest.raises(UsageError, match=r"cannot be used: .*Columns: started_at"):
        store.samples(ingest_id, where=hostile)
    assert samples.read_bytes() == before
    assert not target.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results", "secret.csv"]


def test_errors_are_grouped_most_frequent_first(store: ParquetStore) -> None:
    """Failed requests by name, method, status and error, with the number of requests that they stand for."""
    rows = [
        failed(0),
        failed(0, error="timeout", status_code=None, weight=3),
        failed(0),
        sample(0),
        failed(0, name="/b"),
    ]
    errors = store.errors(store.write(reading(rows)).ingest_id)
    assert [tuple(row.values()) for row in errors.to_pylist()] == [
        ("/a", "GET", None, "timeout", 3),
        ("/a", "GET", 500, "HTTP 500", 2),
        ("/b", "GET", 500, "HTTP 500", 1),
    ]
    assert errors.column_names == ["name", "method", "status_code", "error", "requests"]


def test_metrics_come_back_as_they_were(store: ParquetStore) -> None:
    """Round trip of what was measured beside the requests."""
    measured = [users(0, 1), users(1, 2.5, "w2")]
    kept = store.metrics(store.write(reading([sample(0)], measured)).ingest_id)
    assert kept.equals(pa.Table.from_pylist(measured, schema=schema.METRICS))


@pytest.mark.parametrize("ingest_id", ["20261102T100000-0123456789abcdef", "../secrets", "", "."])
def test_results_that_are_not_there(store: ParquetStore, ingest_id: str) -> None:
    """An unknown id, or a path in its place, is a NotFoundError."""
    with pytest.raises(NotFoundError, match=f"results of ingest {ingest_id} are missing"):
        store.timeline(ingest_id)


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"no parquet")])
def test_a_missing_or_damaged_file_is_a_store_error(store: ParquetStore, harm: object) -> None:
    """A file of a set that is gone or cannot be read is said with the ingest and its folder."""
    ingest_id = store.write(reading([sample(0)])).ingest_id
    harm(store.root / ingest_id / "samples.parquet")  # type: ignore[operator]
    for read in (store.samples, store.distributions, lambda id_: store.samples(id_, where="true")):
        with pytest.raises(StoreError, match=f"results of ingest {ingest_id} cannot be read from"):
            read(ingest_id)


def test_files_of_a_newer_version_are_refused(store: ParquetStore) -> None:
    """Tables that a newer ATOR wrote may mean something else: update."""
    ingest_id = store.write(reading([sample(0)])).ingest_id
    newer = table([sample(0)]).replace_schema_metadata({"ator_schema": str(schema.VERSION + 1)})
    pq.write_table(newer, store.root / ingest_id / "samples.parquet")
    with pytest.raises(StoreVersionError, match="update ATOR"):
        store.samples(ingest_id)


def test_a_folder_with_any_name_works(tmp_path: Path) -> None:
    """Characters that mean something to SQL or to globs are only characters in a path."""
    store = ParquetStore(tmp_path / "it's [a] *folder*" / "results")
    staged = store.write(reading([sample(0), sample(1)]))
    assert store.samples(staged.ingest_id, where="true").num_rows == 2
