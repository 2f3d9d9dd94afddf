"""What the one who waits in a queue is told, and whole processes that wait or ask."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import ator_lib
from ator_lib.cli.app import app
from ator_lib.cli.waiting import QueueTeller
from ator_lib.errors import StoreUnavailableError
from ator_lib.model import Admission, Holder, Refusal, RunStatus
from tests.support.recording_workspace import RecordingWorkspace, made_up_place, made_up_run

PATIENCE_S = 60
"""How long a test waits for another process; a loaded machine needs patience."""


# --- what the one who waits is told ---


@pytest.fixture
def waiting(workspace: RecordingWorkspace) -> Admission:
    """Run 12 waits second, behind two others."""
    holder = Holder(run_id=9, test="nightly", factor=Decimal("0.6"))
    ahead = Holder(run_id=11, test=None, factor=Decimal("0.5"))
    workspace.places = [made_up_place(11, 1, [9]), made_up_place(12, 2, [9, 11])]
    refusal = Refusal(
        location="lab-1", taken=Decimal("0.6"), requested=Decimal("0.5"), limit=Decimal(1),
        holders=(holder,), ahead=(ahead,),
    )  # fmt: skip
    return Admission(run=made_up_run(12, status=RunStatus.QUEUED), refusal=refusal)


def test_place_and_estimate_are_told(
    workspace: RecordingWorkspace, waiting: Admission, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it stands, behind whom, and when it should start by this machine's clock."""
    noon = datetime(2020, 1, 31, 12, tzinfo=UTC)
    workspace.places[1] = replace(
        workspace.places[1], estimated_start=noon, estimate_note="by the last runs: 5 of 'nightly'"
    )
    QueueTeller(workspace).tell(waiting)
    local = noon.astimezone().strftime("%Y-%m-%d %H:%M")
    assert capsys.readouterr().err == (
        f"run 12 waits at lab-1, position 2 of 2, behind run 9 (nightly), run 11; "
        f"estimated start {local} (by the last runs: 5 of 'nightly')\n"
    )


def test_only_changes_are_told(
    workspace: RecordingWorkspace, waiting: Admission, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hundred looks at the same queue make one line; somebody leaving makes another."""
    teller = QueueTeller(workspace)
    for _ in range(100):
        teller.tell(waiting)
    assert capsys.readouterr().err.count("\n") == 1
    assert len(workspace.calls) == 1  # the queue was not even asked for
    assert waiting.refusal is not None
    workspace.places = [made_up_place(12, 1, [9])]
    teller.tell(replace(waiting, refusal=replace(waiting.refusal, ahead=())))
    assert "position 1 of 1, behind run 9 (nightly); start unknown: no history of" in capsys.readouterr().err


def test_many_ahead_are_counted(
    workspace: RecordingWorkspace, waiting: Admission, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line stays readable."""
    workspace.places = [made_up_place(12, 2, [9, 11, 13, 14, 15])]
    QueueTeller(workspace).tell(waiting)
    assert "behind run 9 (nightly), run 11, run 13, 2 more;" in capsys.readouterr().err


def test_a_database_that_is_away_does_not_end_the_waiting(
    workspace: RecordingWorkspace, waiting: Admission, capsys: pytest.CaptureFixture[str]
) -> None:
    """The place in the queue is kept; the next look tells."""
    teller = QueueTeller(workspace)
    queue, workspace.queue = workspace.queue, away  # type: ignore[method-assign]
    teller.tell(waiting)
    assert capsys.readouterr().err == ""
    workspace.queue = queue  # type: ignore[method-assign]
    teller.tell(waiting)
    assert "position 2" in capsys.readouterr().err


def away(_: str | None = None) -> Any:
    raise StoreUnavailableError("the database went away")


# --- whole processes on a real store ---

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start the command line as a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: object, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "ator_lib.cli", *map(str, words)]
        process = subprocess.Popen(argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def shared(database_url: str, tmp_path: Path) -> Iterator[ator_lib.Workspace]:
    """A workspace on each kind of database; run 1 holds 0.6 of lab."""
    workspace = ator_lib.connect(tmp_path / "data", database_url=database_url)
    workspace.register(test="holder", location="lab", factor="0.6")
    yield workspace
    workspace.parts.engine.dispose()


@pytest.fixture
def waiter(shared: ator_lib.Workspace, start: Start, database_url: str) -> subprocess.Popen[str]:
    """Another process that wants 0.6 of lab, too."""
    words = "register --test waiter --location lab --factor 0.6 --wait forever --json --database-url"
    return start(*words.split(), database_url, "--data", shared.data)


def line_with(words: str, process: subprocess.Popen[str]) -> str:
    """Read stderr up to the line with these words."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return line
    raise AssertionError(f"it ended without a word on {words!r}")


def test_who_waits_starts_when_the_other_completes(shared: ator_lib.Workspace, waiter: subprocess.Popen[str]) -> None:
    """Two processes: one holds the location, the other waits for it."""
    told = line_with("waits at lab", waiter)
    assert told.startswith("run 2 waits at lab, position 1 of 1, behind run 1 (holder); start unknown: ")
    assert list(shared.queue("lab").run_id) == [2]
    assert waiter.poll() is None
    shared.complete(1, "success")
    out, _ = waiter.communicate(timeout=PATIENCE_S)
    assert {"run_id": 2, "status": "running"}.items() <= json.loads(out).items()
    assert (waiter.returncode, shared.get(2).status) == (0, "running")


def test_an_interrupt_leaves_the_queue(shared: ator_lib.Workspace, waiter: subprocess.Popen[str]) -> None:
    """Ctrl-C while waiting: exit code 130, and nobody stands in the way of others."""
    line_with("waits at lab", waiter)
    waiter.send_signal(signal.SIGINT)
    waiter.communicate(timeout=PATIENCE_S)
    assert waiter.returncode == 130
    left = shared.get(2)
    assert (left.status, left.record.status_reason) == ("cancelled", "stopped_by_user")


def test_delete_asks_on_a_terminal(start: Start, tmp_path: Path) -> None:
    """It names what would be gone; only yes is yes."""
    workspace = ator_lib.connect(tmp_path)
    for name in ("nightly", "soak"):
        workspace.register(test=name).complete("success")
    for reply, code, left in (("\n", 2, [2, 1]), ("y\n", 0, [])):
        screen, terminal = pty.openpty()
        process = start("delete", 1, 2, "--data", tmp_path, stdin=terminal)
        os.write(screen, reply.encode())
        _, said = process.communicate(timeout=PATIENCE_S)
        os.close(screen)
        os.close(terminal)
        assert "run 1 nightly is success\n  run 2 soak is success\n" in said
        assert (process.returncode, list(workspace.history().run_id)) == (code, left)


def test_waiting_in_vain_is_exit_code_3(tmp_path: Path) -> None:
    """The refusal is told, and that the run has left the queue; one line for all the looks at it."""

    def ator(*words: str) -> Any:
        return CliRunner().invoke(app, [*words, "--location", "lab", "--factor", "0.6", "--data", str(tmp_path)])

    ator("register", "--test", "holder")
    result = ator("register", "--wait", "0.6")
    assert result.exit_code == 3
    assert result.stderr.count("waits at lab") == 1
    assert "0.6 taken + 0.6 requested is not below 1" in result.stderr
    assert "run 2 has left the queue: there was no room for it within 0.6 s" in result.stderr
    assert list(ator_lib.connect(tmp_path).history(status="cancelled").status_reason) == ["queue_timeout"]
