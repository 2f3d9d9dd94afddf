"""The charts of a run: how it did so far, how it went over time, and a closer look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from panel_app.chart_card import ChartCard
from panel_app.frames import records
from panel_app.markup import render
from panel_app.moments import as_text
from panel_app.run_results import CUT_VIEWS, VIEWS, Results
from panel_app.run_view import RunView

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Link = Callable[..., str]

MOST_METRICS = 50
COURSE_POINTS = 40


class CourseCard(ChartCard):
    """Shows how a run did so far, and adds what has come since."""

    def __init__(self) -> None:
        super().__init__(label="Throughput, users, p95 and errors so far")
        self._run_id: int | None = None
        self._known_s: list[float] = []
        self._columns: list[str] = []

    def known_s(self, run_id: int) -> float | None:
        """Say up to which second of a run its course is known; null if nothing is shown of it.

        It is that of the last point but one: what failed since the last one is told only beside that.
        """
        return self._known_s[0] if run_id == self._run_id and len(self._known_s) > 1 else None

    def follow(self, view: RunView | None) -> None:
        """Show the course of a run, or add to what is shown of it; nothing takes no room."""
        if view is None or view.course is None:
            self.display()
            self._run_id = None
        elif isinstance(view.course, pd.DataFrame):
            self._extend(view.course)
        elif view.course.data[0].x:
            self._run_id, self._known_s = view.run.run_id, list(view.course.data[0].x[-2:])
            self._columns = [trace.meta for trace in view.course.data]
            self.display(render("run_course.html"), view.course)

    def _extend(self, points: pd.DataFrame) -> None:
        newer = records(points[points["elapsed_s"] > self._known_s[-1]])
        if newer:
            elapsed_s = [point["elapsed_s"] for point in newer]
            values = [[point[column] for point in newer] for column in self._columns]
            self.chart.extend({"x": [elapsed_s] * len(values), "y": values})
            self._known_s = [*self._known_s, *elapsed_s][-2:]


def over_time(
    view: RunView, results: Results, link: Link, kept: Sequence[tuple[str, str]]
) -> tuple[str, Figure | None]:
    """Give the chart over time, and above it what can be chosen of it; neither where there is none to come back to.

    ``kept`` is the state that a choice of a part carries along.
    """
    if results.figure is None and not view.asked.part:
        return "", None
    since, until = view.asked.since or view.run.start_time, view.asked.until or view.run.end_time
    heading = render(
        "run_over_time.html",
        intervals=results.intervals,
        chosen=view.asked.interval if view.asked.interval in results.intervals else "",
        uncut=results.uncut,
        is_part=bool(view.asked.part),
        since=since,
        until=until,
        asked=(as_text(view.asked.since), as_text(view.asked.until)),
        known=(as_text(since), as_text(until)),
        kept=kept,
        link=link,
    )
    return heading, results.figure


def closer(view: RunView, results: Results, link: Link, kept: Sequence[tuple[str, str]]) -> tuple[str, Figure | None]:
    """Give the view that is wanted, and above it the others, and what of it is no figure.

    ``kept`` is the state that a choice of an endpoint carries along.
    """
    measured = None if results.metrics is None else _measured(results.metrics)
    if not results.has_requests and not measured:
        return "", None
    heading = render(
        "run_closer.html",
        views=VIEWS if results.has_requests else {},
        chosen=view.asked.view,
        is_whole=bool(view.asked.part) and (bool(results.uncut) or view.asked.view not in CUT_VIEWS),
        endpoints=results.labels if view.asked.view == "distribution" else [],
        endpoint=view.asked.endpoint,
        metrics=measured and measured[:MOST_METRICS],
        hidden=len(measured or ()) - MOST_METRICS,
        kept=kept,
        link=link,
    )
    return heading, results.closer


def _measured(metrics: pd.DataFrame) -> list[dict[str, Any]]:
    """Give a row per measurement of a source."""
    groups = metrics.sort_values("timestamp").groupby(["metric", "unit", "source"], dropna=False)["value"]
    rows = [
        {
            **dict(zip(("metric", "unit", "source"), names, strict=True)),
            "count": len(values),
            "lowest": values.min(),
            "highest": values.max(),
            "last": values.iloc[-1],
            "course": values.iloc[:: max(1, len(values) // COURSE_POINTS)].tolist(),
        }
        for names, values in groups
    ]
    return records(pd.DataFrame(rows))
