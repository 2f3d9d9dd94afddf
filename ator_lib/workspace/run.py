"""The handle on one run that users hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self, TypeAlias

import pandas as pd
import pyarrow as pa

from ator_lib.analysis.run_data import RunData
from ator_lib.errors import ConflictError, NotFoundError, UsageError
from ator_lib.figures.summary import SummaryTable
from ator_lib.model import IngestReport, Run, RunArtifacts
from ator_lib.registry.history import as_utc
from ator_lib.results import index
from ator_lib.results.staging import STORED_INTERVAL_S
from ator_lib.runners.base import LOG_FILE, artifacts_in
from ator_lib.schema import EXACT
from ator_lib.workspace.durations import seconds_of
from ator_lib.workspace.handle import BaseHandle
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.shown import shown_frame

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from ator_lib.workspace.comparable import ComparableRun
    from ator_lib.workspace.pictures import Kind

Moment: TypeAlias = float | str | datetime
"""A time, or how long after the run's start."""


class RunHandle(BaseHandle):
    """One run: what the registry knows of it, and its results as DataFrames."""

    def __init__(self, record: Run, parts: Parts, *, lease_s: float | None = None) -> None:
        super().__init__(record, parts.registry, lease_s=parts.lease_s if lease_s is None else lease_s)
        self._parts = parts

    def _settled(self) -> Self:
        self._look_at(self._parts.ended(self.record))
        return self

    def _repr_html_(self) -> str:
        return super()._repr_html_() + (self.summary_table()._repr_html_() if self.has_results else "")

    @property
    def has_results(self) -> bool:
        """Whether there are figures: not before the run has ended, and not if nothing was measured."""
        return self._ingest_id() is not None

    # --- its results ---

    def summary(self, *, since: Moment | None = None, until: Moment | None = None) -> pd.DataFrame:
        """Give the SUMMARIES rows: one per name and method, and the total last.

        Parameters
        ----------
        since, until
            A part of the run, as exact as the whole: requests that started in it, ``until`` not included. Seconds from
            the run's start (``30``, ``"2min"``), or a time.

        Raises
        ------
        NotFoundError
            A part is wanted, and there are no samples, or no more.
        """
        ingest_id = self._results()
        if since is None and until is None:
            return _frame(self._summaries())
        self._check_has_samples()
        if self._report_takes("summaries"):
            raise NotFoundError(f"run {self.run_id} has no samples: its source's own summary is of the whole run alone")
        precision = self._summaries()["precision"][0].as_py()
        first, end = self._moment("since", since), self._moment("until", until)
        return _frame(self._parts.store.summaries(ingest_id, since=first, until=end, precision=precision))

    def summary_table(self) -> SummaryTable:
        """Show the summary in a notebook: the endpoint with most requests first, and how precise the figures are."""
        report, summaries = self.ingest_report(), self._summaries()
        if report is not None:
            return SummaryTable(summaries=summaries, computed="summaries" in report.computed)
        return SummaryTable(summaries=summaries, computed=set(summaries["precision"].to_pylist()) == {EXACT})

    def timeline(self, interval: str | float = "1s") -> pd.DataFrame:
        """Give the TIMELINE rows for any interval ("1s", "500ms", "1min" or seconds), computed from the samples.

        Once these have expired, "1s" is the only one.
        """
        return _frame(self._timeline(interval))

    def samples(self, columns: Sequence[str] | None = None, where: str | None = None) -> pd.DataFrame:
        """Give the SAMPLES rows; ``where`` is SQL over their columns, such as ``"duration_ms > 500"``.

        Raises
        ------
        NotFoundError
            They have expired: see ``ws.purge``.
        """
        ingest_id = self._results()
        self._check_has_samples()
        return _frame(self._parts.store.samples(ingest_id, columns=columns, where=where))

    def cases(self) -> pd.DataFrame:
        """Give the CASES rows: a row per functional test outcome, in the order of the files."""
        self._results()
        return _frame(index.cases(self._parts.engine, [self.run_id]).drop_columns(["run_id"]))

    def metrics(self) -> pd.DataFrame:
        """Give the METRICS rows: what was measured beside the requests."""
        return _frame(self._parts.store.metrics(self._results()))

    def ingest_report(self) -> IngestReport | None:
        """Say what was read, kept and left out; null for results of before there were reports."""
        return index.report_of(self._parts.engine, self.run_id) if self._results() else None

    def rejected(self) -> pd.DataFrame:
        """Give a row per row of the files that could not be taken in: source, line, reason, text."""
        return _frame(self._parts.store.rejected(self._results()))

    def errors(self) -> pd.DataFrame:
        """Failed requests grouped by name, method, status_code and error, most frequent first."""
        from ator_lib.figures.tables import errors_html

        return shown_frame(_frame(self._parts.store.errors(self._results())), errors_html)

    def log(self) -> str:
        """Give what the tool printed; empty if the run was not executed here."""
        path = self._parts.run_folder(self.run_id) / LOG_FILE
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    @property
    def artifacts(self) -> RunArtifacts | None:
        """The files that the tool left behind; null if the run was not executed here."""
        return artifacts_in(self._parts.run_folder(self.run_id))

    def figure(self, kind: Kind = "timeline", *, interval: str | float | None = None) -> Figure:
        """Draw the run with plotly.

        Parameters
        ----------
        kind
            ``timeline``: throughput and failures, users, latency over time; ``heatmap``: the p95 of each endpoint
            over time; ``endpoints``: p50, p95 and p99 of the endpoints side by side; ``latency``: latency by
            percentile; ``errors``: failed requests by kind and endpoint.
        interval
            Of ``timeline`` and ``heatmap``, as for ``timeline()``; by default one that can be read.
        """
        from ator_lib.workspace.pictures import Pictures

        title = f"Run {self.run_id} · {self.record.test or 'no test name'}"
        return Pictures(
            parts=self._parts,
            run_id=self.run_id,
            ingest_id=self._results(),
            title=title,
            interval_s=None if interval is None else self._interval_s(interval),
        ).draw(kind)

    def comparable(self, warm_up_s: float = 0.0) -> RunData:
        """Give what a comparison reads of this run, without its first seconds if that is wanted.

        Whole time blocks are left out (``warm_up_s`` of the answer says how much), and nothing where there are only a
        tool's own summaries.

        Raises
        ------
        UsageError
            It has cases or measurements and no requests, or ``warm_up_s`` is all of it.
        """
        return self.comparable_run().data(warm_up_s)

    def comparable_run(self) -> ComparableRun:
        """Give what reads this run for a comparison."""
        from ator_lib.workspace.comparable import ComparableRun  # SciPy: not for those who only register

        ingest_id = self._results()
        return ComparableRun(self._parts, self.record, ingest_id)

    def _summaries(self) -> pa.Table:
        return index.summaries(self._parts.engine, [self.run_id]).drop_columns(["run_id"])

    def _timeline(self, interval: str | float) -> pa.Table:
        return self._parts.store.timeline(self._results(), self._interval_s(interval))

    def _interval_s(self, interval: str | float) -> float:
        """Read an interval; only samples can be cut into others than the stored ones."""
        interval_s = seconds_of(interval, "interval")
        if interval_s != STORED_INTERVAL_S:
            self._check_can_cut()
        return interval_s

    def _check_has_samples(self) -> None:
        """Tell of samples that have expired; a source that never had any gives none."""
        purged_at = index.samples_purged_at(self._parts.engine, self.run_id)
        if purged_at is not None:
            raise NotFoundError(
                f"the samples of run {self.run_id} expired on {purged_at:%Y-%m-%d}: its summary, its timeline in "
                f"intervals of {STORED_INTERVAL_S:g} s, errors, distributions and cases are left"
            )

    def _moment(self, name: str, value: Moment | None) -> datetime | None:
        if value is None or isinstance(value, datetime):
            return None if value is None else as_utc(name, value)
        window = index.window_of(self._parts.engine, self.run_id)
        if window is None:
            raise UsageError(f"nobody knows when run {self.run_id} started, so {name}={value!r} is no time of it")
        return window[0] + timedelta(seconds=seconds_of(value, name) if value else 0.0)

    def _check_can_cut(self) -> None:
        """Only samples can be cut into other intervals than the stored ones."""
        self._check_has_samples()
        if self._report_takes("timeline"):
            stored = f"{STORED_INTERVAL_S:g}s"
            raise NotFoundError(
                f'run {self.run_id} has no samples: interval="{stored}" gives its source\'s own intervals'
            )

    def _report_takes(self, table: str) -> bool:
        """Whether a table is the source's own."""
        report = index.report_of(self._parts.engine, self.run_id)
        return report is not None and table in report.taken

    def _ingest_id(self) -> str | None:
        return index.ingest_of(self._parts.engine, self.run_id)

    def _results(self) -> str:
        """Give the id under which the run's bulk results are kept."""
        ingest_id = self._ingest_id()
        if ingest_id is not None:
            return ingest_id
        if self.refresh().status.is_final:
            reason = f" ({self.record.status_reason}: {self.record.error})" if self.record.error else ""
            folder = self._parts.run_folder(self.run_id)
            left = f"; what its tool left is in {folder}" if folder.is_dir() else ""
            raise NotFoundError(f"run {self.run_id} has no results: it ended as {self.status.value}{reason}{left}")
        raise ConflictError(f"run {self.run_id} is {self.status.value}: its results are there once it has ended")


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame
