"""``with ws.register(…) as run``: a lease while the block runs, a final status after it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ator_lib.errors import LeaseLostError
from ator_lib.model import RunStatus
from ator_lib.workspace.connect import connect
from tests.support.served import wait_until


def test_leaving_the_block_completes_the_run(tmp_path: Path) -> None:
    """It is leased inside, a success after, and its place is free again."""
    workspace = connect(tmp_path)
    with workspace.register(test="t", factor="0.9") as run:
        assert run.record.lease_id is not None
        assert workspace.locations.list().iloc[0].taken == run.record.factor
    assert run.status is RunStatus.SUCCESS
    assert workspace.locations.list().iloc[0].taken == 0


def test_exception_makes_it_a_failure_and_goes_on(tmp_path: Path) -> None:
    """The run says what was raised."""
    workspace = connect(tmp_path)
    with pytest.raises(ZeroDivisionError), workspace.register(test="t") as run:
        raise ZeroDivisionError("by zero")
    assert (run.status, run.record.error) == (RunStatus.FAILURE, "ZeroDivisionError: by zero")


def test_interrupt_makes_it_cancelled(tmp_path: Path) -> None:
    """Ctrl-C is no failure of the test."""
    workspace = connect(tmp_path)
    with pytest.raises(KeyboardInterrupt), workspace.register(test="t") as run:
        raise KeyboardInterrupt
    assert run.status is RunStatus.CANCELLED


def test_completing_inside_the_block_is_final(tmp_path: Path) -> None:
    """Leaving the block does not overwrite what was said inside."""
    workspace = connect(tmp_path)
    with workspace.register(test="t") as run:
        run.complete("failure", reason="gate_failed")
    assert (run.status, run.record.status_reason) == (RunStatus.FAILURE, "gate_failed")


def test_heartbeats_keep_the_lease_alive(tmp_path: Path) -> None:
    """The lease ends later and later while the block runs, so that a long one holds its place."""
    workspace = connect(tmp_path)
    with workspace.register(test="t", factor="0.9", lease=15) as run:
        before = run.record.lease_expires_at
        assert before is not None
        wait_until(lambda: (workspace.get(run.run_id).record.lease_expires_at or before) > before)
        assert workspace.running().run_id.to_list() == [run.run_id]
    assert run.status is RunStatus.SUCCESS


def test_cancel_from_outside_is_what_the_run_becomes(tmp_path: Path) -> None:
    """A cancel during the block is honoured when it ends."""
    workspace = connect(tmp_path)
    with workspace.register(test="t") as run:
        assert workspace.cancel(run.run_id).status is RunStatus.RUNNING
    assert run.status is RunStatus.CANCELLED


def test_lost_lease_is_told_at_the_end(tmp_path: Path) -> None:
    """A block whose lease ran out cannot claim success: others may have run in its place."""
    workspace = connect(tmp_path)
    run = workspace.register(test="t", lease=0.2)
    run.__enter__()
    assert run._heartbeat is not None
    run._heartbeat.close()  # as if the machine had slept
    time.sleep(0.4)
    with pytest.raises(LeaseLostError):
        run.__exit__(None, None, None)
    assert run.refresh().status is not RunStatus.SUCCESS
