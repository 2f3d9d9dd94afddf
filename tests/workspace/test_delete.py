"""A deleted run is gone with all that was its own, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from ator_lib.errors import ConflictError, NotFoundError
from ator_lib.execution.files import Files
from ator_lib.model import Run, RunRequest
from ator_lib.results import index
from ator_lib.results.parquet import ParquetStore
from ator_lib.workspace.deletion import delete
from ator_lib.workspace.ingest import INGESTED_FROM, ingest
from ator_lib.workspace.parts import Parts
from tests.support.files import synthetic_csv
from tests.support.paused import DELETE_POINTS
from tests.support.racing import Start, rows, sets, sweep_all


def ingested(parts: Parts, tmp_path: Path, **identity: str) -> Run:
    """An ended run with synthetic results."""
    return ingest(parts, Files(paths=(synthetic_csv(tmp_path / "samples.csv"),)), None, identity)


def test_rows_results_and_folder_go(parts: Parts, tmp_path: Path) -> None:
    """Of the deleted run, and of no other one."""
    gone, stays = ingested(parts, tmp_path, test="gone"), ingested(parts, tmp_path, test="stays")
    parts.registry.supervise(gone.run_id, parts.supervisor(gone.run_id))
    for run in (gone, stays):
        parts.run_folder(run.run_id).mkdir(parents=True)
    assert delete(parts, gone.run_id).test == "gone"
    with pytest.raises(NotFoundError):
        parts.registry.get(gone.run_id)
    assert rows(parts) == (1, 1, 3)
    assert sets(parts) == [index.ingest_of(parts.engine, stays.run_id)]
    assert [path.name for path in (parts.data / "runs").iterdir()] == [str(stays.run_id)]


def test_a_folder_of_the_same_number_that_is_not_its_own_stays(parts: Parts, tmp_path: Path) -> None:
    """Several registries may share a data folder: what this run's tool did not write here is another's."""
    run = ingested(parts, tmp_path)
    parts.run_folder(run.run_id).mkdir(parents=True)
    delete(parts, run.run_id)
    assert parts.run_folder(run.run_id).is_dir()


def test_a_run_without_results_goes_too(parts: Parts) -> None:
    """And a second time it is not there, as a number is not that no run can have."""
    run = parts.registry.register(RunRequest())
    parts.registry.complete(run.run_id, "success")
    delete(parts, run.run_id)
    for gone in (run.run_id, 2**70):
        with pytest.raises(NotFoundError):
            delete(parts, gone)


def test_live_and_pinned_runs_stay_with_their_results(parts: Parts, tmp_path: Path) -> None:
    """Refused, with everything as it was."""
    running = parts.registry.register(RunRequest(test="running"))
    pinned = ingested(parts, tmp_path, test="pinned")
    ingest(parts, Files(paths=(tmp_path / "samples.csv",)), running.run_id, {})
    parts.baselines.pin("stable", pinned.run_id)
    before = rows(parts), sets(parts)
    for run, why in ((running, "is running"), (pinned, "baseline 'stable'")):
        with pytest.raises(ConflictError, match=why):
            delete(parts, run.run_id)
    assert (rows(parts), sets(parts)) == before
    assert [path.name for path in (parts.data / "results").rglob(".*")] == []


def test_deleted_results_can_be_ingested_again(parts: Parts, tmp_path: Path) -> None:
    """The same content is then a new run."""
    first = ingested(parts, tmp_path, test="t")
    delete(parts, first.run_id)
    second = ingested(parts, tmp_path, test="t")
    assert second.run_id != first.run_id
    assert second.attributes[INGESTED_FROM] == "samples.csv"


@pytest.mark.parametrize("point", DELETE_POINTS)
def test_killed_at_any_point_all_or_nothing(parts: Parts, start: Start, tmp_path: Path, point: str) -> None:
    """Before the commit the run lives on, whoever sweeps; after it a sweep leaves nothing."""
    run = ingested(parts, tmp_path)
    kept = index.ingest_of(parts.engine, run.run_id)
    start(point, "delete", run.run_id).kill()

    known = index.known_ingests(parts.engine)
    if DELETE_POINTS.index(point) < DELETE_POINTS.index("committed"):
        assert rows(parts) == (1, 1, 3)
        assert sweep_all(parts, known) == []
        assert sets(parts) == [kept]
        delete(parts, run.run_id)
    sweep_all(parts, index.known_ingests(parts.engine))
    assert rows(parts) == (0, 0, 0)
    assert sets(parts) == []


def test_another_registry_never_sweeps_what_this_one_was_deleting(parts: Parts, start: Start, tmp_path: Path) -> None:
    """Only who released it knows whether the run is gone."""
    run = ingested(parts, tmp_path)
    start("released", "delete", run.run_id).kill()
    stranger = ParquetStore(parts.data / "results", registry="another one")
    sweep_all(parts, index.known_ingests(parts.engine))
    assert stranger.sweep(set()) == []
    assert sets(parts) == [index.ingest_of(parts.engine, run.run_id)]
