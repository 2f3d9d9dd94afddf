"""Where new results are kept is a setting; where a run's results are is known of each run."""

from __future__ import annotations

import resource
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sqlalchemy import create_engine, text, update

import ator_lib
from ator_lib.errors import (
    MissingExtraError,
    NotFoundError,
    SettingsError,
    StoreError,
    StoreUnavailableError,
    UsageError,
)
from ator_lib.results import adbc
from ator_lib.settings import load_settings
from ator_lib.sql.engine import write
from ator_lib.sql.tables import ingests
from ator_lib.workspace.connect import open_workspace
from ator_lib.workspace.workspace import Workspace
from tests.support.cut import Cut
from tests.support.files import synthetic_csv
from tests.support.racing import set_end


def opened(url: str, data: Path, results: str) -> Workspace:
    """Open the workspace of a database with new results kept there."""
    return open_workspace(load_settings(data=data, database_url=url, results=results))


def bulk_rows(workspace: Workspace) -> int:
    """Count the samples in the database."""
    with workspace.parts.engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM bulk_samples")) or 0)


@pytest.fixture
def here(postgres_url: str, tmp_path: Path) -> Workspace:
    """A machine that keeps results in the database."""
    return opened(postgres_url, tmp_path / "here", "postgres")


@pytest.fixture
def files(postgres_url: str, tmp_path: Path, here: Workspace) -> Workspace:
    """Another one that shares the registry and keeps them in files."""
    return opened(postgres_url, tmp_path / "files", "parquet")


def test_each_run_is_read_where_it_is(here: Workspace, files: Workspace, tmp_path: Path) -> None:
    """From any machine if it is in the database; from the one that has its files if not."""
    file = synthetic_csv(tmp_path / "samples.csv", range(1, 201), failures=1)
    shared, local = here.ingest(file, test="shared"), files.ingest(file, test="local")
    assert bulk_rows(here) == 200
    for look in (lambda run: run.samples(), lambda run: run.timeline("7s"), lambda run: run.errors()):
        assert_frame_equal(look(files.get(shared.run_id)), look(local))
    table = files.compare(local, shared.run_id).table
    assert list(table.baseline) == list(table.contender)
    with pytest.raises(NotFoundError, match="another machine's"):
        here.get(local.run_id).samples()
    assert [path.name[0] for path in (tmp_path / "here" / "results").glob("*")] == []


def test_both_are_deleted(here: Workspace, files: Workspace, tmp_path: Path) -> None:
    """Rows and files."""
    file = synthetic_csv(tmp_path / "samples.csv")
    for run in (here.ingest(file, test="shared"), files.ingest(file, test="local")):
        files.delete(run.run_id)
    assert bulk_rows(here) == 0
    assert list((tmp_path / "files" / "results").iterdir()) == []


