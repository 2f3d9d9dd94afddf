"""One run's life with the real Locust against a real server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from ator_lib.errors import CapacityError, NotFoundError, StoreError
from ator_lib.model import Progress, Run, RunStatus, StatusReason
from ator_lib.runners.locust import Locust
from ator_lib.sql.engine import write
from ator_lib.workspace.connect import connect
from ator_lib.workspace.database import reset
from ator_lib.workspace.workspace import Workspace
from tests.support.target import LOCUSTFILE

NOBODY_LISTENS = "http://127.0.0.1:9"
WAIT_S = 30.0

IDLE_LOCUSTFILE = """
from locust import HttpUser, constant, task

class Idle(HttpUser):
    wait_time = constant(1)

    @task
    def think(self):
        pass
"""


@pytest.fixture
def workspace(empty_data: Path) -> Workspace:
    """An embedded workspace of its own."""
    return connect(empty_data)


@pytest.fixture
def start_cli(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `ator …` as a process of its own; ends what the test left."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "ator_lib.cli", *map(str, arguments), "--data", str(tmp_path / "data")]
        started.append(subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {WAIT_S:.0f} s in vain for {what}"
        time.sleep(0.1)


def is_loading(workspace: Workspace) -> bool:
    running = workspace.running()
    return len(running) == 1 and (running.requests.iloc[0] or 0) > 0


def test_run_is_captured_summarised_and_completed(workspace: Workspace, locustfile: Path, target: str) -> None:
    """Every request that Locust counted is a sample; the run holds its place only while it runs."""
    load = Locust(locustfile, host=target, users=3, run_time=2)
    run = workspace.execute(load, test="t", location="lab", factor="0.9", progress=False)
    assert run.status is RunStatus.SUCCESS
    total = run.summary().iloc[-1]
    assert total.requests == len(run.samples()) > 10
    assert run.timeline("1s").query("name.isna()").requests.sum() == total.requests
    assert run.timeline("1s").users.max() == 3
    assert run.artifacts is not None
    assert run.artifacts.log is not None
    assert any(path.suffix == ".html" for path in run.artifacts.files)
    assert "Shopper" in run.log()
    assert workspace.locations.list().iloc[0].taken == 0


def test_unreachable_host_is_a_failure_with_its_reason(workspace: Workspace, locustfile: Path) -> None:
    """Not a green run with 100 % errors."""
    run = workspace.execute(Locust(locustfile, host=NOBODY_LISTENS, users=1, run_time=2), progress=False)
    assert (run.status, run.record.status_reason) == (RunStatus.FAILURE, StatusReason.HOST_UNREACHABLE)
    assert NOBODY_LISTENS in (run.record.error or "")
    assert run.summary().iloc[-1].error_rate == 1.0


def test_no_request_is_a_failure(workspace: Workspace, tmp_path: Path, target: str) -> None:
    """A load test that loads nothing has not succeeded."""
    idle = tmp_path / "idle.py"
    idle.write_text(IDLE_LOCUSTFILE)
    run = workspace.execute(Locust(idle, host=target, run_time=1), progress=False)
    assert (run.status, run.record.status_reason) == (RunStatus.FAILURE, StatusReason.NO_REQUESTS)


def test_locustfile_that_does_not_import_is_bad_input(workspace: Workspace, tmp_path: Path) -> None:
    """The run says which import failed."""
    broken = tmp_path / "broken.py"
    broken.write_text("import no_such_module_anywhere\n")
    run = workspace.execute(Locust(broken, host=NOBODY_LISTENS, run_time=1), progress=False)
    assert (run.status, run.record.status_reason) == (RunStatus.FAILURE, StatusReason.BAD_INPUT)
    assert "no_such_module_anywhere" in (run.record.error or "")


def test_task_that_raises_makes_the_run_a_failure(workspace: Workspace, tmp_path: Path, target: str) -> None:
    """A test that crashes has not succeeded, whatever its requests say; the exception is named."""
    crashing = tmp_path / "crashing.py"
    crashing.write_text(LOCUSTFILE + '        raise KeyError("no such basket")\n')
    run = workspace.execute(Locust(crashing, host=target, run_time=2), progress=False)
    assert (run.status, run.record.status_reason) == (RunStatus.FAILURE, StatusReason.TASKS_FAILED)
    assert "no such basket" in (run.record.error or "")
    assert run.summary().iloc[-1].failures == 0


def test_folder_without_room_is_said_and_the_run_ended(workspace: Workspace, locustfile: Path, target: str) -> None:
    """Before any load: the run is a failure, and its place is free."""
    (workspace.data / "runs").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        workspace.execute(Locust(locustfile, host=target, run_time=1), factor="0.9", location="lab", progress=False)
    assert workspace.get(1).status is RunStatus.FAILURE
    assert workspace.locations.list().iloc[0].taken == 0


def test_submitted_run_shows_progress_and_is_stopped(workspace: Workspace, locustfile: Path, target: str) -> None:
    """stop() ends the load early, keeps what was measured and leaves the run cancelled."""
    live = workspace.submit(Locust(locustfile, host=target, run_time="10m"), factor="0.9", location="lab")
    with pytest.raises(CapacityError):
        workspace.register(factor="0.1", location="lab")
    wait_until(lambda: is_loading(workspace), "the first request")
    assert workspace.get(live.run_id).progress().requests.iloc[-1] > 0
    live.stop()
    run = live.result(timeout=WAIT_S)
    assert (run.status, run.record.status_reason) == (RunStatus.CANCELLED, StatusReason.STOPPED_BY_USER)
    assert len(run.samples()) > 0
    assert run.progress().empty
    workspace.register(factor="0.9", location="lab")


def test_interrupt_while_waiting_for_a_submitted_run_keeps_its_results(
    workspace: Workspace, locustfile: Path, target: str, tmp_path: Path
) -> None:
    """Ctrl-C in result() stops the load, ingests, and then goes on as the interrupt that it is."""
    script = tmp_path / "script.py"
    script.write_text(
        "import ator_lib as ator\n"
        f"ws = ator.connect({str(workspace.data)!r})\n"
        f"ws.submit(ator.Locust({str(locustfile)!r}, host={target!r}, run_time='10m')).result()\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: is_loading(workspace), "the load")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=WAIT_S)
    finally:
        process.kill()
    assert stderr.rstrip().endswith("KeyboardInterrupt")
    run = workspace.get(1)
    assert (run.status, run.record.status_reason) == (RunStatus.CANCELLED, StatusReason.STOPPED_BY_USER)
    assert len(run.samples()) > 0


def test_failure_of_ours_keeps_what_was_measured(workspace: Workspace, locustfile: Path, target: str) -> None:
    """A load that is lost to an error in our own process has no tool left, a final status, and its samples."""

    def fail(progress: Progress) -> None:
        if progress.requests:
            raise RuntimeError("the display broke")

    load = Locust(locustfile, host=target, run_time="10m")
    with pytest.raises(RuntimeError, match="the display broke"), workspace._admit(load, {}) as execution:
        execution.execute(fail)
    run = workspace.get(execution.run.run_id)
    assert (run.status, run.record.status_reason) == (RunStatus.FAILURE, StatusReason.EXCEPTION)
    assert len(run.samples()) > 0
    assert not _processes_with(str(locustfile))


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (KeyboardInterrupt, RunStatus.CANCELLED, StatusReason.STOPPED_BY_USER),
        (BrokenPipeError, RunStatus.FAILURE, StatusReason.EXCEPTION),
    ],
)
def test_nothing_that_happens_before_the_load_leaves_the_run_behind(
    workspace: Workspace, locustfile: Path, error: type[BaseException], status: RunStatus, reason: StatusReason
) -> None:
    """It is ended at once, and its place is free."""

    def fail(_: Run) -> None:
        raise error

    with pytest.raises(error):
        workspace.execute(Locust(locustfile, host=NOBODY_LISTENS), factor="0.9", progress=False, on_started=fail)
    run = workspace.get(1)
    assert (run.status, run.record.status_reason) == (status, reason)
    assert workspace.locations.list().iloc[0].taken == 0
    assert run.artifacts is None


def test_run_that_cannot_be_put_under_its_supervisor_is_ended(workspace: Workspace, locustfile: Path) -> None:
    """Here by a database that takes the run, but no attribute of it."""
    with write(workspace.parts.engine) as connection:
        refuse = "SELECT RAISE(ABORT, 'not now')"
        connection.execute(
            text(f"CREATE TRIGGER fixed BEFORE UPDATE OF attributes ON test_executions BEGIN {refuse}; END")
        )
    with pytest.raises(StoreError, match="not now"):
        workspace.submit(Locust(locustfile, host=NOBODY_LISTENS))
    assert workspace.get(1).status is RunStatus.FAILURE


def test_run_whose_thread_cannot_start_takes_no_place(
    workspace: Workspace, locustfile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may have no thread to give."""
    original = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name == "ator-run":
            raise RuntimeError("can't start new thread")
        original(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError, match="new thread"):
        workspace.submit(Locust(locustfile, host=NOBODY_LISTENS))
    assert workspace.history().empty


