"""Locust as a runner. Locust itself is imported by its own process only (``_locust_capture.py``)."""

from __future__ import annotations

import errno
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from ator_lib.errors import UsageError
from ator_lib.masking import masked, secret_words
from ator_lib.model import LoadProfile, RunOutcome, RunStatus, StatusReason
from ator_lib.readers.capture.follower import CaptureFollower
from ator_lib.readers.capture.streams import ended_cleanly, streams
from ator_lib.runners import _locust_log
from ator_lib.runners._locust_checks import (
    check_counts,
    check_environment,
    check_headers,
    check_host,
    check_lists,
    check_paths,
    seconds,
)
from ator_lib.runners.base import ARTIFACT_FOLDER, LOG_FILE, ProgressSource, ToolCommand, ToolExit

CONFIGURATION = "ATOR_LOCUST"
"""Environment variable that hands folder and headers to Locust's process."""
FAILED_FILE = "failed.txt"
"""Beside the streams: why samples could not be written."""
EXIT_CAPTURE_FAILED = os.EX_IOERR
"""Exit code of a Locust that stopped because samples could not be written."""

_CAPTURE_FOLDER = "capture"
_SLACK_S = 60.0  # to import a heavy locustfile, connect workers, write reports
_CLOSING_S = 10.0  # Locust's own end, once its users have stopped
_FASTEST_RAMP = 100.0  # users per second; Locust warns above


