"""Tools as processes under a supervisor: the only user of ``subprocess`` beside it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from ator_lib.errors import ToolError
from ator_lib.runners import supervisor
from ator_lib.runners.base import ToolCommand, ToolExit


def lock_path(folder: Path) -> Path:
    """Give the file that a living supervisor of the run in ``folder`` holds locked."""
    return folder / supervisor.LOCK_FILE


def is_supervised(lock: Path) -> bool:
    """Say whether a living supervisor on this host holds ``lock`` (see `lock_path`)."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


class ToolProcess:
    """A running tool. Its methods may be called from any thread.

    When this process dies, by whatever cause, the tool is ended within a few seconds.
    """

    def __init__(self, supervising: subprocess.Popen[bytes], pid: int) -> None:
        self._supervising = supervising
        self._pid = pid
        self._exit: ToolExit | None = None
        self._lock = threading.Lock()

    @classmethod
    def start(cls, command: ToolCommand, *, lease_s: float | None = None) -> ToolProcess:
        """Start the tool under its supervisor.

        Parameters
        ----------
        command
            What to start, where, and its limits.
        lease_s
            The tool is ended that many seconds from now unless `extend` is called; ``None`` is no lease.

        Raises
        ------
        ToolError
            The program is missing, the log cannot be written, or another run uses the folder.
        """
        supervising = subprocess.Popen(
            [sys.executable, "-I", "-S", supervisor.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **command.env},
            start_new_session=True,
        )
        try:
            answer = _hand_over(supervising, _configuration(command, lease_s))
        except BaseException:
            _close_pipes(supervising)  # the supervisor sees it, ends the tool and itself
            raise
        if "pid" not in answer:
            _close_pipes(supervising)
            supervising.wait()
            raise ToolError(f"{command.argv[0]} could not be started: {answer.get('error', 'its supervisor broke')}.")
        return cls(supervising, answer["pid"])

    def extend(self, seconds: float) -> None:
        """Let the lease end that many seconds from now."""
        self._send(f"lease {supervisor.now() + seconds!r}")

    def stop(self) -> None:
        """Ask the tool to end; it is killed after its grace time. Returns at once."""
        self._send("stop")

    def kill(self) -> None:
        """Kill the tool and its whole group. Returns at once."""
        self._send("kill")

    def poll(self) -> ToolExit | None:
        """Say how the tool ended, or ``None`` while it runs."""
        with self._lock:
            if self._exit is None and self._supervising.poll() is not None:
                self._exit = self._read_exit()
            return self._exit

    def wait(self, timeout_s: float | None = None) -> ToolExit | None:
        """Wait for the end, ``timeout_s`` seconds at most; ``None`` when it still runs then."""
        with suppress(subprocess.TimeoutExpired):
            self._supervising.wait(timeout_s)
        return self.poll()

    def _read_exit(self) -> ToolExit:
        _, answers = _pipes(self._supervising)
        last = answers.readline()
        _close_pipes(self._supervising)
        if last:
            return ToolExit(**json.loads(last))
        # The supervisor was killed. Linux has killed the tool with it; its group may live on.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)
        return ToolExit(returncode=None, cause="supervisor_lost")

    def _send(self, line: str) -> None:
        with self._lock:
            if self._exit is None:
                commands, _ = _pipes(self._supervising)
                # Gone: poll() says so. Full: the supervisor is suspended, and must not suspend us.
                with suppress(BrokenPipeError, BlockingIOError):
                    os.write(commands.fileno(), line.encode() + b"\n")


def _configuration(command: ToolCommand, lease_s: float | None) -> dict[str, Any]:
    return {
        "argv": command.argv,
        "folder": str(command.folder.absolute()),
        "cwd": str((command.cwd or command.folder).absolute()),
        "log": str(command.log.absolute()),
        "timeout_s": command.timeout_s,
        "grace_s": command.grace_s,
        "lease_until": None if lease_s is None else supervisor.now() + lease_s,
    }


def _hand_over(supervising: subprocess.Popen[bytes], configuration: dict[str, Any]) -> dict[str, Any]:
    commands, answers = _pipes(supervising)
    with suppress(BrokenPipeError):
        commands.write(json.dumps(configuration).encode() + b"\n")
        commands.flush()
    os.set_blocking(commands.fileno(), False)
    answer: dict[str, Any] = json.loads(answers.readline() or b"{}")
    return answer


def _pipes(supervising: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    return cast("IO[bytes]", supervising.stdin), cast("IO[bytes]", supervising.stdout)


def _close_pipes(supervising: subprocess.Popen[bytes]) -> None:
    for pipe in _pipes(supervising):
        with suppress(BrokenPipeError):
            pipe.close()
