"""What a run measured, as its page shows it: all of the run, or the part of its time that somebody zoomed into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from ator_lib import NotFoundError
from panel_app.frames import records
from panel_app.moments import as_text
from panel_app.shared import Shared, shared_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from ator_lib import IngestReport, RunHandle, Workspace

Read = TypeVar("Read")

INTERVALS = MappingProxyType(
    {"1s": "1 s", "5s": "5 s", "10s": "10 s", "30s": "30 s", "1min": "1 min", "5min": "5 min", "15min": "15 min"}
)
"""What the chart over time can be cut into: what ``RunHandle.figure`` is told → label."""

FEWEST_POINTS, MOST_POINTS = 3, 3600
"""Intervals that give fewer show nothing, and those of more cannot be told apart."""

METRICS = "metrics"

VIEWS = MappingProxyType(
    {"distribution": "Distribution", "heatmap": "Heatmap", "endpoints": "Endpoints", METRICS: "Measurements"}
)
"""Closer looks at a run, of which one is read at a time: value in the address → label."""

CUT_VIEWS = ("heatmap", "endpoints")
"""Those that can be of a part of the run."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What of a run is looked at.

    Parameters
    ----------
    since, until
        A part of its time; null is open.
    interval
        Of the chart over time; empty is chosen by the length of what is shown.
    endpoint
        Whose distribution; empty is that of all requests.
    """

    since: datetime | None = None
    until: datetime | None = None
    interval: str = ""
    view: str = "distribution"
    endpoint: str = ""

    @property
    def part(self) -> dict[str, Any]:
        """The part that is asked for, as the library is told it; empty for all of the run."""
        return {} if self.since is None and self.until is None else {"since": self.since, "until": self.until}

    @property
    def written_part(self) -> dict[str, Any]:
        """The same as text."""
        return {name: as_text(time) or None for name, time in self.part.items()}


@dataclass(frozen=True, kw_only=True)
class Results:
    """What was measured.

    Parameters
    ----------
    summary, figure
        Of the part that is asked for; the summary is of all of the run where there is a reason in ``uncut``, and the
        figure null where nothing is known over time.
    sparklines
        (name, method) → the p95 over the run.
    intervals
        What ``figure`` can be cut into, as ``INTERVALS``.
    uncut
        Why the figures are not those of a part, or of other intervals; empty if they can be.
    closer
        The view that is wanted, if that is a figure.
    metrics
        METRICS rows, if these are wanted, or there is nothing else.
    """

    summary: pd.DataFrame
    sparklines: Mapping[tuple[str | None, str | None], list[float | None]]
    figure: Figure | None
    intervals: Mapping[str, str]
    uncut: str
    errors: pd.DataFrame
    cases: pd.DataFrame
    closer: Figure | None
    metrics: pd.DataFrame | None
    report: IngestReport | None

    @property
    def has_requests(self) -> bool:
        """Whether there is anything but cases and measurements."""
        return bool(len(self.summary))

    @cached_property
    def labels(self) -> list[str]:
        """The endpoints, in order."""
        return labels_of(self.summary)

    @cached_property
    def total(self) -> dict[str, Any] | None:
        """The figures of all requests; null if there are none."""
        return next(iter(records(self.summary[self.summary["scope"] == "total"])), None)


def label_of(row: Mapping[str, Any]) -> str:
    """Name an endpoint for people."""
    return " ".join(filter(None, (row["method"], row["name"])))


def labels_of(summary: pd.DataFrame) -> list[str]:
    """Name the endpoints of a summary, in order."""
    return sorted(label_of(row) for row in records(summary[summary["scope"] == "name"]))


def results_of(workspace: Workspace, handle: RunHandle, asked: Asked) -> Results:
    """Read the results of a run that has some."""
    return _Reader(shared_of(workspace), handle, asked).results()


class _Reader:
    """Reads one run. Results never change, so that all who look at them share what was read."""

    def __init__(self, shared: Shared, handle: RunHandle, asked: Asked) -> None:
        self._shared = shared
        self._handle = handle
        self._asked = asked

    def results(self) -> Results:
        whole = self._once(self._handle.summary, "summary")
        with ThreadPoolExecutor(max_workers=1) as beside:  # of a part both are computed, which takes a while
            drawn = beside.submit(self._over_time)
            summary, uncut = self._cut(whole)
            figure, uncut_figure = drawn.result()
        return Results(
            summary=summary,
            sparklines=self._once(self._sparklines, "sparklines") if len(whole) else {},
            figure=figure if figure.data else None,
            intervals=self._intervals(),
            uncut=uncut or uncut_figure,
            errors=self._once(self._handle.errors, "errors"),
            cases=self._handle.cases(),
            closer=self._closer(whole) if len(whole) and self._asked.view != METRICS else None,
            metrics=None if len(whole) and self._asked.view != METRICS else self._handle.metrics(),
            report=self._report(),
        )

    def _once(self, read: Callable[[], Read], *what: object) -> Read:
        read_once: Read = self._shared.get((self._handle.run_id, *what), read)
        return read_once

    def _report(self) -> IngestReport | None:
        return self._once(self._handle.ingest_report, "report")

    def _cut(self, whole: pd.DataFrame) -> tuple[pd.DataFrame, str]:
        """Give the summary of the part that is asked for, or all of it with the reason why."""
        part = self._asked.part
        if not part or not len(whole):
            return whole, ""
        try:
            return self._once(lambda: self._handle.summary(**part), "summary", *part.values()), ""
        except NotFoundError as error:  # there are no samples any more, or never were
            return whole, str(error)

    # --- over time ---

    def _over_time(self) -> tuple[Figure, str]:
        chosen = self._asked.interval if self._asked.interval in self._intervals() else None
        try:
            return self._timeline(chosen), ""
        except NotFoundError as error:  # as above: the intervals are those that are left
            return self._timeline(None), str(error)

    def _timeline(self, interval: str | None) -> Figure:
        part = self._asked.part
        return self._once(
            lambda: self._handle.figure("timeline", interval=interval, **part), "timeline", interval, *part.values()
        )

    def _intervals(self) -> dict[str, str]:
        """Give those that suit the length of what is shown."""
        length_s = self._length_s()
        if length_s is None:
            return {}
        points = {interval: length_s / pd.Timedelta(interval).total_seconds() for interval in INTERVALS}
        return {interval: INTERVALS[interval] for interval, n in points.items() if FEWEST_POINTS <= n <= MOST_POINTS}

    def _length_s(self) -> float | None:
        report, run = self._report(), self._handle.record
        start = self._asked.since or (report and report.started_at) or run.start_time
        end = self._asked.until or (report and report.ended_at) or run.end_time
        return None if start is None or end is None else (end - start).total_seconds()

    def _sparklines(self) -> dict[tuple[str | None, str | None], list[float | None]]:
        return {(row["name"], row["method"]): row["values"] for row in records(self._handle.sparklines())}

    # --- the view that is wanted ---

    def _closer(self, whole: pd.DataFrame) -> Figure:
        view: Any = self._asked.view
        endpoint = self._asked.endpoint
        if view == "distribution" and endpoint in labels_of(whole):
            return self._once(lambda: self._handle.figure(view, endpoints=[endpoint]), view, endpoint)
        part = self._asked.part if view in CUT_VIEWS else {}
        try:
            return self._once(lambda: self._handle.figure(view, **part), view, *part.values())
        except NotFoundError:  # as above
            return self._once(lambda: self._handle.figure(view), view)
