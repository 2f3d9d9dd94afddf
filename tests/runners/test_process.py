"""Tools under their supervisor: stopped when asked, and never left behind."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ator_lib.errors import ToolError
from ator_lib.runners import supervisor
from ator_lib.runners.base import ToolCommand, ToolExit
from ator_lib.runners.process import ToolProcess, is_supervised, lock_path
from tests.runners.conftest import WAIT_S, eventually, processes_of

Command = Callable[..., ToolCommand]

STUBBORN = "trap '' INT TERM; echo up; sleep 300 & sleep 300; sleep 300"
"""Takes no hint, and has a child."""


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Make the command for a shell script, which is found by the folder on its command line."""

    def make(script: str, *, timeout_s: float = 120.0, grace_s: float = 0.3, **env: str) -> ToolCommand:
        return ToolCommand(
            argv=("sh", "-c", script, str(tmp_path)),
            env=env,
            folder=tmp_path,
            log=tmp_path / "log.txt",
            timeout_s=timeout_s,
            grace_s=grace_s,
        )

    return make


def test_exit_code_output_and_environment_are_the_tools(command: Command, tmp_path: Path) -> None:
    """A tool that ends by itself: its code, both outputs in the log, its directory, an empty input."""
    script = "pwd; cat; echo $TOKEN >&2; exit 3"
    ended = ToolProcess.start(command(script, TOKEN="s3cret")).wait(WAIT_S)
    assert ended == ToolExit(returncode=3, cause="exited")
    assert (tmp_path / "log.txt").read_text() == f"{tmp_path}\ns3cret\n"
    assert json.loads((tmp_path / "exit.json").read_text()) == {"returncode": 3, "cause": "exited"}


def test_poll_says_nothing_while_the_tool_runs(command: Command, tmp_path: Path) -> None:
    """A living tool has no exit, and its lock says that it is supervised; a dead one is not."""
    tool = ToolProcess.start(command("exec sleep 300"))
    assert tool.poll() is None
    assert tool.wait(0.01) is None
    assert is_supervised(lock_path(tmp_path))
    tool.kill()
    assert tool.wait(WAIT_S) == ToolExit(returncode=-signal.SIGKILL, cause="stopped")
    assert tool.poll() == tool.wait()
    assert not is_supervised(lock_path(tmp_path))


def test_lock_of_a_folder_without_a_run(tmp_path: Path) -> None:
    """A folder in which nothing ever ran is not supervised."""
    assert not is_supervised(lock_path(tmp_path))


def test_stop_asks_first(command: Command, tmp_path: Path) -> None:
    """A tool that heeds SIGINT may finish its work."""
    tool = ToolProcess.start(command("trap 'echo bye; exit 7' INT; echo up; while :; do sleep 0.05; done", grace_s=60))
    assert eventually((tmp_path / "log.txt").read_text)
    tool.stop()
    assert tool.wait(WAIT_S) == ToolExit(returncode=7, cause="stopped")
    assert (tmp_path / "log.txt").read_text() == "up\nbye\n"


def test_stop_kills_the_whole_group_in_the_end(command: Command, tmp_path: Path) -> None:
    """A tool that takes no hint is killed with its children."""
    tool = ToolProcess.start(command(STUBBORN))
    assert eventually((tmp_path / "log.txt").read_text)  # its trap is set
    tool.stop()
    assert tool.wait(WAIT_S) == ToolExit(returncode=-signal.SIGKILL, cause="stopped")
    assert not processes_of(tmp_path)


def test_what_a_tool_leaves_behind_is_killed(command: Command, tmp_path: Path) -> None:
    """Children in the background die with their tool, also in a session of their own."""
    leave = f"sh -c 'sleep 300; :' {tmp_path}"
    ended = ToolProcess.start(command(f"{leave} & setsid {leave} & exit 0")).wait(WAIT_S)
    assert ended == ToolExit(returncode=0, cause="exited")
    assert not processes_of(tmp_path)


def test_hard_timeout(command: Command, tmp_path: Path) -> None:
    """A tool that runs on beyond its limit is stopped."""
    ended = ToolProcess.start(command(STUBBORN, timeout_s=0.3)).wait(WAIT_S)
    assert ended is not None
    assert ended.cause == "timeout"
    assert not processes_of(tmp_path)


def test_lease_that_is_not_extended(command: Command) -> None:
    """A lapsed lease ends the tool, although the parent lives and its pipe is open."""
    ended = ToolProcess.start(command("exec sleep 300"), lease_s=0.3).wait(WAIT_S)
    assert ended == ToolExit(returncode=-signal.SIGINT, cause="lease_expired")


def test_extended_lease(command: Command) -> None:
    """Extending counts from now, and later words replace earlier ones."""
    tool = ToolProcess.start(command("sleep 1; exit 5"), lease_s=0.5)
    tool.extend(100.0)
    assert tool.wait(WAIT_S) == ToolExit(returncode=5, cause="exited")
    tool = ToolProcess.start(command("exec sleep 300"), lease_s=100.0)
    tool.extend(0.0)
    ended = tool.wait(WAIT_S)
    assert ended is not None
    assert ended.cause == "lease_expired"


