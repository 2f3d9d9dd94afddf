"""A clock that jumps or a laptop that slept: the lease is over, the tool is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from ator_lib.errors import CapacityError
from ator_lib.model import Run, RunRequest, RunStatus
from ator_lib.runners.base import ToolCommand
from ator_lib.runners.process import ToolProcess, lock_path
from ator_lib.sql.engine import write
from ator_lib.workspace.connect import connect
from ator_lib.workspace.workspace import Workspace

HEAVY = RunRequest(factor=Decimal("0.9"), location="lab-1", test="checkout", tool="locust")
WAIT_S = 60


@pytest.fixture
def workspace(empty_data: Path) -> Workspace:
    """A workspace with its embedded registry."""
    return connect(empty_data)


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[ToolProcess]:
    """A real tool under its real supervisor, which loads until it is killed."""
    command = ToolCommand(
        argv=(sys.executable, "-c", "import time; time.sleep(300)"),
        folder=tmp_path,
        log=tmp_path / "tool.log",
        timeout_s=300,
        grace_s=1,
    )
    process = ToolProcess.start(command, lease_s=300)
    yield process
    process.kill()
    assert process.wait(WAIT_S) is not None


@pytest.fixture
def overdue(workspace: Workspace, tool: ToolProcess, tmp_path: Path) -> Run:
    """Register a run of that tool whose lease was over an hour ago by the database's clock."""
    registry = workspace.parts.registry
    run = registry.register(HEAVY, lease_s=60)
    registry.supervise(run.run_id, {"host": workspace.parts.host, "lock": str(lock_path(tmp_path))})
    with write(workspace.parts.engine) as connection:
        hour_ago = "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-1 hour')"
        connection.execute(text(f"UPDATE test_executions SET lease_expires_at = {hour_ago}"))
    return run


def test_while_the_tool_may_load_its_place_is_taken(workspace: Workspace, overdue: Run) -> None:
    """For admission, every list and ``reap``; nobody who waits starts either."""
    with pytest.raises(CapacityError) as refused:
        workspace.register(test="other", location="lab-1", factor="0.2")
    assert [holder.run_id for holder in refused.value.refusal.holders] == [overdue.run_id]
    with pytest.raises(CapacityError):
        workspace.register(test="other", location="lab-1", factor="0.2", wait=0.1)
    assert workspace.reap().empty
    assert list(workspace.running().run_id) == [overdue.run_id]
    assert list(workspace.locations.list().taken) == [Decimal("0.9")]
    assert workspace.history(status="abandoned").empty


def test_its_place_is_free_once_the_tool_is_gone(workspace: Workspace, overdue: Run, tool: ToolProcess) -> None:
    """The next one that asks gets it."""
    tool.kill()
    assert tool.wait(WAIT_S) is not None
    assert workspace.register(test="other", location="lab-1", factor="0.9").status is RunStatus.RUNNING
    assert workspace.get(overdue.run_id).status is RunStatus.ABANDONED
