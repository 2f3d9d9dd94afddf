"""Samples expire; whatever was computed of them stays, and a purge may end anywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sqlalchemy import update

from ator_lib.errors import NotFoundError, StoreError, UsageError
from ator_lib.results import index
from ator_lib.sql.bulk import bulk_sets
from ator_lib.sql.engine import write
from ator_lib.sql.types import Clock
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.run import RunHandle
from ator_lib.workspace.workspace import Workspace
from tests.support.files import synthetic_csv
from tests.support.paused import PURGE_POINTS
from tests.support.racing import Start, rows, set_end, sweep_all

pytestmark = pytest.mark.parametrize("parts", ["sqlite", "postgres with results"], indirect=True)


@pytest.fixture
def ws(parts: Parts) -> Workspace:
    """A workspace on each database, with results in files or in it."""
    return Workspace(parts)


def ingested(ws: Workspace, folder: Path, *, test: str = "t", seed: int = 1, failures: int = 2) -> RunHandle:
    """Make a run of synthetic requests that ended long ago."""
    durations = np.random.default_rng(seed).lognormal(3, 0.5, 600)
    run = ws.ingest(synthetic_csv(folder / f"{test}.csv", durations, failures=failures), test=test)
    set_end(ws.parts, run.run_id, datetime(2020, 1, 31, tzinfo=UTC))
    return run


def lasting(run: RunHandle) -> dict[str, pd.DataFrame]:
    """Read what must not change by a purge."""
    comparable = run.comparable()
    return {
        "summary": run.summary(),
        "timeline": run.timeline(),
        "errors": run.errors(),
        "metrics": run.metrics(),
        "cases": run.cases(),
        "distributions": comparable.distributions.to_pandas(),
        "blocks": comparable.timeline.to_pandas(),
    }


def test_samples_go_and_the_rest_stays(ws: Workspace, tmp_path: Path) -> None:
    """Of the old run; the report of the purge says what it was, and a second one finds nothing."""
    run = ingested(ws, tmp_path)
    before = lasting(run)
    [gone] = ws.purge("30d").to_dict("records")
    assert (gone["run_id"], gone["test"], gone["samples"]) == (run.run_id, "t", 600)
    assert gone["bytes"] > 1000
    for name, frame in lasting(run).items():
        assert_frame_equal(frame, before[name])
    assert run.figure("timeline") is not None
    for ask in (run.samples, lambda: run.timeline("5s"), lambda: run.figure("timeline", interval="1min")):
        with pytest.raises(NotFoundError, match=rf"samples of run {run.run_id} expired on 20\d\d-.* are left"):
            ask()
    assert ws.purge("30d").empty
    assert ws.sql("SELECT * FROM samples").empty
    assert len(ws.sql(f"SELECT * FROM timeline WHERE run_id = {run.run_id}")) == len(run.timeline())


def test_a_comparison_with_a_purged_run_is_the_same(ws: Workspace, tmp_path: Path) -> None:
    """To the last digit: it was made of the distributions all along."""
    runs = [ingested(ws, tmp_path, test=f"t{seed}", seed=seed) for seed in (1, 2)]
    before = ws.compare(*runs).table
    ws.purge("1d")
    assert_frame_equal(ws.compare(*runs).table, before)


def test_young_live_and_pinned_runs_keep_their_samples(ws: Workspace, tmp_path: Path) -> None:
    """Baselines go only when that is asked for."""
    pinned, young = ingested(ws, tmp_path, test="pinned"), ingested(ws, tmp_path, test="young")
    live = ws.register(test="live")
    ws.ingest(synthetic_csv(tmp_path / "live.csv"), run=live.run_id)
    ws.baselines.pin("stable", pinned.run_id)
    set_end(ws.parts, young.run_id, datetime.now(UTC) - timedelta(days=29))
    assert ws.purge("30d").empty
    assert list(ws.purge("30d", keep_baselines=False).run_id) == [pinned.run_id]
    assert len(ws.get(live.run_id).samples()) == 3
    assert len(young.samples()) == 600


def test_a_dry_run_changes_nothing(ws: Workspace, tmp_path: Path) -> None:
    """It says what would go."""
    run = ingested(ws, tmp_path)
    would_go = ws.purge("30d", dry_run=True)
    assert len(run.samples()) == 600
    assert_frame_equal(ws.purge("30d"), would_go)


@pytest.mark.parametrize("point", PURGE_POINTS)
def test_killed_at_any_point(ws: Workspace, start: Start, tmp_path: Path, point: str) -> None:
    """The run can be read as before or as purged, and the next purge finishes it."""
    run = ingested(ws, tmp_path)
    before = lasting(run)
    start(point, "purge").kill()
    sweep_all(ws.parts, index.known_ingests(ws.parts.engine))
    for name, frame in lasting(run).items():
        assert_frame_equal(frame, before[name])
    if point == "condensed":
        assert len(run.samples()) == 600
    ws.purge("30d")
    ingest_id = index.ingest_of(ws.parts.engine, run.run_id)
    assert ingest_id is not None
    assert ws.parts.store.sample_bytes(ingest_id) == 0
    for name, frame in lasting(run).items():
        assert_frame_equal(frame, before[name])
    ws.delete(run)
    assert rows(ws.parts) == (0, 0, 0)


def test_results_that_are_elsewhere_are_left_alone(ws: Workspace, tmp_path: Path) -> None:
    """Files of another machine are not called expired for not being here."""
    run = ingested(ws, tmp_path)
    folder = ws.data / "results"
    away = folder.rename(ws.data / "away")
    if not list(away.iterdir()):  # they are in the database
        return
    assert ws.purge("30d").empty
    away.rename(folder)
    assert len(run.samples()) == 600


@pytest.mark.parametrize("older_than", ["soon", "-3d", 0, "", float("nan")])
def test_a_length_of_time_that_is_none(ws: Workspace, older_than: str | float) -> None:
    """Said by its name."""
    with pytest.raises(UsageError, match="older_than"):
        ws.purge(older_than)


def break_results(ws: Workspace, run: RunHandle) -> None:
    """Make the samples of a run unreadable where they are."""
    ingest_id = index.ingest_of(ws.parts.engine, run.run_id)
    file = ws.data / "results" / str(ingest_id) / "samples.parquet"
    if file.exists():
        file.write_bytes(file.read_bytes()[:-100])
        return
    with write(ws.parts.engine) as connection:
        connection.execute(update(bulk_sets).where(bulk_sets.c.ingest_id == ingest_id).values(removed_at=Clock()))


def test_damaged_results_hold_no_others_up(ws: Workspace, tmp_path: Path) -> None:
    """Those of the oldest run: the others go, each time, and the message says which are left and why."""
    damaged, *whole = [ingested(ws, tmp_path, test=f"t{seed}", seed=seed) for seed in (1, 2, 3)]
    break_results(ws, damaged)
    said = rf"cannot be purged: run {damaged.run_id} \(the results of ingest .*\); those of 2 other runs went"
    with pytest.raises(StoreError, match=said):
        ws.purge("30d")
    for run in whole:
        with pytest.raises(NotFoundError, match="expired"):
            run.samples()
    assert index.samples_purged_at(ws.parts.engine, damaged.run_id) is None
    with pytest.raises(StoreError, match="those of 0 other runs went"):
        ws.purge("30d")
    ws.delete(damaged)
    assert ws.purge("30d").empty


def test_damaged_results_stop_the_purge_and_lose_nothing(ws: Workspace, tmp_path: Path) -> None:
    """What cannot be read is not thrown away."""
    run = ingested(ws, tmp_path)
    found = list((ws.data / "results").glob("*/samples.parquet"))
    if not found:
        return
    found[0].write_bytes(found[0].read_bytes()[:-100])
    with pytest.raises(StoreError, match="cannot be read"):
        ws.purge("30d")
    assert found[0].exists()
    assert index.samples_purged_at(ws.parts.engine, run.run_id) is None
