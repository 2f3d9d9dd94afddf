"""What is kept, for other programs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from ator_lib.errors import NotFoundError, StoreError, UsageError
from ator_lib.results.export import TABLES
from ator_lib.settings import load_settings
from ator_lib.sql.engine import write
from ator_lib.workspace.connect import open_workspace
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.workspace import Workspace
from tests.support.files import synthetic_csv
from tests.support.postgres import migrated
from tests.support.racing import Start, set_end

FORMATS = ["duckdb", "parquet", "csv"]


KINDS = {"sqlite": "parquet", "postgres": "postgres"}
"""Kind of database → where results are."""


@pytest.fixture(scope="module", params=KINDS)
def ws(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A filled workspace of each kind, which tests only look at."""
    folder = tmp_path_factory.mktemp(request.param)
    with migrated(request.param, request, folder) as url:
        ws = open_workspace(load_settings(data=folder / "data", database_url=url, results=KINDS[request.param]))
        fill(ws, folder)
        yield ws
        ws.parts.engine.dispose()


own = pytest.mark.parametrize("parts", ["sqlite", "postgres with results"], indirect=True)
"""For tests of a workspace of their own, which they do damage to."""


def fill(ws: Workspace, tmp_path: Path) -> None:
    """Make two runs, one of which lost its samples, one of cases, and one without results."""
    purged = ws.ingest(synthetic_csv(tmp_path / "a.csv", [1.0, 2.5]), test="a")
    set_end(ws.parts, purged.run_id, datetime(2020, 1, 31, tzinfo=UTC))
    ws.purge("1d")
    junit = '<testsuite name="s"><testcase name="naïve, “quoted”"/><testcase name="b"><failure/></testcase></testsuite>'
    (tmp_path / "junit.xml").write_text(junit)
    ws.ingest(synthetic_csv(tmp_path / "b.csv", range(1, 1001), failures=3), test='it\'s, "b"')
    ws.ingest(tmp_path / "junit.xml", test="cases")
    ws.register(test="live")


def tables_of(path: Path, format: str) -> dict[str, pd.DataFrame]:
    """Read an export by other means."""
    if format == "duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            names = [row[0] for row in connection.sql("SHOW TABLES").fetchall()]
            return {name: connection.table(name).to_arrow_table().to_pandas() for name in names}
    if format == "parquet":
        return {file.stem: pq.read_table(file).to_pandas() for file in path.iterdir()}
    return {file.stem: pd.read_csv(file) for file in path.iterdir()}


@pytest.mark.parametrize("format", FORMATS)
def test_all_of_it(ws: Workspace, tmp_path: Path, format: str) -> None:
    """A table of each view and of what is kept beside them, whole; nothing else is left in the folder."""
    (tmp_path / "out").mkdir()
    path = ws.export(tmp_path / "out" / "all", format=format)
    tables = tables_of(path, format)
    assert tables.keys() == TABLES.keys()
    sizes = {name: len(table) for name, table in tables.items()}
    distributions = sizes.pop("distributions")
    views = {"runs": 4, "summaries": 6, "cases": 2, "samples": 1000, "timeline": 2004, "metrics": 0}
    assert sizes == views | {"errors": 2}
    assert distributions == len(ws.parts.store.distributions(ws.get(1)._ingest_id())) * 2  # in one block and in blocks
    assert set(tables["distributions"].run_id) == {1}  # whose samples have gone
    assert (set(tables["errors"].run_id), tables["errors"].requests.sum()) == ({2}, 3)
    for name, table in tables.items():
        assert list(table.columns) == TABLES[name].names
    assert list(tables["samples"].duration_ms) == [float(n) for n in range(1, 1001)]
    assert set(tables["samples"].run_id) == {2}
    assert list(tables["runs"].test) == ["a", 'it\'s, "b"', "cases", "live"]
    assert list(tables["cases"].case) == ["naïve, “quoted”", "b"]
    assert str(pd.to_datetime(tables["samples"].started_at[0])) == "2026-11-02 10:00:00+00:00"
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["all"]


def test_some_runs_by_id_name_or_handle(ws: Workspace, tmp_path: Path) -> None:
    """And only them, in every table."""
    ws.baselines.pin("stable", 2)
    for number, runs in enumerate([2, "stable", [ws.get(2)]]):
        tables = tables_of(ws.export(tmp_path / f"{number}.duckdb", runs=runs), "duckdb")
        assert [len(tables[name]) for name in ("runs", "summaries", "cases", "samples")] == [1, 3, 0, 1000]
    with pytest.raises(NotFoundError):
        ws.export(tmp_path / "x.duckdb", runs=4711)
    assert not (tmp_path / "x.duckdb").exists()


