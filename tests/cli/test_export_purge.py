"""``ator export`` and ``ator purge``: what they write, what they print, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from ator_lib import connect
from ator_lib.cli.app import app
from ator_lib.workspace.workspace import Workspace
from tests.support.files import synthetic_csv


@pytest.fixture
def workspace(empty_data: Path, tmp_path: Path) -> Workspace:
    """A store with two runs, of which the second one is pinned."""
    workspace = connect(empty_data)
    for number in (1, 2):
        workspace.ingest(synthetic_csv(tmp_path / f"{number}.csv", [1.0] * 10 * number), test=f"t{number}")
    workspace.baselines.pin("stable", 2)
    return workspace


def ator(workspace: Workspace, *arguments: object) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments), "--data", str(workspace.data)])


def test_export_writes_a_duckdb_file(workspace: Workspace, tmp_path: Path) -> None:
    """And says where; a second one needs --overwrite."""
    target = tmp_path / "out.duckdb"
    assert ator(workspace, "export", target).stderr == f"exported to {target}\n"
    again = ator(workspace, "export", target)
    assert (again.exit_code, "--overwrite" in again.stderr) == (2, True)
    whole = ator(workspace, "export", target, "--run", 1, "--run", "stable", "--overwrite", "--json")
    assert json.loads(whole.stdout) == {"path": str(target)}
    with duckdb.connect(str(target), read_only=True) as connection:
        assert connection.sql("SELECT count(*), sum(duration_ms) FROM samples").fetchall() == [(30, 30.0)]


def test_export_writes_files(workspace: Workspace, tmp_path: Path) -> None:
    """One for each table."""
    assert ator(workspace, "export", tmp_path / "out", "--format", "csv", "--run", 2).exit_code == 0
    assert len((tmp_path / "out" / "samples.csv").read_text().splitlines()) == 21
    assert ator(workspace, "export", tmp_path / "out2", "--format", "xml").exit_code == 2
    assert ator(workspace, "export", tmp_path / "out3", "--run", 99).exit_code == 2


def test_purge_says_what_goes(workspace: Workspace) -> None:
    """With --dry-run nothing does; pinned runs stay unless that is asked for."""
    dry = ator(workspace, "purge", "--samples-older-than", "1ms", "--dry-run")
    assert (dry.exit_code, "1 run would go" in dry.stderr) == (0, True)
    assert ("t1" in dry.stdout, "t2" in dry.stdout) == (True, False)
    assert len(workspace.get(1).samples()) == 10
    [row] = json.loads(ator(workspace, "purge", "--samples-older-than", "1ms", "--json").stdout)
    assert (row["run_id"], row["samples"]) == (1, 10)
    done = ator(workspace, "purge", "--samples-older-than", "1ms", "--keep-baselines")
    assert done.stdout == "no run that ended more than 1ms ago has samples\n"
    assert "1 run went" in ator(workspace, "purge", "--samples-older-than", "1ms", "--no-keep-baselines").stderr
    assert ator(workspace, "purge", "--samples-older-than", "soon").exit_code == 2
    assert ator(workspace, "purge").exit_code == 2