def test_load_of_a_run_that_was_removed_is_stopped(workspace: Workspace, locustfile: Path, target: str) -> None:
    """A forced reset takes the run away under its executor, which is told."""
    live = workspace.submit(Locust(locustfile, host=target, run_time="10m"))
    wait_until(lambda: live.progress().requests > 0, "the first request")
    reset(workspace.parts, force=True)
    with pytest.raises(NotFoundError, match="1"):
        live.result(timeout=WAIT_S)
    assert not _processes_with(str(locustfile))


def test_load_that_somebody_else_stopped_is_no_success(workspace: Workspace, locustfile: Path, target: str) -> None:
    """A supervisor that is ended from outside cuts the load short: the run is cancelled."""
    live = workspace.submit(Locust(locustfile, host=target, run_time="10m"))
    wait_until(lambda: live.progress().requests > 0, "the first request")
    folder = workspace.parts.run_folder(live.run_id)
    (supervisor,) = _holders_of(folder / "supervisor.lock")
    os.kill(supervisor, signal.SIGTERM)
    assert live.result(timeout=WAIT_S).status is RunStatus.CANCELLED


def test_secrets_of_the_locustfile_stay_out_of_the_run(workspace: Workspace, tmp_path: Path, target: str) -> None:
    """A locustfile that dies with a secret in its words: they are told without it."""
    leaky = tmp_path / "leaky.py"
    leaky.write_text("import os\nraise RuntimeError('no access with ' + os.environ['SHOP_TOKEN'])\n")
    load = Locust(leaky, host=target, run_time=1, env={"SHOP_TOKEN": "s3cret-of-ann"})
    error = workspace.execute(load, progress=False).record.error or ""
    assert "no access with ***" in error
    assert "s3cret" not in repr(load) + error


