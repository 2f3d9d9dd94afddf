from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, update

from ator_lib import schema
from ator_lib.errors import StoreError, StoreVersionError, UsageError
from ator_lib.results.parquet import ParquetStore
from ator_lib.results.query import VIEWS, query
from ator_lib.sql.engine import write
from ator_lib.sql.tables import ingests, test_executions
from tests.results.conftest import keep, new_run
from tests.results.synthetic import START, failed, reading, sample, users

Ask = Callable[[str], pd.DataFrame]

LEASE = "5f0e4a56-a-secret-fencing-token"


def asking(engine: Engine, store: ParquetStore) -> Ask:
    """Give a function that queries a store."""
    return lambda text: query(text, engine=engine, store=store)


def two_runs_in(engine: Engine, store: ParquetStore) -> tuple[int, int]:
    """Make two runs with results, one with three synthetic samples, one with one; gives their ids."""
    first = new_run(
        engine,
        test="checkout",
        status="success",
        end_time=START + timedelta(minutes=2),
        factor=Decimal("0.4"),
        lease_id=LEASE,
        attributes={"commit": "abc", "tags": ["x"]},
    )
    second = new_run(engine, test="search")
    keep(engine, store, first, reading([sample(0, 10), sample(1, 30), failed(2, 20)], [users(0, 5)]))
    keep(engine, store, second, reading([sample(0, 100, name="/b")]))
    return first, second


@pytest.fixture(scope="module")
def store(shared_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> ParquetStore:
    """Make the store that belongs to the database."""
    return ParquetStore(tmp_path_factory.mktemp(shared_engine.dialect.name) / "results")


@pytest.fixture(scope="module")
def two_runs(shared_engine: Engine, store: ParquetStore) -> tuple[int, int]:
    """Ids of the two runs, which tests only look at."""
    return two_runs_in(shared_engine, store)


@pytest.fixture(scope="module")
def ask(shared_engine: Engine, store: ParquetStore, two_runs: tuple[int, int]) -> Ask:
    """Return a function that queries the two runs."""
    return asking(shared_engine, store)


def test_every_view_answers(ask: Ask) -> None:
    """Each view has the columns it promises and the rows that are kept; cases are still empty."""
    sizes = {}
    for view, columns in VIEWS.items():
        frame = ask(f"SELECT * FROM {view}")
        assert list(frame.columns) == columns.names
        sizes[view] = len(frame)
    assert sizes == {"runs": 2, "summaries": 4, "cases": 0, "samples": 4, "timeline": 8, "metrics": 1}


def test_views_answer_before_the_first_run(engine: Engine, tmp_path: Path) -> None:
    """An empty store has empty views, and no error."""
    ask = asking(engine, ParquetStore(tmp_path / "results"))
    assert [len(ask(f"FROM {view}")) for view in VIEWS] == [0] * len(VIEWS)


def test_views_join_by_run_id(ask: Ask) -> None:
    """Runs, summaries and samples come together in one query."""
    frame = ask("""
        SELECT test, p50_ms, max(s.duration_ms) AS slowest, count(*) AS requests
        FROM runs JOIN summaries USING (run_id) JOIN samples s USING (run_id)
        WHERE scope = 'total' GROUP BY ALL ORDER BY test
    """)
    assert frame.to_dict("records") == [
        {"test": "checkout", "p50_ms": 20.0, "slowest": 30.0, "requests": 3},
        {"test": "search", "p50_ms": 100.0, "slowest": 100.0, "requests": 1},
    ]


def test_runs_are_the_registrys_rows_without_the_lease(ask: Ask, two_runs: tuple[int, int]) -> None:
    """All columns of test_executions but lease_id; factor is a number, JSON can be taken apart, times are UTC."""
    assert set(test_executions.columns.keys()) - set(ask("FROM runs").columns) == {"lease_id"}
    row = ask(
        "SELECT *, end_time - start_time AS took, attributes ->> 'commit' AS commit FROM runs ORDER BY run_id"
    ).iloc[0]
    assert (row["run_id"], row["factor"], row["commit"]) == (two_runs[0], 0.4, "abc")
    assert row["start_time"] == pd.Timestamp(START)
    assert str(row["start_time"].tz) == "UTC"
    assert row["took"] == pd.Timedelta(minutes=2)
    with pytest.raises(UsageError, match="lease_id"):
        ask("SELECT lease_id FROM runs")


def test_results_are_columns_to_calculate_with(ask: Ask) -> None:
    """Sums are integers, averages and decimals floats, times and dates datetimes: no columns of Python objects."""
    frame = ask("""
        SELECT sum(requests) AS total, avg(requests) AS mean, 1.5 AS ratio, started_at, started_at::DATE AS day,
            INTERVAL 90 SECOND AS span, 2 ** 70 AS huge, sum(9223372036854775807) AS beyond
        FROM summaries JOIN samples USING (run_id) GROUP BY started_at
    """)
    assert {column: str(dtype).split("[")[0] for column, dtype in frame.dtypes.items()} == {
        "total": "int64",
        "mean": "float64",
        "ratio": "float64",
        "started_at": "datetime64",
        "day": "datetime64",
        "span": "timedelta64",
        "huge": "float64",
        "beyond": "float64",
    }


def test_the_sessions_time_zone_is_utc(ask: Ask) -> None:
    """A time without a zone in a query means UTC, wherever the machine is."""
    assert ask("SELECT count(*) AS n FROM samples WHERE started_at >= '2026-11-02 10:00:01'")["n"][0] == 2
    assert ask("SELECT current_setting('TimeZone') AS zone")["zone"][0] == "UTC"


def test_a_long_query_prints_nothing(ask: Ask, capfd: pytest.CaptureFixture[str]) -> None:
    """DuckDB's progress bar, which comes up after seconds, would spoil what a command prints as JSON."""
    assert not ask("SELECT current_setting('enable_progress_bar') AS bar")["bar"][0]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT count(*) AS n FROM SAMPLES",
        'SELECT count(*) AS n FROM "Samples"',
        "SELECT count(*) AS n FROM samples;",
        "-- a comment\nSELECT count(*) AS n /* more */ FROM samples s",
        "WITH x AS (SELECT * FROM samples) SELECT count(*) AS n FROM x",
        "WITH samples AS (SELECT * FROM range(4)) SELECT count(*) AS n FROM samples",
        "SELECT (SELECT count(*) FROM samples) AS n",
        "SELECT count(*) AS n FROM query('FROM samples')",
        "SELECT count(*) AS n FROM samples JOIN runs USING (run_id)",
    ],
)
def test_views_are_found_however_they_are_named(ask: Ask, text: str) -> None:
    """Upper case, quotes, comments, subqueries and CTEs, also one that hides a view."""
    assert ask(text)["n"].tolist() == [4]


