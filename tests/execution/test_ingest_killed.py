"""Ingests that are killed at every point of their way, and two that commit at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ator_lib.execution.files import Files
from ator_lib.model import RunRequest
from ator_lib.results import index
from ator_lib.workspace.ingest import ingest
from ator_lib.workspace.parts import Parts
from tests.support.files import synthetic_csv
from tests.support.paused import INGEST_POINTS
from tests.support.racing import Start, rows, sets, sweep_all

VISIBLE_FROM = INGEST_POINTS.index("committed")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three synthetic requests."""
    return synthetic_csv(tmp_path / "samples.csv")


CASES = [("attach", point) for point in INGEST_POINTS] + [("add", "committing"), ("add", "committed")]


@pytest.mark.parametrize(("action", "point"), CASES)
def test_killed_at_any_point_all_or_nothing(parts: Parts, start: Start, file: Path, point: str, action: str) -> None:
    """Then the same again makes it whole, once; and a sweep leaves nothing but that."""
    run_id = parts.registry.register(RunRequest(test="other")).run_id if action == "attach" else None
    start(point, action, file, *([run_id] if run_id else [])).kill()

    runs_before = 1 if run_id else 0
    if INGEST_POINTS.index(point) < VISIBLE_FROM:
        assert rows(parts) == (runs_before, 0, 0)
    else:
        assert rows(parts) == (1, 1, 3)

    run = ingest(parts, Files(paths=(file,)), run_id, {} if run_id else {"test": "synthetic"})
    assert rows(parts) == (1, 1, 3)
    kept = index.ingest_of(parts.engine, run.run_id)
    assert kept is not None
    sweep_all(parts, {kept})
    assert sets(parts) == [kept]
    assert sweep_all(parts, set()) == []  # kept for good, whatever another registry knows
    assert parts.store.samples(kept)["duration_ms"].to_pylist() == [10.0, 20.0, 30.0]


def test_two_that_commit_at_once(parts: Parts, start: Start, file: Path, tmp_path: Path) -> None:
    """One holds the run while it commits; the other waits for it and does not break in."""
    run_id = parts.registry.register(RunRequest()).run_id
    holder = start("committing", "attach", file, run_id)
    waiter = start("staged", "attach", synthetic_csv(tmp_path / "other.csv", [1.0]), run_id)
    waiter.go_on()
    holder.go_on()
    assert holder.told() == "1"
    assert waiter.told().startswith("ConflictError")
    assert rows(parts) == (1, 1, 3)
    assert len(sets(parts)) == 1
