"""A handle on a run that executes in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ator_lib.errors import ConflictError
from ator_lib.execution.execution import Execution
from ator_lib.model import Progress, Run, RunStatus
from ator_lib.workspace.run import RunHandle


class LiveRun:
    """What ``Workspace.submit`` returns: the run while it runs.

    The thread is no daemon: a script that ends without asking for the result waits for its
    load to end. If the process dies, the load is stopped and the run becomes ``abandoned``.
    """

    def __init__(self, execution: Execution, *, finished: Callable[[Run], RunHandle]) -> None:
        self._execution = execution
        self._finished = finished
        self._error: BaseException | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._execute, name=f"ator-run-{self.run_id}")
        self._thread.start()

    def __repr__(self) -> str:
        return f"LiveRun(run_id={self.run_id}, status={self.status.value!r})"

    def _execute(self) -> None:
        try:
            self._execution.execute()
        except BaseException as error:  # handed to whoever asks for the result
            self._error = error
        finally:
            self._ended.set()

    @property
    def run_id(self) -> int:
        """The run's id."""
        return self._execution.run.run_id

    @property
    def status(self) -> RunStatus:
        """The run's status now; ``running`` until its results are in the store."""
        return self._execution.run.status

    def progress(self) -> Progress:
        """How it is doing: elapsed time, users, requests, failures, throughput and p95 of the last seconds."""
        return self._execution.progress

    def stop(self) -> None:
        """Ask the tool to stop; what it measured is ingested, then the run is ``cancelled``."""
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
            What stopped the execution, for example a ToolError.
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
        return self._finished(self._execution.run)
