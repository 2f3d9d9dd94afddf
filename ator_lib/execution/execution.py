"""One run's life: start → heartbeat → stop → ingest → complete."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from ator_lib.errors import AtorError, LeaseLostError, ResultsError, StoreError, StoreUnavailableError
from ator_lib.execution.heartbeat import Heartbeat
from ator_lib.execution.outcome import judge
from ator_lib.execution.totals import totals_of
from ator_lib.model import Progress, Run, RunOutcome, RunStatus, StatusReason
from ator_lib.readers.base import NO_OPTIONS, plain_files
from ator_lib.readers.formats import reader
from ator_lib.registry.registry import Registry
from ator_lib.results import index
from ator_lib.results.base import StagedResults
from ator_lib.results.store import Store
from ator_lib.runners.base import Runner, ToolExit
from ator_lib.runners.process import ToolProcess
from ator_lib.sql.engine import write
from ator_lib.sql.retry import persistently

POLL_S = 0.5
"""How often the tool is looked at; also the pace of the progress display."""

RESERVE_FILE = ".reserve"
RESERVE_BYTES = 2**20
"""Enough for the database to take in the end of a run whose samples have filled the disk."""


class Execution:
    """Executes one admitted, leased run with a runner, and completes it.

    ``execute`` is called once, from any thread, within ``with``; ``stop`` and ``progress`` from any other.
    Whatever ends the ``with`` block, the run gets a final status, the tool is dead and what it measured is kept.
    """

    def __init__(
        self,
        runner: Runner,
        run: Run,
        *,
        registry: Registry,
        engine: Engine,
        store: Store,
        folder: Path,
        lease_s: float,
        max_error_rate: float,
        on_results: Callable[[Run], Run] = lambda run: run,
    ) -> None:
        self.run = run
        self._runner = runner
        self._registry = registry
        self._engine = engine
        self._store = store
        self._folder = folder
        self._lease_s = lease_s
        self._max_error_rate = max_error_rate
        self._on_results = on_results
        self._stop_requested = threading.Event()
        self._lease_lost = False
        self._process: ToolProcess | None = None
        self._progress = Progress(elapsed_s=0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._abort(error)

    @property
    def progress(self) -> Progress:
        """The latest progress."""
        return self._progress

    def stop(self) -> None:
        """Ask the tool to stop, then let what it measured be ingested. The run becomes ``cancelled``."""
        self._stop_requested.set()
        if self._process is not None:
            self._process.stop()

    def execute(self, on_progress: Callable[[Progress], None] | None = None) -> Run:
        """Run the tool to its end, ingest, complete; returns the run with its final status.

        Raises
        ------
        KeyboardInterrupt
            After an interrupt was handled like ``stop()``: the run is completed by then.
        LeaseLostError
            The lease ran out; the tool was killed, what it measured is kept with the abandoned run.
        """
        if self._load(on_progress):
            raise KeyboardInterrupt
        if self._lease_lost:
            raise LeaseLostError(
                f"run {self.run.run_id} lost its lease: its tool was stopped and what it measured was kept; "
                "run it again, or raise the setting lease_s if the machine sleeps or stalls"
            )
        return self.run

    def _load(self, on_progress: Callable[[Progress], None] | None) -> bool:
        """Everything from start to completion. Returns whether an interrupt stopped it."""
        self._make_folder()
        self._process = process = ToolProcess.start(self._runner.command(self._folder), lease_s=self._lease_s)
        if self._stop_requested.is_set():  # asked between registration and start
            process.stop()
        with Heartbeat(
            self._registry,
            self.run,
            self._lease_s,
            progress=lambda: self._progress,
            on_renewed=process.extend,
            on_stop_requested=self.stop,
            on_lost=self._lose,
        ):
            tool_exit, interrupted = self._watch(process, on_progress)
            self._finish(tool_exit)
        return interrupted

    def _make_folder(self) -> None:
        """Make the run's folder, with some room set aside so that a disk that fills up can still be told of."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / RESERVE_FILE).write_bytes(bytes(RESERVE_BYTES))
        except OSError as error:
            raise StoreError(
                f"the run's folder {self._folder} cannot be written ({error.strerror}): "
                "make room there, or use another data folder"
            ) from error

    def _watch(self, process: ToolProcess, on_progress: Callable[[Progress], None] | None) -> tuple[ToolExit, bool]:
        source = self._runner.follow(self._folder)
        interrupts = 0
        while True:
            try:
                tool_exit = process.wait(POLL_S)
                self._progress = source.poll()
                if on_progress is not None:
                    with suppress(OSError):  # nobody reads along any more: no reason to end the load
                        on_progress(self._progress)
                if tool_exit is not None:
                    return tool_exit, interrupts > 0
            except KeyboardInterrupt:
                interrupts += 1
                if interrupts == 1:
                    self.stop()
                else:  # a second one means now
                    process.kill()

    def _lose(self) -> None:
        # Only the completion decides whether the lease was lost: a beat may also come just after it.
        if self._process is not None:
            self._process.kill()

    def _finish(self, tool_exit: ToolExit) -> None:
        staged, ingest_error = self._ingest()
        outcome = judge(
            stopped=self._stop_requested.is_set() or tool_exit.cause == "stopped",
            tool_failure=self._runner.failure(tool_exit, self._folder),
            totals=totals_of(staged) if staged else None,
            ingest_error=ingest_error,
            max_error_rate=self._max_error_rate,
            host=self._runner.load_profile.host,
        )
        self._complete(outcome, staged)
        if staged is not None:  # the samples are in the store now; the stream would only double them
            shutil.rmtree(self._runner.results(self._folder), ignore_errors=True)

    def _ingest(self) -> tuple[StagedResults | None, str | None]:
        results = self._runner.results(self._folder)
        if not any(results.glob("*")):
            return None, None
        try:
            return self._store.write(reader(self._runner.format).read(plain_files(results), NO_OPTIONS)), None
        except (ResultsError, StoreError) as error:  # what was measured is in the run's folder still
            return None, str(error)

    def _ingest_what_is_there(self) -> StagedResults | None:
        """After a failure of ours: what was measured is still worth keeping, and must not fail again."""
        try:
            return self._ingest()[0]
        except Exception:
            return None

    def _complete(self, outcome: RunOutcome, staged: StagedResults | None) -> None:
        """Make the results and the final status visible; while the database is away, as long as the lease can last."""
        with suppress(OSError):
            (self._folder / RESERVE_FILE).unlink()
        try:
            self.run = self._persistently(lambda in_doubt: self._end(outcome, staged, in_doubt=in_doubt), "completed")
        except LeaseLostError:
            self._lease_lost = True
            self.run = self._persistently(lambda in_doubt: self._end_abandoned(staged, in_doubt=in_doubt), "abandoned")
        if staged is not None:
            self._store.keep(staged.ingest_id)
            self.run = self._on_results(self.run)

    def _persistently(self, action: Callable[[bool], Run], done: str) -> Run:
        return persistently(action, f"run {self.run.run_id}", done, for_s=self._lease_s)

    def _end(self, outcome: RunOutcome, staged: StagedResults | None, *, in_doubt: bool) -> Run:
        """Complete the run, in one transaction with its results."""
        with write(self._engine) as connection:
            completed = self._registry.complete(
                self.run.run_id,
                outcome.status,
                reason=outcome.reason,
                error=outcome.error,
                lease_id=self.run.lease_id,
                connection=connection,
            )
            self._record(connection, staged, in_doubt=in_doubt)
        return completed  # only now: what a failed commit said is not so

    def _end_abandoned(self, staged: StagedResults | None, *, in_doubt: bool) -> Run:
        """Keep what was measured until the lost lease made the run ``abandoned``."""
        with write(self._engine) as connection:
            self._record(connection, staged, in_doubt=in_doubt)
        self._registry.reap()
        return self._registry.get(self.run.run_id)

    def _record(self, connection: Connection, staged: StagedResults | None, *, in_doubt: bool) -> None:
        if staged is not None and not (in_doubt and index.details_of(connection, self.run.run_id)):
            index.record(connection, self.run.run_id, staged)

    def _abort(self, error: BaseException) -> None:
        """Our own failure: no tool and no factor may outlive it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self.run.status.is_final:  # it failed after the completion, which stands
            return
        if isinstance(error, StoreUnavailableError):  # asked for long enough: the lease will free the factor
            if self._process is not None:
                left = self._runner.results(self._folder)
                error.add_note(f"what run {self.run.run_id} measured is in {left}: it can be ingested from there")
            return
        staged = None if self._process is None else self._ingest_what_is_there()
        reason = StatusReason.TOOL_ERROR if isinstance(error, AtorError) else StatusReason.EXCEPTION
        if isinstance(error, KeyboardInterrupt):
            outcome = RunOutcome(status=RunStatus.CANCELLED, reason=StatusReason.STOPPED_BY_USER)
        else:
            outcome = RunOutcome(status=RunStatus.FAILURE, reason=reason, error=f"{type(error).__name__}: {error}")
        try:
            self._complete(outcome, staged)
        except AtorError as second:  # for example the database went away: the lease will free the factor
            error.add_note(f"run {self.run.run_id} could not be completed either: {second}")
