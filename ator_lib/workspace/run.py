"""The handle on one run that users hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import pandas as pd
import pyarrow as pa

from ator_lib.analysis.run_data import RunData
from ator_lib.errors import ConflictError, NotFoundError
from ator_lib.figures.summary import SummaryTable
from ator_lib.model import IngestReport, Run, RunArtifacts
from ator_lib.results import index
from ator_lib.runners.base import LOG_FILE, artifacts_in
from ator_lib.schema import EXACT
from ator_lib.workspace.durations import seconds_of
from ator_lib.workspace.handle import BaseHandle
from ator_lib.workspace.overlaps import overlaps_frame
from ator_lib.workspace.part import Moment, RunPart, check_has_samples, part_of
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.shown import shown_frame
from ator_lib.workspace.sparklines import sparklines

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from ator_lib.workspace.comparable import ComparableRun
    from ator_lib.workspace.pictures import Kind


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
        return _frame(self._part(since, until).summaries())

    def summary_table(self) -> SummaryTable:
        """Show the summary in a notebook: the endpoint with most requests first, and how precise the figures are."""
        report, summaries = self.ingest_report(), self._part().summaries()
        if report is not None:
            return SummaryTable(summaries=summaries, computed="summaries" in report.computed)
        return SummaryTable(summaries=summaries, computed=set(summaries["precision"].to_pylist()) == {EXACT})

    def timeline(
        self, interval: str | float = "1s", *, since: Moment | None = None, until: Moment | None = None
    ) -> pd.DataFrame:
        """Give the TIMELINE rows for any interval ("1s", "500ms", "1min" or seconds), computed from the samples.

        ``since`` and ``until`` take a part of the run, as for ``summary``. Once the samples have expired, "1s" is the
        only interval, and those are given that start in the part.
        """
        return _frame(self._part(since, until).timeline(seconds_of(interval, "interval")))

    def sparklines(self, points: int = 40, metric: str = "p95_ms") -> pd.DataFrame:
        """Give the course of each endpoint in at most so many points: name, method, scope and ``values``, a list.

        Values come from a timeline that is kept, of the shortest intervals that make at most 300 of the run: requests
        are added up, a mean is weighted, and percentiles and the maximum are the highest of the point's intervals.
        Null is a time without a request.
        """
        return sparklines(self._parts.store.overview(self._results()), points, metric)

    def samples(self, columns: Sequence[str] | None = None, where: str | None = None) -> pd.DataFrame:
        """Give the SAMPLES rows; ``where`` is SQL over their columns, such as ``"duration_ms > 500"``.

        Raises
        ------
        NotFoundError
            They have expired: see ``ws.purge``.
        """
        ingest_id = self._results()
        check_has_samples(self._parts, self.run_id)
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

    def log(self, last_bytes: int | None = None) -> str:
        """Give what the tool printed, or about the last bytes of it; empty if the run was not executed here."""
        path = self._parts.run_folder(self.run_id) / LOG_FILE
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            if last_bytes is not None:
                file.seek(max(0, path.stat().st_size - last_bytes))
            return file.read().decode("utf-8", errors="replace")

    @property
    def artifacts(self) -> RunArtifacts | None:
        """The files that the tool left behind; null if the run was not executed here."""
        return artifacts_in(self._parts.run_folder(self.run_id))

    def overlaps(self) -> pd.DataFrame:
        """List the other runs that were at the same location meanwhile, by start, and for how long.

        ``overlap_s`` is the time that both ran, ``share`` that of this run's time. Without a location nobody knows of
        any: there is no row.
        """
        return overlaps_frame(self.record, self._parts.registry.overlapping(self.record) or ())

    def figure(
        self,
        kind: Kind = "timeline",
        *,
        interval: str | float | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        endpoints: Sequence[str] | None = None,
    ) -> Figure:
        """Draw the run with plotly.

        Parameters
        ----------
        kind
            ``timeline``: throughput and failures, users, latency over time; ``heatmap``: the p95 of each endpoint
            over time; ``endpoints``: p50, p95 and p99 of the endpoints side by side; ``latency``: latency by
            percentile; ``distribution``: how many requests took how long; ``errors``: failed requests by kind and
            endpoint.
        interval
            Of ``timeline`` and ``heatmap``, as for ``timeline()``; by default one that can be read: the shorter the
            part that is drawn, the finer.
        since, until
            A part of the run, as for ``summary``; not of ``distribution`` and ``errors``.
        endpoints
            Of ``distribution``: which to draw, such as ``["GET /search", "total"]``; by default the total.
        """
        from ator_lib.workspace.pictures import Pictures

        title = f"Run {self.run_id} · {self.record.test or 'no test name'}"
        interval_s = None if interval is None else seconds_of(interval, "interval")
        part = self._part(since, until)
        return Pictures(part=part, title=title, interval_s=interval_s, endpoints=endpoints).draw(kind)

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

    def _part(self, since: Moment | None = None, until: Moment | None = None) -> RunPart:
        return part_of(self._parts, self.run_id, self._results(), since, until)

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
