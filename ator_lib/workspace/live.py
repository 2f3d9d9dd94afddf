"""A handle on a run that executes in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias

from ator_lib.errors import ConflictError, RunCancelledError
from ator_lib.execution.execution import Execution
from ator_lib.model import Admission, Progress, Run, RunStatus
from ator_lib.workspace.run import RunHandle

Admit: TypeAlias = Callable[[Callable[[Admission], None]], Execution]
"""Gets the run its place, and tells each time that it still waits."""


class LiveRun:
    """What ``Workspace.submit`` returns: the run while it waits and runs.

    The thread is no daemon: a script that ends without asking for the result waits for its
    load to end. If the process dies, the load is stopped and the run becomes ``abandoned``.
    """

    def __init__(self, admit: Admit, *, finished: Callable[[Run], RunHandle]) -> None:
        self._admit = admit
        self._finished = finished
        self._queued: Run | None = None
        self._execution: Execution | None = None
        self._error: BaseException | None = None
        self._stop_requested = threading.Event()
        self._is_known = threading.Event()
        self._ended = threading.Event()
        threading.Thread(target=self._live, name="ator-run").start()
        try:
            self._is_known.wait()
        except BaseException:  # an interrupt: nobody gets the handle
            self.stop()
            raise
        self._raise_if_refused()

    def __repr__(self) -> str:
        return f"LiveRun(run_id={self.run_id}, status={self.status.value!r})"

    def _live(self) -> None:
        try:
            with self._admit(self._note_queued) as execution:
                self._execution = execution
                self._is_known.set()
                if self._stop_requested.is_set():
                    execution.stop()
                execution.execute()
        except BaseException as error:  # handed to whoever asks for the result
            self._error = error
        finally:
            self._ended.set()
            self._is_known.set()

    def _raise_if_refused(self) -> None:
        """Raise what ended it before there was a run."""
        if self._error is not None and self._run is None:
            raise self._error

    def _note_queued(self, admission: Admission) -> None:
        self._queued = admission.run
        self._is_known.set()
        if self._stop_requested.is_set():  # whatever ends the waiting takes the run out of the queue
            raise RunCancelledError(f"run {admission.run.run_id} was stopped while it waited")

    @property
    def _run(self) -> Run | None:
        return self._queued if self._execution is None else self._execution.run

    @property
    def run_id(self) -> int:
        """The run's id."""
        assert self._run is not None  # noqa: S101  # or there would be no handle
        return self._run.run_id

    @property
    def status(self) -> RunStatus:
        """The run's status now: ``queued`` while it waits, ``running`` until its results are in the store."""
        if self._execution is not None:
            return self._execution.run.status
        return RunStatus.CANCELLED if self._ended.is_set() else RunStatus.QUEUED

    def progress(self) -> Progress:
        """How it is doing: elapsed time, users, requests, failures, throughput and p95 of the last seconds."""
        return Progress(elapsed_s=0.0) if self._execution is None else self._execution.progress

    def stop(self) -> None:
        """Ask the tool to stop; what it measured is ingested, then the run is ``cancelled``.

        One that waits leaves the queue; ``result`` then raises RunCancelledError.
        """
        self._stop_requested.set()
        if self._execution is not None:
            self._execution.stop()

    def result(self, timeout: float | None = None) -> RunHandle:
        """Wait for the end and return the completed run. Ctrl-C while waiting stops the load, as ``stop`` does.

        Raises
        ------
        ConflictError
            It still runs after ``timeout`` seconds.
        KeyboardInterrupt
            After an interrupt; the load was stopped, its results kept, the run is ``cancelled``.
        AtorError
            What stopped the execution, for example a ToolError, or the waiting, for example a CapacityError.
        """
        try:
            ended = self._ended.wait(timeout)
        except KeyboardInterrupt:
            self.stop()
            self._ended.wait()
            raise
        if not ended:
            raise ConflictError(f"run {self.run_id} still runs after {timeout} s: wait longer, or stop() it")
        if self._error is not None:
            raise self._error
        assert self._execution is not None  # noqa: S101  # or there would be an error
        return self._finished(self._execution.run)
