"""A notebook's cells, run by papermill's client in a kernel of the running interpreter.

Differences from ``papermill.execute_notebook``, each for a reason:

- the working directory of our own process is never changed (papermill does it around every save),
  as other threads may be using relative paths;
- the kernel talks over sockets in a private folder, not over loopback TCP that every local user may reach;
- the extra environment goes to the kernel's process only, and secrets in it are masked in the outputs;
- a timeout or Ctrl-C interrupts the cell and lets it clean up (a cell that executes a run stops its load).
"""

from __future__ import annotations

import logging
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NoReturn

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, v4
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager

from ator_lib.errors import BrokenError
from ator_lib.reports.secrets import Redaction

KERNEL = "python3"
STOP_GRACE_S = 60.0
"""How long an interrupted cell may clean up: a run's tool has to stop and its results to be taken in."""
_STARTUP_S = 60
_LONGEST_SOCKET_FOLDER = 70  # a socket's path is at most 107 bytes on Linux, 103 on macOS

_logger = logging.getLogger(__name__)
_logger.addHandler(logging.NullHandler())


@dataclass(frozen=True, kw_only=True)
class CellFailure:
    """The error that ended a notebook. ``cell`` is the number in ``In [cell]``, ``None`` if it was never given."""

    cell: int | None
    error: str
    message: str


@dataclass(kw_only=True)
class KernelJob:
    """One execution: what the caller's thread and the one that talks to the kernel share."""

    env: Mapping[str, str] = field(repr=False)
    timeout_s: float | None
    redaction: Redaction = field(repr=False)
    steps: SimpleQueue[tuple[int, int] | None] = field(default_factory=SimpleQueue)
    stopping: threading.Event = field(default_factory=threading.Event)
    manager: AsyncKernelManager | None = None
    failure: CellFailure | None = None
    crash: BaseException | None = None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the kernel's process group, if it lives."""
        provisioner = self.manager.provisioner if self.manager else None
        group = getattr(provisioner, "pgid", None)
        if group and provisioner is not None and provisioner.has_process:
            with suppress(ProcessLookupError):
                os.killpg(group, number)

    def stop(self, worker: threading.Thread) -> None:
        """Interrupt the cell, give it time to clean up, and see that no kernel is left."""
        self.stopping.set()
        self.signal(signal.SIGINT)
        try:
            worker.join(STOP_GRACE_S)
        finally:  # also after a second Ctrl-C
            if worker.is_alive():
                self.signal(signal.SIGKILL)
                worker.join()


def run_cells(
    notebook: NotebookNode,
    output: Path,
    *,
    env: Mapping[str, str],
    timeout_s: float | None,
    on_progress: Callable[[int, int], None] | None,
) -> CellFailure | None:
    """Run all cells in a new kernel, saving ``notebook`` to ``output`` after each.

    A thread of its own talks to the kernel: so it works inside a running event loop, and Ctrl-C
    reaches the caller's thread, which then ends the kernel in order.

    Raises
    ------
    BrokenError
        The kernel is missing or does not start.
    OSError
        ``output`` cannot be written.
    """
    job = KernelJob(env=env, timeout_s=timeout_s, redaction=Redaction({**os.environ, **env}))
    worker = threading.Thread(target=_work, args=(job, notebook, output), name="ator-notebook", daemon=True)
    worker.start()
    try:
        while (step := job.steps.get()) is not None:
            if on_progress is not None:
                on_progress(*step)
        worker.join()
    except BaseException:
        job.stop(worker)
        raise
    if job.crash is not None:
        raise job.crash
    return job.failure


def _work(job: KernelJob, notebook: NotebookNode, output: Path) -> None:
    loop = ensure_event_loop()  # the one of this thread, which nbclient's synchronous calls use
    try:
        _Engine.execute_notebook(notebook, KERNEL, output_path=str(output), progress_bar=False, job=job)
    except BaseException as crash:
        job.crash = crash
    finally:
        loop.close()
        job.steps.put(None)


class _Engine(Engine):  # type: ignore[misc]  # papermill has no annotations
    @classmethod
    def execute_managed_notebook(
        cls, nb_man: NotebookExecutionManager, kernel_name: str, *, job: KernelJob, **_: Any
    ) -> None:
        _Client(nb_man, kernel_name, job).execute()


