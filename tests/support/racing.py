"""Processes that take in or delete results, to be stopped at a point, killed there, or let go on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ator_lib.results.folders import ORPHAN_AGE_S
from ator_lib.settings import load_settings
from ator_lib.sql.engine import read
from ator_lib.sql.tables import ingests, summaries, test_executions
from ator_lib.workspace.connect import open_workspace
from ator_lib.workspace.parts import Parts

PROJECT = Path(__file__).parents[2]

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def parts(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    """The rooms of a workspace on a fresh database of each kind; other processes find it by the environment."""
    monkeypatch.setenv("ATOR_DATABASE_URL", database_url)
    monkeypatch.setenv("ATOR_DATA", str(tmp_path / "data"))
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


def sets(parts: Parts) -> list[str]:
    """List what lies in the store, hidden or not."""
    root = parts.store.root
    return sorted(path.name for path in root.iterdir()) if root.is_dir() else []


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
    then = time.time() - ORPHAN_AGE_S - 1
    for path in (*parts.store.root.rglob("*"), *parts.store.root.iterdir()):
        os.utime(path, (then, then))
    return parts.store.sweep(known)