def test_the_name_says_the_format(ws: Workspace, tmp_path: Path) -> None:
    """If it says none, it must be given."""
    assert ws.export(tmp_path / "out.DuckDB").is_file()
    assert sorted(path.suffix for path in ws.export(tmp_path / "folder").iterdir()) == [".parquet"] * 8
    for name, asked in (("out.csv", None), ("out", "xlsx")):
        with pytest.raises(UsageError, match="duckdb, parquet, csv"):
            ws.export(tmp_path / name, format=asked)


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_there_is_left_alone(ws: Workspace, tmp_path: Path, format: str) -> None:
    """Unless it is to be overwritten, and is an earlier export."""
    path = ws.export(tmp_path / "out", runs=1, format=format)
    with pytest.raises(UsageError, match="is there already"):
        ws.export(path, format=format)
    assert len(tables_of(path, format)["runs"]) == 1
    ws.export(path, format=format, overwrite=True)
    assert len(tables_of(path, format)["runs"]) == 4
    other = tmp_path / "mine"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="something else"):
        ws.export(other, format=format, overwrite=True)
    assert (other / "notes.txt").read_text() == "mine"
    with pytest.raises(UsageError, match="there is no folder"):
        ws.export(tmp_path / "nowhere" / "out", format=format)


@own
def test_distributions_of_a_tool_are_the_finest_that_is_kept_of_it(parts: Parts, tmp_path: Path) -> None:
    """A run of a summary has them, too."""
    ws = Workspace(parts)
    hey = Path(__file__).parents[1] / "recorded" / "hey" / "summary.txt"
    run = ws.ingest(hey, test="hey")
    tables = tables_of(ws.export(tmp_path / "out.duckdb", runs=run), "duckdb")
    assert len(tables["samples"]) == 0
    assert set(tables["distributions"].run_id) == {run.run_id}
    of_all = tables["distributions"].name.isna()
    assert tables["distributions"]["count"][of_all].sum() == run.summary().requests.iloc[-1]


def test_an_earlier_export_outlives_a_disk_that_fails(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the new folder cannot get its name the earlier one gets it back, or the message says what it is called."""
    path = ws.export(tmp_path / "out", runs=1)
    before = sorted(tmp_path.iterdir())
    renamed = Path.rename

    def fail(*_: object) -> None:
        raise OSError(5, "the disk is failing")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(StoreError, match=r"the disk is failing; what was there is as it was"):
        ws.export(path, overwrite=True)
    assert sorted(tmp_path.iterdir()) == before
    assert len(tables_of(path, "parquet")["runs"]) == 1

    monkeypatch.setattr(Path, "rename", lambda old, new: renamed(old, new) if old == path else fail())
    with pytest.raises(StoreError, match=r"the earlier export is (\S+) now") as failure:
        ws.export(path, overwrite=True)
    [left] = set(tmp_path.iterdir()) - set(before)
    assert str(left) in str(failure.value)
    assert not left.name.startswith(".")
    assert len(tables_of(left, "parquet")["runs"]) == 1


@pytest.mark.parametrize("parts", ["sqlite"], indirect=True)
def test_a_damaged_run_is_not_blamed_on_the_target(parts: Parts, tmp_path: Path) -> None:
    """The message names the run's results."""
    ws = Workspace(parts)
    fill(ws, tmp_path)
    for file in (ws.data / "results").glob("*/samples.parquet"):
        file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(StoreError, match=r"the results of ingest \S+ cannot be read"):
        ws.export(tmp_path / "out")


def damage(ws: Workspace) -> None:
    """Make the timelines unreadable, which come after the samples."""
    for file in (ws.data / "results").glob("*/timeline.parquet"):
        file.write_bytes(b"no parquet")
    if ws.parts.engine.dialect.name == "postgresql":
        with write(ws.parts.engine) as connection:
            connection.execute(text("ALTER TABLE bulk_timeline DROP COLUMN max_ms"))


@own
def test_an_export_that_fails_leaves_nothing(parts: Parts, tmp_path: Path) -> None:
    """Neither under its name nor beside it; an earlier one is as it was."""
    ws = Workspace(parts)
    fill(ws, tmp_path)
    paths = {each: ws.export(tmp_path / each, runs=4, format=each) for each in FORMATS}
    damage(ws)
    before = sorted(tmp_path.iterdir())
    for each, path in paths.items():
        for target in (path, tmp_path / "other"):
            with pytest.raises(StoreError):
                ws.export(target, format=each, overwrite=True)
        assert len(tables_of(path, each)["runs"]) == 1
    assert sorted(tmp_path.iterdir()) == before


@own
def test_an_export_that_is_killed_leaves_nothing_under_its_name(parts: Parts, start: Start, tmp_path: Path) -> None:
    """And the next one is not disturbed by what is left."""
    ws = Workspace(parts)
    fill(ws, tmp_path)
    target = tmp_path / "out.duckdb"
    start("lending", "export", target).kill()
    assert not target.exists()
    assert len(tables_of(ws.export(target), "duckdb")["samples"]) == 1000
