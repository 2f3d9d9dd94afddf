"""The notebook for people who are new, as they would run it."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

import ator_lib as ator


@pytest.mark.parametrize("store", ["parquet", "postgres"])
def test_it_runs_by_itself_in_a_fresh_folder(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Two real runs against a shop of its own, compared; the slowed search has got slower."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATOR_RESULTS", store)
    if store == "postgres":
        monkeypatch.setenv("ATOR_DATABASE_URL", request.getfixturevalue("postgres_url"))
    ws = ator.connect()
    done = ws.notebook("quickstart", parameters={"users": 10, "run_time": "2s"})
    assert done == Path("quickstart.out.ipynb")
    history = ws.history()
    assert list(history["stream"]) == ["slower", "main"]
    assert set(history["status"]) == {"success"}
    medians = [ws.get(int(run_id)).summary().set_index("name")["p50_ms"]["/search"] for run_id in history["run_id"]]
    assert medians[0] > 1.3 * medians[1]
    cells = {cell.id: cell for cell in nbformat.read(done, as_version=4).cells}
    assert "ator-banner" in cells["comparison"].outputs[0].data["text/html"]