def test_sql_reads_the_runs_that_it_names(here: Workspace, files: Workspace, tmp_path: Path) -> None:
    """A filter by run_id that DuckDB can apply before it reads; those in files need none."""
    for number in (1, 2):
        here.ingest(synthetic_csv(tmp_path / f"{number}.csv", [float(number)] * number), test=f"t{number}")
    local = files.ingest(synthetic_csv(tmp_path / "3.csv", [3.0] * 3), test="t3")
    asked = {
        "SELECT count(*) AS n FROM samples WHERE run_id = 2": 2,
        "SELECT count(*) AS n FROM samples s JOIN runs USING (run_id) WHERE s.run_id IN (1, 2) AND test LIKE 't%'": 3,
        'SELECT sum(requests) AS n FROM timeline WHERE "run_id"=1 AND name IS NULL': 1,
        "SELECT count(*) AS n FROM samples WHERE run_id = 1 OR run_id = 2": 3,
        "SELECT count(*) AS n FROM metrics WHERE run_id = 1": 0,
        "SELECT count(*) AS n FROM runs": 3,
        "SELECT sum(requests) AS n FROM summaries WHERE scope = 'total'": 6,
        f"SELECT count(*) AS n FROM samples WHERE run_id = {local.run_id}": 3,
        "SELECT count(*) AS n FROM samples WHERE run_id = 4711": 0,
    }
    for query, count in asked.items():
        assert list(files.sql(query).n) == [count], query
    assert "duration_ms" in set(here.sql("DESCRIBE samples").column_name)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM samples",
        "SELECT count(*) FROM samples WHERE run_id = 1 OR duration_ms > 0",
        "SELECT count(*) FROM samples WHERE run_id <> 1",
        "SELECT count(*) FROM samples WHERE run_id >= 1",
        "SELECT count(*) FROM samples WHERE NOT run_id = 1",
        "SELECT count(*) FROM samples WHERE run_id = 1 UNION ALL SELECT count(*) FROM samples",
        "SELECT count(*) FROM timeline, samples WHERE samples.run_id = 1",
        "SELECT count(*) FROM samples -- WHERE run_id = 1",
        "SELECT count(*) FROM samples WHERE run_id = (SELECT max(run_id) FROM runs)",
    ],
)
def test_sql_that_would_leave_runs_out_is_refused(here: Workspace, tmp_path: Path, query: str) -> None:
    """Never answered from a part of what was asked for."""
    for number in (1, 2):
        here.ingest(synthetic_csv(tmp_path / f"{number}.csv", [float(number)] * number), test=f"t{number}")
    with pytest.raises(UsageError, match="say which, by run_id = 7"):
        here.sql(query)


def test_a_store_that_is_not_known(here: Workspace, tmp_path: Path) -> None:
    """A newer ATOR may keep results elsewhere."""
    run = here.ingest(synthetic_csv(tmp_path / "samples.csv"))
    with write(here.parts.engine) as connection:
        connection.execute(update(ingests).values(store="elsewhere"))
    with pytest.raises(StoreError, match="'elsewhere', which this ATOR does not know: update ATOR"):
        run.samples()


def test_results_in_postgres_need_a_postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before anything is made; a folder by name is a folder, whatever the environment says."""
    monkeypatch.setenv("ATOR_RESULTS", "postgres")
    for url in (None, f"sqlite:///{tmp_path / 'x.db'}"):
        with pytest.raises(SettingsError, match=r"ATOR_RESULTS.*ATOR_DATABASE_URL"):
            open_workspace(load_settings(data=tmp_path / "data", database_url=url))
    assert list(tmp_path.iterdir()) == []
    assert ator_lib.connect(tmp_path / "folder").history().empty
    monkeypatch.setenv("ATOR_RESULTS", "excel")
    with pytest.raises(SettingsError, match="ATOR_RESULTS"):
        load_settings()


def test_a_missing_driver_names_the_extra(
    files: Workspace, here: Workspace, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once where results are to be kept in the database, and for those who read them; others do without."""
    run = here.ingest(synthetic_csv(tmp_path / "samples.csv"), test="shared")
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    for needs in (lambda: opened(postgres_url, tmp_path / "new", "postgres"), files.get(run.run_id).samples):
        with pytest.raises(MissingExtraError, match=r"pip install 'ator\[postgres\]'"):
            needs()
    assert len(files.ingest(synthetic_csv(tmp_path / "other.csv", [1.0]), test="local").samples()) == 1


def test_a_database_that_is_away(cut: Cut, tmp_path: Path) -> None:
    """Reading says so, and goes on when it is back; nothing of an ingest was kept."""
    workspace = opened(cut.url, tmp_path / "data", "postgres")
    run = workspace.ingest(synthetic_csv(tmp_path / "samples.csv"), test="t")
    cut.cut()
    with pytest.raises(StoreUnavailableError):
        run.samples()
    with pytest.raises(StoreUnavailableError):
        workspace.ingest(synthetic_csv(tmp_path / "other.csv", [1.0]), test="t")
    cut.mend()
    assert len(run.samples()) == 3
    assert bulk_rows(workspace) == 3
    assert list((tmp_path / "data" / "results").iterdir()) == []
    workspace.parts.engine.dispose()


