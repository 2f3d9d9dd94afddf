"""An emptied registry leaves nothing of its own, and takes nothing that is another's."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ator_lib.errors import StoreError, StoreUnavailableError
from ator_lib.execution.files import Files
from ator_lib.model import SUPERVISOR, Run, RunRequest
from ator_lib.results import index
from ator_lib.results.parquet import ParquetStore
from ator_lib.settings import load_settings
from ator_lib.workspace.connect import open_workspace
from ator_lib.workspace.database import reset
from ator_lib.workspace.ingest import ingest
from ator_lib.workspace.parts import Parts
from tests.support.cut import Cut
from tests.support.files import synthetic_csv
from tests.support.racing import Start, rows, sets, sweep_all


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three synthetic requests."""
    return synthetic_csv(tmp_path / "samples.csv")


def executed(parts: Parts, *, at: Path | None = None) -> Run:
    """An ended run that was executed on this host, in this data folder or in another one."""
    run = parts.registry.register(RunRequest())
    parts.registry.supervise(run.run_id, parts.supervisor(run.run_id))
    if at is not None:
        elsewhere = replace(parts, data=at).supervisor(run.run_id)
        parts.registry.supervise(run.run_id, elsewhere)
    return parts.registry.complete(run.run_id, "success")


def test_only_folders_of_runs_that_were_executed_here_go(parts: Parts, tmp_path: Path) -> None:
    """Several registries may share a data folder, and a registry have several: numbers alone say nothing."""
    own, other = executed(parts), executed(parts, at=tmp_path / "other")
    registered = parts.registry.record(RunRequest(), status="success", start_time=None, end_time=None)
    assert SUPERVISOR not in registered.attributes
    for run in (own, other, registered):
        parts.run_folder(run.run_id).mkdir(parents=True)
    assert reset(parts).folders == 1
    assert sorted(path.name for path in (parts.data / "runs").iterdir()) == [str(other.run_id), str(registered.run_id)]


def test_uploads_that_come_in_go_on(parts: Parts) -> None:
    """What is a day old was left by a killed server."""
    old, young = parts.data / "uploads" / "old", parts.data / "uploads" / "young"
    for folder in (old, young):
        folder.mkdir(parents=True)
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (two_days_ago, two_days_ago))
    assert reset(parts).folders == 1
    assert list((parts.data / "uploads").iterdir()) == [young]


def test_results_go(parts: Parts, file: Path) -> None:
    """Rows and files."""
    ingest(parts, Files(paths=(file,)), None, {})
    assert reset(parts).folders == 1
    assert rows(parts) == (0, 0, 0)
    assert sets(parts) == []


@pytest.mark.parametrize("point", ["committing", "committed"])
def test_killed_all_or_nothing(parts: Parts, start: Start, file: Path, point: str) -> None:
    """Before the commit every run lives on, whoever sweeps; after it a sweep leaves nothing."""
    run = ingest(parts, Files(paths=(file,)), None, {})
    kept = index.ingest_of(parts.engine, run.run_id)
    start(point, "reset").kill()
    sweep_all(parts, index.known_ingests(parts.engine))
    assert (rows(parts), sets(parts)) == (((1, 1, 3), [kept]) if point == "committing" else ((0, 0, 0), []))


class FullStore(ParquetStore):
    """A store on a disk that takes nothing more."""

    def release(self, ingest_id: str) -> None:
        raise StoreError(f"the results of ingest {ingest_id} cannot be removed: the disk is full")


def test_refused_by_the_store_nothing_is_deleted(parts: Parts, file: Path) -> None:
    """No row, no folder."""
    run = executed(parts)
    parts.run_folder(run.run_id).mkdir(parents=True)
    ingest(parts, Files(paths=(file,)), run.run_id, {})
    before = rows(parts), sets(parts)
    with pytest.raises(StoreError, match="disk is full"):
        reset(replace(parts, store=FullStore(parts.data / "results")))
    assert (rows(parts), sets(parts)) == before
    assert parts.run_folder(run.run_id).is_dir()


def test_a_folder_that_stays_is_named(parts: Parts, tmp_path: Path) -> None:
    """Here one that is a link, and so leads to who knows what."""
    linked = executed(parts)
    parts.run_folder(linked.run_id).parent.mkdir()
    parts.run_folder(linked.run_id).symlink_to(tmp_path)
    with pytest.raises(StoreError, match=rf"all rows were deleted, but .*runs.{linked.run_id}.* by hand"):
        reset(parts)
    assert rows(parts) == (0, 0, 0)
    assert tmp_path.is_dir()


@pytest.mark.parametrize(("loss", "is_done"), [(Cut.lose_commit, False), (Cut.lose_answer, True)])
def test_a_commit_in_doubt_leaves_no_file_for_ever(
    cut: Cut, tmp_path: Path, file: Path, loss: Callable[..., None], is_done: bool
) -> None:
    """Done or not: a sweep takes the results whose rows are gone, and no others."""
    parts = open_workspace(load_settings(data=tmp_path / "data", database_url=cut.url)).parts
    ingest(parts, Files(paths=(file,)), None, {})
    before = rows(parts), sets(parts)
    loss(cut, of=b"DELETE FROM")
    with pytest.raises(StoreUnavailableError) as caught:
        reset(parts)
    assert "whether the runs were deleted is not known" in caught.value.__notes__[0]
    sweep_all(parts, index.known_ingests(parts.engine))
    assert (rows(parts), sets(parts)) == (((0, 0, 0), []) if is_done else before)
    parts.engine.dispose()