def test_cancel_from_another_process_stops_the_load(
    workspace: Workspace, locustfile: Path, target: str, start_cli: Callable[..., subprocess.Popen[str]]
) -> None:
    """The run stays running until its executor has ingested; then it is cancelled, with its samples."""
    executor = start_cli("run", "locust", locustfile, "--host", target, "--run-time", "10m", "--json")
    wait_until(lambda: is_loading(workspace), "the load")
    run = workspace.cancel(int(workspace.running().run_id.iloc[0]))
    assert run.status is RunStatus.RUNNING
    stdout, _ = executor.communicate(timeout=WAIT_S)
    assert json.loads(stdout)["status"] == "cancelled"
    assert len(run.refresh().samples()) > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_ingests_and_exits_130(
    workspace: Workspace,
    locustfile: Path,
    target: str,
    start_cli: Callable[..., subprocess.Popen[str]],
    number: signal.Signals,
) -> None:
    """Ctrl-C, or a CI job that is called off, is a cancel with results."""
    executor = start_cli("run", "locust", locustfile, "--host", target, "--run-time", "10m")
    wait_until(lambda: is_loading(workspace), "the load")
    executor.send_signal(number)
    _, stderr = executor.communicate(timeout=WAIT_S)
    assert executor.returncode == 130
    assert "Traceback" not in stderr
    run = workspace.get(1)
    assert (run.status, run.record.status_reason) == (RunStatus.CANCELLED, StatusReason.STOPPED_BY_USER)
    assert len(run.samples()) > 0


def test_killed_executor_leaves_no_load_and_its_place_is_freed(
    workspace: Workspace,
    locustfile: Path,
    target: str,
    start_cli: Callable[..., subprocess.Popen[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After SIGKILL the tool dies within seconds, and the lease's end frees the factor."""
    monkeypatch.setenv("ATOR_LEASE_S", "3")
    load = ("run", "locust", locustfile, "--host", target, "--run-time", "10m", "--factor", "0.9")
    executor = start_cli(*load, "--processes", "2")
    wait_until(lambda: is_loading(workspace), "the load")
    executor.send_signal(signal.SIGKILL)
    wait_until(lambda: not _processes_with(str(locustfile)), "the tool's end")
    wait_until(lambda: workspace.get(1).status is RunStatus.ABANDONED or workspace.running().empty, "the lease's end")
    assert workspace.get(1).record.status_reason == StatusReason.LEASE_EXPIRED
    workspace.register(factor="0.9")


def _holders_of(path: Path) -> list[int]:
    """Ids of the processes that hold a file open."""
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if link.readlink() == path:
                found.append(int(link.parts[2]))
    return found


def _processes_with(text: str) -> list[str]:
    """Command lines of living processes that name ``text``; only our own test's locustfile does."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                line = (folder / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if text in line:
                found.append(line)
    return found