def test_a_database_that_goes_away_ends_a_purge(cut: Cut, tmp_path: Path) -> None:
    """It is the fault of no run; the next purge goes on."""
    workspace = opened(cut.url, tmp_path / "data", "postgres")
    for number in (1, 2):
        run = workspace.ingest(synthetic_csv(tmp_path / f"{number}.csv", [1.0] * number), test="t")
        set_end(workspace.parts, run.run_id, datetime(2020, 1, number, tzinfo=UTC))
    cut.lose_commit(of=b"samples_purged_at")
    with pytest.raises(StoreUnavailableError):
        workspace.purge("30d")
    assert bulk_rows(workspace) == 3
    assert list(workspace.purge("30d").run_id) == [1, 2]
    workspace.parts.engine.dispose()


def many_samples(folder: Path, rows: int) -> Path:
    """Write samples that fill a file and a connection."""
    samples = pd.DataFrame({"duration_ms": np.random.default_rng(1).random(rows), "success": True, "name": "x" * 50})
    samples.to_csv(folder / "many.csv", index=False)
    return folder / "many.csv"


def end_fetching(url: str) -> None:
    """End the connection that samples come over, as an operator would; it waits for whoever takes them."""
    admin = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    ask = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%bulk_samples%'"
    with admin.connect() as connection:
        assert list(connection.scalars(text(ask))) == [True]
    admin.dispose()


def test_a_connection_that_breaks_while_rows_come(here: Workspace, postgres_url: str, tmp_path: Path) -> None:
    """Is the database's going away, whatever the driver calls it then."""
    here.ingest(many_samples(tmp_path, 400_000))

    def fetch() -> None:
        with adbc.session(here.parts.engine) as session, session.fetched("SELECT * FROM bulk_samples") as rows:
            next(rows)
            end_fetching(postgres_url)
            list(rows)

    with pytest.raises(StoreUnavailableError, match="cannot take or give bulk rows"):
        fetch()


def test_a_full_disk_is_said_of_the_folder_that_is_fetched_into(
    here: Workspace, tmp_path: Path, small_files: None
) -> None:
    """By whatever reads."""
    run = here.get(1)
    for look in (run.samples, lambda: run.timeline("10s"), lambda: here.sql("FROM samples WHERE run_id = 1")):
        with pytest.raises(StoreError, match=r"cannot be fetched into .*results: the disk is full"):
            look()
    with pytest.raises(StoreError, match=r"cannot be purged: run 1 .*the disk is full"):
        here.purge("1s")


@pytest.fixture
def small_files(here: Workspace, tmp_path: Path) -> Iterator[None]:
    """Ingest a run whose samples do not fit into the files that this process may write then."""
    run = here.ingest(many_samples(tmp_path, 50_000))
    set_end(here.parts, run.run_id, datetime(2020, 1, 1, tzinfo=UTC))
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_scratch_folder_that_cannot_be_made(here: Workspace, tmp_path: Path) -> None:
    """Said as a disk that is full is."""
    run = here.ingest(synthetic_csv(tmp_path / "samples.csv"))
    (tmp_path / "here" / "results").rmdir()
    (tmp_path / "here" / "results").write_text("in the way")
    for look in (run.samples, lambda: here.sql("FROM samples WHERE run_id = 1"), lambda: here.export(tmp_path / "out")):
        with pytest.raises(StoreError, match="cannot be fetched into"):
            look()


def test_an_executed_run_keeps_its_samples_there(here: Workspace, target: str, locustfile: Path) -> None:
    """The whole way from the load to the rows in the database."""
    runner = ator_lib.Locust(locustfile, host=target, users=1, spawn_rate=1, run_time="1s")
    run = here.execute(runner, progress=False, test="t")
    assert len(run.samples()) == bulk_rows(here) == run.summary().iloc[-1].requests > 0
