"""Processes that take in or delete results, to be stopped at a point, killed there, or let go on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
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

PROJECT = Path(__file__).parents[2]

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(params=["sqlite", "postgres", "postgres with results"])
def parts(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    """The rooms of a workspace on a fresh database of each kind, with results in files or in it, too.

    Other processes find it by the environment.
    """
    in_sqlite = f"sqlite:///{tmp_path / 'ator.db'}"
    database_url = in_sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    monkeypatch.setenv("ATOR_DATABASE_URL", database_url)
    monkeypatch.setenv("ATOR_DATA", str(tmp_path / "data"))
    if request.param == "postgres with results":
        monkeypatch.setenv("ATOR_RESULTS", "postgres")
    parts = open_workspace(load_settings()).parts
    yield parts
    parts.engine.dispose()


@pytest.fixture
def start(parts: Parts) -> Iterator[Start]:
    """Start ``tests.support.paused`` and wait until it stands at the point; ends what the test left."""
    started: list[subprocess.Popen[str]] = []

    def start(point: str, *action: object) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "tests.support.paused", point, str(parts.data), *map(str, action)]
        process = subprocess.Popen(argv, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == f"{point}\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def kill(process: subprocess.Popen[str]) -> None:
    """End it as the system would: it gets to do nothing more."""
    process.kill()
    process.communicate()


def go_on(process: subprocess.Popen[str]) -> str:
    """Let it go on to its end; gives its last words."""
    said, _ = process.communicate("\n", timeout=120)
    assert process.returncode == 0
    return said.strip()


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
