"""What every handle on a run can do, wherever the registry is: look, complete, cancel, hold the place."""

from __future__ import annotations

import time
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

import pandas as pd

from ator_lib.errors import StoreUnavailableError
from ator_lib.execution.heartbeat import MAX_BEAT_S, Heartbeat
from ator_lib.model import Run, RunStatus, StatusReason
from ator_lib.registry.either import AnyRegistry
from ator_lib.workspace.points import checked_seconds, points_frame

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def id_of(run: int | BaseHandle) -> int:
    """Give the id of a run that is named by it or by a handle."""
    return run.run_id if isinstance(run, BaseHandle) else run


class BaseHandle:
    """One run as the registry knows it.

    ``with ws.register(…) as run:`` holds a lease while the block runs, and completes the run on
    leaving: ``success``, or ``failure`` if the block raised.
    """

    def __init__(self, record: Run, registry: AnyRegistry, *, lease_s: float) -> None:
        self.record = record
        self._registry = registry
        self._lease_s = lease_s
        self._heartbeat: Heartbeat | None = None

    # --- what it is ---

    @property
    def run_id(self) -> int:
        """The run's number."""
        return self.record.run_id

    @property
    def status(self) -> RunStatus:
        """The status when this handle was made or last refreshed."""
        return self.record.status

    def refresh(self) -> Self:
        """Read the run anew, and return self."""
        self._look_at(self._registry.get(self.run_id))
        return self

    def progress(self, since_s: float | None = None) -> pd.DataFrame:
        """Give how the run did at each heartbeat: a row per point, the oldest first; none once it has its results.

        Parameters
        ----------
        since_s
            Only points later than so many seconds after the run's start: the ``elapsed_s`` of the last one known.

        Raises
        ------
        UsageError
            ``since_s`` is no number of seconds.
        """
        after_s = checked_seconds(since_s)
        return points_frame(self._registry.progress(self.run_id, since_s=after_s), from_start=after_s is None)

    def progress_figure(self) -> Figure:
        """Draw ``progress``: throughput, users, p95 and errors over the seconds since the start.

        The ``meta`` of each trace is its column, so that later points can be added.
        """
        import pyarrow as pa  # not for those who only register

        from ator_lib.figures.progress import progress_figure

        points = pa.Table.from_pandas(self.progress(), preserve_index=False)
        return progress_figure(points, title=f"Run {self.run_id} so far")

    def _look_at(self, record: Run) -> None:
        """Take a newer record; the lease stays the one that this handle was given, or none."""
        self.record = replace(record, lease_id=self.record.lease_id)

    def __repr__(self) -> str:
        reason = f", reason={self.record.status_reason!r}" if self.record.status_reason else ""
        facts = f"run_id={self.run_id}, test={self.record.test!r}, status={self.status.value!r}{reason}"
        return f"{type(self).__name__}({facts})"

    def _repr_html_(self) -> str:
        from ator_lib.figures.tables import run_html

        return run_html(self.record)

    # --- its life ---

    def complete(self, status: RunStatus | str, *, reason: str | None = None, error: str | None = None) -> Self:
        """Give the run its final status."""
        self.record = self._registry.complete(
            self.run_id, status, reason=reason, error=error, lease_id=self.record.lease_id
        )
        return self._settled()

    def cancel(self) -> Self:
        """Cancel the run; one that is being executed is asked to stop."""
        self._look_at(self._registry.cancel(self.run_id))
        return self._settled()

    def _settled(self) -> Self:
        """Do what is done with a run that may just have ended; of a server's runs, the server does it."""
        return self

    def __enter__(self) -> Self:
        if self.record.lease_id is None:
            self.record = self._registry.lease(self.run_id, lease_s=self._lease_s)
        self._heartbeat = Heartbeat(self._registry, self.record, self._lease_s)
        self._heartbeat.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._heartbeat is not None  # noqa: S101 – Python enters before it leaves
        self._heartbeat.close()
        while True:
            try:
                self._end(error)
                break
            except StoreUnavailableError:  # if it is back within the lease, the outcome is not lost
                if not self._heartbeat.is_good:
                    raise
                time.sleep(min(self._lease_s / 3, MAX_BEAT_S))

    def _end(self, error: BaseException | None) -> None:
        if self.refresh().status.is_final:  # completed or cancelled inside the block
            return
        if self.record.stop_requested_at is not None or isinstance(error, KeyboardInterrupt):
            self.complete(RunStatus.CANCELLED, reason=StatusReason.STOPPED_BY_USER)
        elif error is not None:
            self.complete(RunStatus.FAILURE, reason=StatusReason.EXCEPTION, error=f"{type(error).__name__}: {error}")
        else:
            self.complete(RunStatus.SUCCESS)
