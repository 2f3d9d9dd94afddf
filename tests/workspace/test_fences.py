"""What users may not do to a run by accident."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ator_lib.errors import ConflictError, UsageError
from ator_lib.model import RunRequest, RunStatus
from ator_lib.registry.registry import Registry
from ator_lib.runners.locust import Locust
from ator_lib.settings import load_settings
from ator_lib.sql.engine import open_engine
from ator_lib.workspace.connect import connect
from ator_lib.workspace.database import DATABASE_FILE


def test_a_handle_on_an_executing_run_cannot_complete_it(tmp_path: Path) -> None:
    """Only its executor can: a handle from ``get`` does not carry the lease."""
    workspace = connect(tmp_path)
    elsewhere = Registry(open_engine(tmp_path / DATABASE_FILE))
    run = elsewhere.register(RunRequest(tool="locust"), lease_s=60)
    with pytest.raises(ConflictError, match="being executed"):
        workspace.get(run.run_id).complete("success")
    with pytest.raises(ConflictError, match="being executed"):
        workspace.get(run.run_id).cancel().complete("success")
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
    odd = elsewhere.register(RunRequest(), lease_s=0.01)
    elsewhere.supervise(odd.run_id, {"host": "alice"})
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


def test_ids_of_a_frame_are_ids(tmp_path: Path) -> None:
    """NumPy's whole numbers, as DataFrames hand them out, name runs; what is no whole number is refused at once."""
    workspace = connect(tmp_path)
    workspace.register(test="t")
    assert workspace.get(workspace.history().run_id.iloc[0]).run_id == 1
    for odd in ("1", 1.5, None):
        with pytest.raises(UsageError, match="whole number"):
            workspace.get(odd)  # type: ignore[arg-type]


@pytest.mark.parametrize("words", [{"bogus": 1}, {"test": 5}, {"attributes": [1]}])
def test_odd_words_are_refused_with_what_there_is(words: dict[str, object], tmp_path: Path) -> None:
    """No TypeError from within, and nothing registered."""
    workspace = connect(tmp_path)
    with pytest.raises((UsageError, TypeError)):
        workspace.register(**words)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        workspace._admit(Locust(__file__), words)
    assert workspace.history().empty


def test_since_that_is_no_time_is_refused(tmp_path: Path) -> None:
    """The message has an example."""
    with pytest.raises(UsageError, match="2026-01-31"):
        connect(tmp_path).history(since="bogus")