@pytest.mark.parametrize(
    "text",
    [
        "DESCRIBE samples",
        "SUMMARIZE timeline",
        "EXPLAIN SELECT * FROM runs",
        "SHOW samples",
        "FROM metrics",
        "VALUES (1)",
    ],
)
def test_other_statements_that_read(ask: Ask, text: str) -> None:
    """What only looks is allowed, not only SELECT."""
    assert len(ask(text)) > 0


def test_show_tables_lists_the_views(ask: Ask) -> None:
    """Whoever starts with SHOW TABLES finds every view."""
    assert sorted(ask("SHOW TABLES")["name"]) == sorted(VIEWS)


def test_pivot(ask: Ask) -> None:
    """A PIVOT is several statements to DuckDB and one to people."""
    frame = ask("PIVOT (SELECT run_id, name FROM samples) ON name USING count(*) ORDER BY run_id")
    assert frame[["/a", "/b"]].values.tolist() == [[3, 0], [0, 1]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELEC 1",
        "SELECT nope FROM samples",
        "SELECT * FROM nope",
        "SELECT 1; SELECT 2",
        "CREATE TABLE t AS FROM runs",
        "DELETE FROM runs",
        "SET enable_external_access = true",
        "ATTACH '{target}' AS t",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "COPY runs TO '{target}'",
        "EXPLAIN ANALYZE COPY runs TO '{target}'",
        "EXPLAIN ANALYZE COPY runs TO '{samples}' (USE_TMP_FILE false)",
        "WITH x AS (COPY runs TO '{target}') FROM x",
        "WITH x AS (COPY (SELECT 1) TO '{samples}' (USE_TMP_FILE false)) FROM x, samples",
        "FROM read_csv('{secret}')",
        "FROM read_text('{secret}'), samples",
        "FROM '{secret}'",
        "FROM read_parquet('{samples}')",
        "FROM glob('{folder}/*')",
        "FROM 'https://example.com/x.csv'",
        "EXPORT DATABASE '{target}'",
        "FROM START",
    ],
)
def test_what_does_not_read_the_views_is_refused(ask: Ask, store: ParquetStore, tmp_path: Path, text: str) -> None:
    """Writing, other files, extensions, several statements and mistakes: UsageError with the views there are."""
    secret, target = tmp_path / "secret.csv", tmp_path / "target"
    secret.write_text("1,2\n")
    samples = next(store.root.glob("*/samples.parquet"))
    before = samples.read_bytes()
    with pytest.raises(UsageError, match="Views: runs, summaries, cases, samples, timeline, metrics"):
        ask(text.format(secret=secret, target=target, samples=samples, folder=tmp_path))
    assert samples.read_bytes() == before
    assert not target.exists()


def test_a_bad_query_says_what_duckdb_says(ask: Ask) -> None:
    """The message starts with DuckDB's first line, without its drawing of the query."""
    with pytest.raises(
        UsageError, match=r'^the query cannot be answered: Referenced column "nope" not found'
    ) as raised:
        ask("SELECT nope FROM samples")
    assert "\n" not in str(raised.value)


def test_a_filter_on_run_id_leaves_other_runs_files_closed(engine: Engine, tmp_path: Path) -> None:
    """With one run's samples gone, the other is still there to query; all of them are a StoreError."""
    store = ParquetStore(tmp_path / "results")
    first, second = two_runs_in(engine, store)
    ask = asking(engine, store)
    [gone] = [path for path in store.root.iterdir() if store.samples(path.name).num_rows == 3]
    (gone / "samples.parquet").unlink()
    assert len(ask(f"FROM samples WHERE run_id = {second} AND duration_ms > 1")) == 1
    assert len(ask(f"FROM samples JOIN runs USING (run_id) WHERE run_id IN ({second}, 99)")) == 1
    with pytest.raises(StoreError, match=r"results of a run cannot be read: .*samples\.parquet"):
        ask(f"FROM samples WHERE run_id = {first}")
    with pytest.raises(StoreError):
        ask("SELECT count(*) FROM samples")


def test_results_of_a_newer_version_are_refused(engine: Engine, tmp_path: Path) -> None:
    """Columns that a newer ATOR wrote may mean something else; what needs no files still answers."""
    store = ParquetStore(tmp_path / "results")
    two_runs_in(engine, store)
    ask = asking(engine, store)
    with write(engine) as connection:
        connection.execute(update(ingests).values(schema_version=schema.VERSION + 1))
    with pytest.raises(StoreVersionError, match="update ATOR"):
        ask("FROM timeline")
    assert len(ask("FROM runs")) == 2
