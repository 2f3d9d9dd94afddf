"""Processes that take in or delete results, to be stopped at a point, killed there, or let go on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection as Line
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from ator_lib.results.folders import ORPHAN_AGE_S
from ator_lib.settings import load_settings
from ator_lib.sql.bulk import bulk_sets, bulk_tables
from ator_lib.sql.engine import read, write
from ator_lib.sql.tables import ingests, summaries, test_executions
from ator_lib.workspace.connect import open_workspace
from ator_lib.workspace.parts import Parts
from tests.support import paused

_LONGEST_S = 120

_forking = get_context("forkserver")  # copies a process that has imported everything, and has done nothing yet
_forking.set_forkserver_preload([paused.__name__])


@dataclass(frozen=True, kw_only=True)
class Paused:
    """A process that runs ``tests.support.paused``."""

    process: BaseProcess
    line: Line

    def kill(self) -> None:
        """End it as the system would: it gets to do nothing more."""
        self.process.kill()
        self.process.join()

    def go_on(self) -> None:
        """Let it go on."""
        self.line.send(None)

    def told(self) -> str:
        """Wait for what it tells next."""
        assert self.line.poll(_LONGEST_S)
        words: str = self.line.recv()
        return words


Start = Callable[..., Paused]


@pytest.fixture(params=["sqlite", "postgres", "postgres with results"])
def parts(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    """The rooms of a workspace on a fresh database of each kind, with results in files or in it, too.

    Other processes find it by the environment.
    """
    kind = "sqlite" if request.param == "sqlite" else "postgres"
    monkeypatch.setenv("ATOR_DATABASE_URL", request.getfixturevalue(f"{kind}_url"))
    monkeypatch.setenv("ATOR_DATA", str(tmp_path / "data"))
    if request.param == "postgres with results":
        monkeypatch.setenv("ATOR_RESULTS", "postgres")
    parts = open_workspace(load_settings()).parts
    yield parts
    parts.engine.dispose()


@pytest.fixture
def start(parts: Parts) -> Iterator[Start]:
    """Start ``tests.support.paused`` and wait until it stands at the point; ends what the test left."""
    started: list[Paused] = []

    def start(point: str, *action: object) -> Paused:
        here, there = _forking.Pipe()
        asked = (there, dict(os.environ), point, parts.data, *map(str, action))
        started.append(Paused(process=_forking.Process(target=paused.main, args=asked), line=here))
        started[-1].process.start()
        there.close()  # so that its end is noticed
        assert started[-1].told() == point
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.line.close()


def set_end(parts: Parts, run_id: int, end: datetime) -> None:
    """Pretend that a run ended then."""
    with write(parts.engine) as connection:
        connection.execute(update(test_executions).where(test_executions.c.run_id == run_id).values(end_time=end))


def sets(parts: Parts) -> list[str]:
    """List what lies in the stores, hidden or not."""
    found = {path.name for path in _files(parts)}
    if parts.engine.dialect.name == "postgresql":
        with read(parts.engine) as connection:
            names = dict(connection.execute(select(bulk_sets.c.set_key, bulk_sets.c.ingest_id)).all())
            keys = {key for table in bulk_tables.values() for key in connection.scalars(select(table.c.set_key))}
        found |= {*names.values(), *(f"rows of {key}" for key in keys - names.keys())}
    return sorted(found)


def _files(parts: Parts) -> list[Path]:
    root = parts.data / "results"
    return list(root.iterdir()) if root.is_dir() else []


def rows(parts: Parts) -> tuple[int, int, int]:
    """Count runs, ingests and summaries."""
    with read(parts.engine) as connection:
        runs, sets, kept = (
            connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (test_executions, ingests, summaries)
        )
    return runs, sets, kept


def sweep_all(parts: Parts, known: set[str]) -> list[str]:
    """Sweep as if nobody had touched anything for a long time."""
    then = datetime.now(UTC) - timedelta(seconds=ORPHAN_AGE_S + 1)
    for folder in _files(parts):
        for path in (*folder.rglob("*"), folder):
            os.utime(path, (then.timestamp(), then.timestamp()))
    if parts.engine.dialect.name == "postgresql":
        with write(parts.engine) as connection:
            connection.execute(update(bulk_sets).values(staged_at=then))
    return parts.store.sweep(known)