@dataclass(frozen=True)
class Locust:
    """Run a locustfile without its web page, recording every request.

    Parameters
    ----------
    locustfile
        Python file with the users.
    host
        Base URL of the target; ``None`` leaves it to the locustfile.
    users
        Concurrent users at the peak.
    spawn_rate
        Users started per second; ``None`` is all at once, but 100 at most.
    run_time
        Seconds, or text like ``90s``, ``2m``, ``1h20m``; the ramp is part of it. Locust counts
        whole seconds: fractions are rounded up. A load shape in the locustfile must end within it.
    processes
        Locust processes that share the users.
    user_classes, tags, exclude_tags
        Which users and tasks of the locustfile take part; empty is all.
    headers
        Sent with every request of ``HttpUser`` and ``FastHttpUser`` clients. Secret: not in repr,
        arguments, logs or the database.
    env
        Environment variables for the locustfile. Secret, like the headers.
    stop_timeout_s
        How long users may finish their task at the end. The default, 0, is Locust's own:
        requests that are under way then are dropped, by Locust's counts as well. With more
        than one process and a longer time, Locust's own counts miss the last requests.
    extra_args
        Further arguments for Locust.
    working_dir
        Directory that the locustfile runs in; the default is the run's folder.
    """

    locustfile: str | Path
    _: KW_ONLY
    host: str | None = None
    users: int = 1
    spawn_rate: float | None = None
    run_time: str | float = "1m"
    processes: int = 1
    user_classes: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    tags: Sequence[str] = ()
    exclude_tags: Sequence[str] = ()
    stop_timeout_s: int = 0
    extra_args: Sequence[str] = ()
    working_dir: str | Path | None = None

    tool = "locust"
    format = "capture"

    @property
    def run_time_s(self) -> int:
        """The run time in whole seconds.

        Raises
        ------
        UsageError
            It is no time span, or not above 0.
        """
        return seconds(self.run_time)

    @property
    def load_profile(self) -> LoadProfile:
        """The load that is planned."""
        return LoadProfile(
            users=self.users,
            spawn_rate=self._spawn_rate,
            run_time_s=float(self.run_time_s),
            processes=self.processes,
            host=self.host,
        )

    def check(self) -> None:
        """Refuse bad input before anything is registered.

        Raises
        ------
        UsageError
            A setting is off; the message says which and what to do.
        """
        check_paths(self._locustfile, self.working_dir)
        check_counts(users=self.users, processes=self.processes)
        if self.spawn_rate is not None and not 0 < self.spawn_rate < math.inf:
            raise UsageError(f"spawn_rate must be above 0 users per second, not {self.spawn_rate!r}.")
        if self.stop_timeout_s < 0:
            raise UsageError(f"stop_timeout_s must be 0 or more seconds, not {self.stop_timeout_s!r}.")
        seconds(self.run_time)
        check_host(self.host)
        check_lists(
            user_classes=self.user_classes,
            tags=self.tags,
            exclude_tags=self.exclude_tags,
            extra_args=self.extra_args,
        )
        check_headers(self.headers)
        check_environment(self.env)

    def command(self, folder: Path) -> ToolCommand:
        """Say how to start Locust for a run whose files go into ``folder``."""
        folder = folder.absolute()
        configuration = {
            "folder": str(folder / _CAPTURE_FOLDER),
            "import_path": str(Path.cwd()),  # a project's own modules
            "headers": dict(self.headers),
            "secrets": self._secrets,
        }
        return ToolCommand(
            argv=(sys.executable, "-P", "-m", "ator_lib.runners._locust_capture", *self._arguments(folder)),
            env={**self.env, CONFIGURATION: json.dumps(configuration), "PYTHONUNBUFFERED": "1"},
            folder=folder,
            cwd=None if self.working_dir is None else Path(self.working_dir).absolute(),
            log=folder / LOG_FILE,
            timeout_s=self._timeout_s,
            grace_s=self.stop_timeout_s + _CLOSING_S,
        )

    def follow(self, folder: Path) -> ProgressSource:
        """Give live figures of the run in ``folder``."""
        return CaptureFollower(folder / _CAPTURE_FOLDER)

    def results(self, folder: Path) -> Path:
        """Give the folder of the recorded streams."""
        return folder / _CAPTURE_FOLDER

    def failure(self, exit: ToolExit, folder: Path) -> RunOutcome | None:
        """Judge Locust itself; ``None`` when it worked (failed requests or not) or was stopped."""
        recorded = streams(folder / _CAPTURE_FOLDER)
        clean = sum(map(ended_cleanly, recorded))
        if words := self._capture_failure(exit, folder, clean):
            return _failed(StatusReason.CAPTURE_FAILED, words)
        match exit.cause:
            case "stopped":
                return None
            case "timeout":
                words = f"Locust did not end by itself within {self._timeout_s:.0f} s and was stopped."
                return _failed(StatusReason.TIMEOUT, words)
            case "lease_expired":
                return _failed(
                    StatusReason.LEASE_EXPIRED, "The run's lease was not renewed in time; Locust was stopped."
                )
            case "supervisor_lost" | "parent_gone":
                return _failed(
                    StatusReason.TOOL_ERROR, "The process that watches Locust was killed, and Locust with it."
                )
        return self._tool_failure(exit, folder / LOG_FILE, bool(recorded), clean)

    def _tool_failure(self, exit: ToolExit, log: Path, began: bool, clean: int) -> RunOutcome | None:
        text = _locust_log.tail(log)
        decisive = _locust_log.decisive_line(text, self._locustfile)
        killed = exit.returncode is not None and exit.returncode < 0
        if not killed and _locust_log.broke_in_recorder(text):
            reason = StatusReason.TOOL_ERROR
            words = f"ATOR's recorder broke, please report it: {decisive}"
        elif not killed and (not began or _locust_log.NO_HOST in text):
            reason = StatusReason.BAD_INPUT
            words = f"Locust could not run {self._locustfile.name}, correct it or the settings: {decisive}"
        elif killed:
            reason = StatusReason.TOOL_ERROR
            words = f"Locust was killed by signal {-(exit.returncode or 0)} (out of memory, perhaps)"
        elif clean < self.processes:
            reason = StatusReason.TOOL_ERROR
            words = f"Only {clean} of {self.processes} Locust processes came to a regular end: {decisive}"
        elif exit.returncode not in (0, 1):  # 1: some requests failed
            reason = StatusReason.TOOL_ERROR
            words = f"Locust ended with exit code {exit.returncode}: {decisive}"
        elif raised := _locust_log.task_exceptions(log.parent / ARTIFACT_FOLDER / "locust_exceptions.csv"):
            reason = StatusReason.TASKS_FAILED
            words = raised
        else:
            return None
        return _failed(reason, f"{masked(words, self._secrets).rstrip('.!')}. The whole log is {log}")

    def _capture_failure(self, exit: ToolExit, folder: Path, clean: int) -> str | None:
        said = folder / _CAPTURE_FOLDER / FAILED_FILE
        gave_up = exit.returncode == EXIT_CAPTURE_FAILED and clean < self.processes
        logged = _locust_log.capture_failure(_locust_log.tail(folder / LOG_FILE))
        if not (said.is_file() or gave_up or logged):
            return None
        written = said.read_text() if said.is_file() else ""
        why = written or logged or os.strerror(errno.ENOSPC)  # a full disk took no line of it anywhere
        return f"Samples could not be written to {folder}: {why}. Make room there, or use another data folder."

    @property
    def _locustfile(self) -> Path:
        return Path(self.locustfile).absolute()

    @property
    def _secrets(self) -> list[str]:
        return secret_words([*self.headers.values(), *self.env.values()])

    @property
    def _spawn_rate(self) -> float:
        return min(float(self.users), _FASTEST_RAMP) if self.spawn_rate is None else self.spawn_rate

    @property
    def _timeout_s(self) -> float:
        return self.run_time_s + self.users / self._spawn_rate + self.stop_timeout_s + _SLACK_S

    def _arguments(self, folder: Path) -> list[str]:
        reports = folder / ARTIFACT_FOLDER
        arguments = ["-f", str(self._locustfile), "--headless", "--only-summary"]
        arguments += ["--users", str(self.users), "--spawn-rate", str(self._spawn_rate)]
        arguments += ["--run-time", f"{self.run_time_s}s", "--stop-timeout", str(self.stop_timeout_s)]
        arguments += ["--csv", str(reports / "locust"), "--json-file", str(reports / "locust")]
        arguments += ["--html", str(reports / "report.html")]
        if self.processes > 1:  # the launcher adds a port that is free
            arguments += ["--processes", str(self.processes), "--expect-workers-max-wait", "60"]
        if self.host is not None:
            arguments += ["--host", self.host]
        for option, values in (("--tags", self.tags), ("--exclude-tags", self.exclude_tags)):
            arguments += [option, *values] if values else []
        return [*arguments, *self.extra_args, *(["--", *self.user_classes] if self.user_classes else [])]


def _failed(reason: StatusReason, words: str) -> RunOutcome:
    return RunOutcome(status=RunStatus.FAILURE, reason=reason, error=words)
