"""Stands between ATOR and a tool: no load outlives the process that wanted it.

A script of its own (``python -I -S supervisor.py``, standard library only). It starts the tool in
a session of its own, and ends it when it is asked to, when its standard input closes (the parent
is gone), when the lease or the hard limit passes. It cannot be fooled by a suspended parent, and
when it is killed itself the kernel kills the tool.

Standard input: a JSON line with the configuration, then lines ``lease <deadline>``, ``stop``,
``kill``. Standard output: a JSON line ``{"pid": …}`` or ``{"error": …}``, and at the end
``{"returncode": …, "cause": …}``, which also goes to ``exit.json`` in the run's folder.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

LOCK_FILE = "supervisor.lock"
EXIT_FILE = "exit.json"
_ORPHAN_GRACE_S = 2.0  # a tool that nobody waits for any more gets this long to flush
_TICK_S = 0.5  # how late a deadline or a dead parent may be noticed
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def now() -> float:
    """Seconds on a clock that never jumps and, on Linux, runs on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def hold_lock(folder: Path) -> int:
    """Take the folder's lock until this process ends, however it ends.

    Raises
    ------
    BlockingIOError
        Another supervisor holds it.
    """
    lock = os.open(folder / LOCK_FILE, os.O_CREAT | os.O_RDWR, 0o644)
    for _ in range(20):  # a look at the lock (is_supervised) holds it for a moment
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return lock
    raise BlockingIOError(f"the run folder {folder} is in use by another run")


class Supervisor:
    """One tool's life, from start to the last process of its session."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._parent = os.getppid()
        self._tool: subprocess.Popen[bytes]
        self._signalled = False
        self._cause: str | None = None
        self._kill_at: float | None = None
        self._timeout_at = now() + config["timeout_s"]
        self._lease_until: float | None = config["lease_until"]
        self._commands = b""
        self._parent_listens = True
        self._wake, wake_writer = os.pipe()
        os.set_blocking(wake_writer, False)
        signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for asked in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(asked, self._on_signal)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])

    def start(self) -> int:
        """Start the tool; gives its process id, which is also that of its group and session."""
        if _LIBC is not None:  # what the tool leaves behind becomes our child and can be ended
            _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1)
        with Path(self._config["log"]).open("ab") as log:
            self._tool = subprocess.Popen(
                self._config["argv"],
                cwd=self._config["cwd"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # safe: there is one thread here
            )
        return self._tool.pid

    def watch(self) -> dict[str, Any]:
        """Wait for the tool's end, or bring it about; nothing of its group is left afterwards."""
        try:
            while not self._ended():
                self._judge()
                self._listen()
        finally:
            # The unreaped leader keeps its id taken, so that no stranger's group is hit.
            self._kill_group()
            returncode = self._tool.wait()
            _end_strays()
        return {"returncode": returncode, "cause": self._cause or "exited"}

    def _ended(self) -> bool:
        if not hasattr(os, "waitid"):
            return self._tool.poll() is not None
        return os.waitid(os.P_PID, self._tool.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _judge(self) -> None:
        moment = now()
        if os.getppid() != self._parent:
            self._end("parent_gone", _ORPHAN_GRACE_S)
        if self._lease_until is not None and moment >= self._lease_until:
            self._end("lease_expired", _ORPHAN_GRACE_S)
        if moment >= self._timeout_at:
            self._end("timeout", self._config["grace_s"])
        if self._signalled:
            self._end("stopped", _ORPHAN_GRACE_S)
        if self._kill_at is not None and moment >= self._kill_at:
            self._kill_group()

    def _end(self, cause: str, grace_s: float) -> None:
        """Ask the tool to end; the first cause counts, the earliest deadline too."""
        if self._cause is None and grace_s > 0:
            os.kill(self._tool.pid, signal.SIGINT)  # not send_signal(), which reaps
        self._cause = self._cause or cause
        deadline = now() + grace_s
        self._kill_at = deadline if self._kill_at is None else min(self._kill_at, deadline)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for zombies
            os.killpg(self._tool.pid, signal.SIGKILL)

    def _listen(self) -> None:
        deadlines = [self._timeout_at, self._lease_until, self._kill_at]
        next_s = min(deadline - now() for deadline in deadlines if deadline is not None)
        sources = [self._wake, sys.stdin.fileno()] if self._parent_listens else [self._wake]
        ready, _, _ = select.select(sources, [], [], min(max(next_s, 0.02), _TICK_S))
        if self._wake in ready:
            os.read(self._wake, 4096)
        if sys.stdin.fileno() in ready:
            self._read_commands()

    def _read_commands(self) -> None:
        received = os.read(sys.stdin.fileno(), 4096)
        if not received:
            self._parent_listens = False
            self._end("parent_gone", _ORPHAN_GRACE_S)
        *lines, self._commands = (self._commands + received).split(b"\n")
        for line in lines:
            self._obey(line.decode().split())

    def _obey(self, words: list[str]) -> None:
        match words:
            case ["lease", deadline]:
                self._lease_until = float(deadline)
            case ["stop"]:
                self._end("stopped", self._config["grace_s"])
            case ["kill"]:
                self._end("stopped", 0.0)

    def _on_signal(self, _signal: int, _frame: FrameType | None) -> None:
        self._signalled = True


def _die_with_parent() -> None:
    """Let the kernel kill the tool when its supervisor is killed (runs in the tool's process)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_strays() -> None:
    """Kill what left the tool's group; as our own unreaped children their ids are surely theirs."""
    deadline = now() + 2.0
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while now() < deadline:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            for child in children.read_text().split() if children.exists() else []:
                os.kill(int(child), signal.SIGKILL)
            time.sleep(0.01)


def _tell(message: dict[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # the parent is gone; exit.json has it
        pass


def _record(folder: Path, exit_: dict[str, Any]) -> None:
    part = folder / f".{EXIT_FILE}.part"
    try:
        part.write_text(json.dumps(exit_))
        part.replace(folder / EXIT_FILE)
    except OSError:  # a full disk; the parent is told by the pipe
        part.unlink(missing_ok=True)


def main() -> None:
    """Read the configuration, start the tool, watch it, say how it ended."""
    config = json.loads(_read_line())
    folder = Path(config["folder"])
    try:
        hold_lock(folder)
        (folder / EXIT_FILE).unlink(missing_ok=True)
        supervisor = Supervisor(config)
        pid = supervisor.start()
    except OSError as error:
        _tell({"error": f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")})
        return
    _tell({"pid": pid})
    exit_ = supervisor.watch()
    _record(folder, exit_)
    _tell(exit_)


def _read_line() -> bytes:
    """Read up to the first newline, byte by byte: what follows belongs to the command loop."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(sys.stdin.fileno(), 1)):
        line += byte
    return line


if __name__ == "__main__":
    main()
