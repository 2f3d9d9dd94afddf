"""Runs that wait in the background before they run."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ator_lib.errors import CapacityError, RunCancelledError, UsageError
from ator_lib.model import RunStatus
from ator_lib.runners.locust import Locust
from ator_lib.workspace.connect import connect
from ator_lib.workspace.run import RunHandle
from ator_lib.workspace.workspace import Workspace

WAIT_S = 60


@pytest.fixture
def workspace(empty_data: Path) -> Workspace:
    """Return an embedded workspace."""
    return connect(empty_data)


@pytest.fixture
def holder(workspace: Workspace) -> RunHandle:
    """Fill lab."""
    return workspace.register(test="holder", location="lab", factor="0.9")


def test_a_submitted_run_waits_without_its_caller(
    workspace: Workspace, holder: RunHandle, locustfile: Path, target: str
) -> None:
    """The handle is there at once; the run starts when there is room."""
    load = Locust(locustfile, host=target, users=1, run_time=1)
    live = workspace.submit(load, location="lab", factor="0.5", wait=True)
    assert (live.status, live.progress().requests) == (RunStatus.QUEUED, 0)
    assert workspace.queue().run_id.tolist() == [live.run_id]
    holder.complete("success")
    run = live.result(WAIT_S)
    assert (run.run_id, run.status) == (live.run_id, RunStatus.SUCCESS)


def test_a_waiting_run_is_stopped(workspace: Workspace, holder: RunHandle, locustfile: Path) -> None:
    """It leaves the queue and never runs."""
    load = Locust(locustfile, host="http://127.0.0.1:9", run_time=1)
    live = workspace.submit(load, location="lab", factor="0.5", wait=True)
    live.stop()
    with pytest.raises(RunCancelledError, match="was stopped while it waited"):
        live.result(WAIT_S)
    assert (live.status, workspace.get(live.run_id).status) == (RunStatus.CANCELLED, RunStatus.CANCELLED)
    assert workspace.queue().empty


def test_a_wait_that_was_in_vain_is_told_by_the_result(
    workspace: Workspace, holder: RunHandle, locustfile: Path
) -> None:
    """As the refusal that it would have been at once."""
    load = Locust(locustfile, host="http://127.0.0.1:9", run_time=1)
    told = threading.Event()
    live = workspace.submit(load, location="lab", factor="0.5", wait=0.5, on_queued=lambda _: told.set())
    with pytest.raises(CapacityError):
        live.result(WAIT_S)
    assert told.is_set()


def test_what_is_refused_at_once_gives_no_handle(workspace: Workspace, holder: RunHandle, locustfile: Path) -> None:
    """A full location without ``wait``, and what is off."""
    load = Locust(locustfile, host="http://127.0.0.1:9", run_time=1)
    with pytest.raises(CapacityError):
        workspace.submit(load, location="lab", factor="0.5")
    with pytest.raises(UsageError):
        workspace.submit(load, colour="red")