class _Client(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no annotations
    def __init__(self, nb_man: NotebookExecutionManager, kernel_name: str, job: KernelJob) -> None:
        super().__init__(
            nb_man,
            kernel_name=kernel_name,
            log=_logger,
            startup_timeout=_STARTUP_S,
            timeout_func=lambda _cell: job.timeout_s,
            interrupt_on_timeout=True,
            error_on_timeout={"ename": CellTimeoutError.__name__, "evalue": "", "traceback": []},
            iopub_timeout=int(STOP_GRACE_S),
            coalesce_streams=True,
        )
        self._job = job

    def execute(self, **_: Any) -> None:
        self.reset_execution_trackers()
        with _private_folder() as folder, self._kernel(folder):
            info = self.wait_for_reply(self.kc.kernel_info())
            self.nb.metadata["language_info"] = info["content"]["language_info"]
            self.papermill_execute_cells()
            self.set_widgets_metadata()

    @contextmanager
    def _kernel(self, folder: Path) -> Iterator[None]:
        self.km = self._job.manager = _manager(folder)
        log = folder / "kernel.log"
        with log.open("w") as stream:
            start = self.setup_kernel(
                env={**os.environ, "PLOTLY_RENDERER": "plotly_mimetype", **self._job.env},
                cwd=str(Path.cwd()),
                stdout=stream,
                stderr=stream,
                cleanup_kc=True,
            )
            try:
                start.__enter__()
            except (NoSuchKernel, RuntimeError, OSError) as error:
                raise BrokenError(_start_failure(error, self._job.redaction.scrub(log.read_text()))) from error
            try:
                yield
            finally:
                start.__exit__(None, None, None)

    def execute_cell(self, cell: NotebookNode, cell_index: int, **_: Any) -> NotebookNode:
        if self._job.stopping.is_set():
            self._fail(cell, KeyboardInterrupt.__name__, "stopped before this cell")
        try:
            done: NotebookNode = super().execute_cell(cell, cell_index)
        except CellExecutionError as error:
            if error.ename == CellTimeoutError.__name__:
                self._fail(cell, error.ename, f"the cell took longer than {self._job.timeout_s:g} s")
            self._job.failure = CellFailure(
                cell=cell.execution_count, error=error.ename, message=self._job.redaction.scrub(error.evalue)
            )
            raise
        except CellTimeoutError:  # it was interrupted and did not stop
            self._fail(cell, CellTimeoutError.__name__, f"the cell took longer than {self._job.timeout_s:g} s")
        except DeadKernelError:
            self._fail(cell, DeadKernelError.__name__, "the kernel's process died, perhaps for want of memory")
        self._job.steps.put((cell_index + 1, len(self.nb.cells)))
        return done

    def _fail(self, cell: NotebookNode, error: str, message: str) -> NoReturn:
        """Record an error that the kernel did not report, so that it is seen in the notebook like any other."""
        self._job.failure = CellFailure(cell=cell.get("execution_count"), error=error, message=message)
        if cell.cell_type == "code":
            cell.outputs.insert(
                0, v4.new_output("error", ename=error, evalue=message, traceback=[f"{error}: {message}"])
            )
        raise CellExecutionError(message, error, message)

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        msg["content"] = self._job.redaction.scrub(msg["content"])
        output: NotebookNode | None = super().process_message(msg, cell, cell_index)
        return output


def _manager(folder: Path) -> AsyncKernelManager:
    # With no folder to search, the only kernel known is the running interpreter's own: not one that an
    # activated environment, or a file in the user's home, calls "python3".
    specs = KernelSpecManager(kernel_dirs=[], log=_logger)
    return AsyncKernelManager(
        kernel_name=KERNEL,
        kernel_spec_manager=specs,
        transport="ipc",
        connection_file=str(folder / "k.json"),
        log=_logger,
    )


@contextmanager
def _private_folder() -> Iterator[Path]:
    parent = None if len(tempfile.gettempdir()) <= _LONGEST_SOCKET_FOLDER else "/tmp"  # noqa: S108  # a private folder in it
    with tempfile.TemporaryDirectory(prefix="ator-", dir=parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _start_failure(error: Exception, log: str) -> str:
    lines = log.strip().splitlines()
    said = next((line for line in reversed(lines) if "rror" in line), lines[-1] if lines else str(error))
    return (
        f"the notebook's kernel {KERNEL!r} does not start: {said.strip().rstrip('.')}. "
        "Is ipykernel installed in this Python? Try: python -m pip install --force-reinstall ipykernel"
    )
