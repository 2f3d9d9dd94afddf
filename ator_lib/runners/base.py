"""What a runner is: it says how its tool is started, followed and judged. It starts nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ator_lib.model import LoadProfile, Progress, RunArtifacts, RunOutcome

LOG_FILE = "tool.log"
"""In a run's folder: what the tool printed."""
ARTIFACT_FOLDER = "artifacts"
"""In a run's folder: the files that the tool wrote for people."""


def artifacts_in(folder: Path) -> RunArtifacts | None:
    """List what a tool left behind in its run's folder; ``None`` if there is no such folder."""
    if not folder.is_dir():
        return None
    log = folder / LOG_FILE
    files = sorted(path for path in (folder / ARTIFACT_FOLDER).rglob("*") if path.is_file())
    return RunArtifacts(folder=folder, log=log if log.is_file() else None, files=tuple(files))


@dataclass(frozen=True, kw_only=True)
class ToolCommand:
    """How to start a tool: an argv list, never a shell line.

    Parameters
    ----------
    argv
        Program and arguments. Other users of the machine can read them: no secrets.
    env
        Added to the environment of this process; the place for secrets.
    folder
        The run's folder: lock and exit record go here.
    cwd
        Working directory of the tool; ``None`` is ``folder``.
    log
        File that takes the tool's standard output and errors.
    timeout_s
        Hard limit: the tool is stopped when it still runs then.
    grace_s
        How long a tool that was asked to stop may take before it is killed.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path
    cwd: Path | None = None
    log: Path
    timeout_s: float
    grace_s: float


@dataclass(frozen=True, kw_only=True)
class ToolExit:
    """How a tool's process ended.

    ``cause`` is ``exited`` (by itself), ``stopped`` (asked or killed by us), ``timeout``,
    ``parent_gone``, ``lease_expired`` or ``supervisor_lost``. ``returncode`` is negative for a
    signal, and ``None`` when nobody saw the end.
    """

    returncode: int | None
    cause: str


class ProgressSource(Protocol):
    """Where a live run's figures come from."""

    def poll(self) -> Progress:
        """Read what is new since the last call, and say how the run is doing."""
        ...


class Runner(Protocol):
    """A tool with its settings. Implemented by frozen dataclasses, one file per tool."""

    @property
    def tool(self) -> str:
        """Name of the tool, as it stands in the registry."""
        ...

    @property
    def format(self) -> str:
        """Name of the reader for its results."""
        ...

    @property
    def load_profile(self) -> LoadProfile:
        """The load that is planned."""
        ...

    def check(self) -> None:
        """Refuse bad input before anything is registered.

        Raises
        ------
        UsageError
            A setting is off; the message says which and what to do.
        """
        ...

    def command(self, folder: Path) -> ToolCommand:
        """Say how to start the tool for a run whose files go into ``folder`` (which exists)."""
        ...

    def follow(self, folder: Path) -> ProgressSource:
        """Give live figures of the run in ``folder``."""
        ...

    def results(self, folder: Path) -> Path:
        """Give the path that the reader is handed once the tool has ended."""
        ...

    def failure(self, exit: ToolExit, folder: Path) -> RunOutcome | None:
        """Judge the tool itself: bad input, crash, timeout; ``None`` when it worked or was stopped."""
        ...
