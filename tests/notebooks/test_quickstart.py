"""The notebook for people who are new, as they would run it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

import ator_lib as ator
from ator_lib.settings import load_settings
from ator_lib.workspace.connect import open_workspace


def test_it_runs_by_itself_in_a_fresh_folder(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two real runs against a shop of its own, compared; the slowed search has got slower.

    On the embedded store, and on a team's database at the same time.
    """
    monkeypatch.chdir(tmp_path)
    own = ator.connect()
    team = open_workspace(load_settings(data=tmp_path / "team", database_url=postgres_url, results="postgres"))
    given = {"users": 10, "run_time": "2s"}
    with ThreadPoolExecutor() as pool:
        shared = pool.submit(team.notebook, "quickstart", tmp_path / "team.ipynb", parameters=given)
        done = own.notebook("quickstart", parameters=given)
        shared.result()
    assert done == Path("quickstart.out.ipynb")
    check(own, done)
    check(team, tmp_path / "team.ipynb")
    assert list(tmp_path.glob("team/results/*/samples.parquet")) == []


def check(ws: ator.Workspace, notebook: Path) -> None:
    """Both runs are there, and the notebook shows how they compare."""
    history = ws.history()
    assert list(history["stream"]) == ["slower", "main"]
    assert set(history["status"]) == {"success"}
    medians = [ws.get(int(run_id)).summary().set_index("name")["p50_ms"]["/search"] for run_id in history["run_id"]]
    assert medians[0] > 1.3 * medians[1]
    cells = {cell.id: cell for cell in nbformat.read(notebook, as_version=4).cells}
    assert "ator-banner" in cells["comparison"].outputs[0].data["text/html"]
