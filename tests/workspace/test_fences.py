"""What users may not do to a run by accident."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ator_lib.errors import ConflictError, UsageError
from ator_lib.model import RunRequest, RunStatus
from ator_lib.registry.registry import Registry
from ator_lib.settings import load_settings
from ator_lib.sql.engine import open_engine
from ator_lib.workspace.connect import DATABASE_FILE, connect


def test_a_handle_on_an_executing_run_cannot_complete_it(tmp_path: Path) -> None:
    """Only its executor can: a handle from ``get`` does not carry the lease."""
    workspace = connect(tmp_path)
    elsewhere = Registry(open_engine(tmp_path / DATABASE_FILE))
    run = elsewhere.register(RunRequest(tool="locust"), lease_s=60)
    with pytest.raises(ConflictError, match="being executed"):
        workspace.get(run.run_id).complete("success")
    with pytest.raises(ConflictError, match="being executed"):
        workspace.complete(run.run_id, "success")
    assert workspace.get(run.run_id).status is RunStatus.RUNNING


def test_the_attribute_of_supervised_runs_is_refused(tmp_path: Path) -> None:
    """It decides whether a run is reaped, so nobody sets it by accident."""
    workspace = connect(tmp_path)
    with pytest.raises(UsageError, match="supervisor"):
        workspace.register(test="t", attributes={"supervisor": "alice"})
    assert workspace.history().empty


def test_an_odd_supervisor_attribute_breaks_nothing(tmp_path: Path) -> None:
    """Written by something else, it means that nobody supervises the run here."""
    workspace = connect(tmp_path)
    elsewhere = Registry(open_engine(tmp_path / DATABASE_FILE))
    elsewhere.register(RunRequest(attributes={"supervisor": "alice"}), lease_s=0.01)
    time.sleep(0.05)
    assert workspace.running().empty


def test_an_empty_variable_is_the_default_also_against_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a notebook's kernel can be told to use the embedded registry of its data folder."""
    (tmp_path / "ator.toml").write_text('database_url = "postgresql://db/ator"')
    monkeypatch.chdir(tmp_path)
    assert load_settings().database_url is not None
    monkeypatch.setenv("ATOR_DATABASE_URL", "")
    assert load_settings().database_url is None


def test_a_folder_by_name_is_its_embedded_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says of a team's registry."""
    monkeypatch.setenv("ATOR_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    connect(tmp_path).register(test="t")
    assert (tmp_path / DATABASE_FILE).exists()