def test_threads_may_share_a_tool(command: Command) -> None:
    """One thread waits while others extend, poll and stop; all see the same end."""
    tool = ToolProcess.start(command("exec sleep 300"), lease_s=100.0)
    ends: list[ToolExit | None] = []
    waiting = [threading.Thread(target=lambda: ends.append(tool.wait(WAIT_S))) for _ in range(3)]
    for thread in waiting:
        thread.start()
    for _ in range(200):
        tool.extend(100.0)
        tool.poll()
    tool.stop()
    for thread in waiting:
        thread.join()
    assert ends == [ToolExit(returncode=-signal.SIGINT, cause="stopped")] * 3
    tool.stop()  # words to an ended tool are no error
    tool.extend(1.0)


def test_killed_supervisor(command: Command, tmp_path: Path) -> None:
    """The tool dies with its supervisor, and the parent says what happened."""
    tool = ToolProcess.start(command(STUBBORN))
    assert len(processes_of(tmp_path)) > 0
    os.kill(tool._supervising.pid, signal.SIGKILL)
    assert tool.wait(WAIT_S) == ToolExit(returncode=None, cause="supervisor_lost")
    assert eventually(lambda: not processes_of(tmp_path))


def test_terminated_supervisor_stops_its_tool(command: Command, tmp_path: Path) -> None:
    """A supervisor that is asked to end, say at a shutdown, ends its tool first."""
    tool = ToolProcess.start(command("exec sleep 300"))
    os.kill(tool._supervising.pid, signal.SIGTERM)
    assert tool.wait(WAIT_S) == ToolExit(returncode=-signal.SIGINT, cause="stopped")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_killed_parent_leaves_no_tool(tmp_path: Path, how: signal.Signals) -> None:
    """When the process that started a tool is killed, the tool's whole group ends."""
    parent = f"""
import sys, time
from pathlib import Path
from ator_lib.runners.base import ToolCommand
from ator_lib.runners.process import ToolProcess
folder = Path({str(tmp_path)!r})
script = {STUBBORN!r}
ToolProcess.start(ToolCommand(argv=("sh", "-c", script, str(folder)), folder=folder, log=folder / "log",
                              timeout_s=300, grace_s=300))
print("started", flush=True)
time.sleep(300)
"""
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"started\n"
        assert is_supervised(lock_path(tmp_path))
        started.send_signal(how)
    assert eventually(lambda: not processes_of(tmp_path))
    assert eventually(lambda: not is_supervised(lock_path(tmp_path)))
    assert json.loads((tmp_path / "exit.json").read_text())["cause"] == "parent_gone"


def test_parent_that_ignores_ctrl_c(tmp_path: Path) -> None:
    """A parent in a shell's background ignores SIGINT; its tools still hear it."""
    parent = f"""
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
from pathlib import Path
from ator_lib.runners.base import ToolCommand
from ator_lib.runners.process import ToolProcess
folder = Path({str(tmp_path)!r})
tool = ToolProcess.start(ToolCommand(argv=("sleep", "300"), folder=folder, log=folder / "log",
                                     timeout_s=300, grace_s=300))
tool.stop()
print(tool.wait(60))
"""
    said = subprocess.run([sys.executable, "-c", parent], capture_output=True, text=True, check=True).stdout
    assert said == "ToolExit(returncode=-2, cause='stopped')\n"


def test_missing_program(tmp_path: Path) -> None:
    """A program that is not there is a ToolError that names it."""
    command = ToolCommand(argv=("no-such-tool",), folder=tmp_path, log=tmp_path / "log", timeout_s=1, grace_s=1)
    with pytest.raises(ToolError, match="no-such-tool could not be started: No such file"):
        ToolProcess.start(command)


def test_folder_in_use(command: Command) -> None:
    """Two tools never share a run folder."""
    first = ToolProcess.start(command("exec sleep 300"))
    with pytest.raises(ToolError, match="in use by another run"):
        ToolProcess.start(command("exec sleep 300"))
    assert first.poll() is None
    first.kill()
    first.wait(WAIT_S)


def test_nothing_is_left_open(command: Command) -> None:
    """Ended tools cost neither descriptors nor zombies."""
    gc.collect()  # or what other tests left would go meanwhile, and hide what comes
    before = set(Path("/proc/self/fd").iterdir())
    for _ in range(3):
        ToolProcess.start(command("exit 0")).wait(WAIT_S)
    assert not set(Path("/proc/self/fd").iterdir()) - before
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    assert not [pid for pid in children.read_text().split() if ") Z " in Path(f"/proc/{pid}/stat").read_text()]


def test_supervisor_needs_the_standard_library_only() -> None:
    """It starts with neither site-packages nor the environment, so that nothing can break it."""
    modules = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "importtime", supervisor.__file__],
        input=b"{}\n",
        capture_output=True,
        check=False,
    ).stderr.decode()
    assert "subprocess" in modules
    assert "ator_lib" not in modules.replace(supervisor.__file__, "")
    assert "KeyError: 'folder'" in modules
