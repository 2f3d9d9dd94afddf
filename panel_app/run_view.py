"""What the page of a run tells, asked of the workspace at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ator_lib import Run, RunStatus
from panel_app.frames import records
from panel_app.run_results import Asked, Results, results_of

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

    from ator_lib import RunHandle, Workspace

EARLIER = 10
"""Runs of the same test that are offered as baselines."""


JUDGED = ("success", "failure")
"""Runs that ended by themselves."""


LOG_BYTES = 100_000
"""Of the end of the log."""


@dataclass(frozen=True, kw_only=True)
class RunView:
    """One look at a run.

    Parameters
    ----------
    names
        Under which it is pinned as a baseline.
    place
        Of a queued run in the queue.
    course
        Of a run without results: how it went, as a figure; or, if that is shown already, the later points.
    verdict
        ``RunVerdict``, if one is kept.
    baselines
        What it could be compared with: run id → label.
    overlaps
        Runs at the same location at the same time.
    """

    handle: RunHandle
    asked: Asked
    log: str
    names: list[str]
    place: dict[str, Any] | None = None
    course: Figure | pd.DataFrame | None = None
    verdict: Any = None
    baselines: Mapping[int, str] = field(default_factory=dict)
    overlaps: list[dict[str, Any]] = field(default_factory=list)
    results: Results | None = None

    @property
    def is_judged(self) -> bool:
        """Whether there is nothing left to be compared: it was, or nobody does that with such a run."""
        if self.results is None or not self.results.has_requests or self.run.status.value not in JUDGED:
            return True
        return self.verdict is not None and (bool(self.verdict.baseline_run_ids) or self.verdict.verdict is not None)

    @property
    def run(self) -> Run:
        """The registry's record."""
        return self.handle.record


def look(workspace: Workspace, handle: RunHandle, asked: Asked, known_s: float | None) -> RunView:
    """Ask the workspace; its course is known up to ``known_s`` seconds after its start, null for not at all."""
    run = handle.record
    pinned = records(workspace.baselines.list())
    shown: dict[str, Any] = {
        "handle": handle,
        "asked": asked,
        "log": handle.log(last_bytes=LOG_BYTES),
        "names": [baseline["name"] for baseline in pinned if baseline["run_id"] == run.run_id],
    }
    if not handle.has_results:
        course = handle.progress_figure() if known_s is None else handle.progress(since_s=known_s)
        return RunView(**shown, place=_place(workspace, run), course=course)
    return RunView(
        **shown,
        verdict=workspace.verdict(handle, judge=False),
        baselines=_baselines(workspace, run, pinned),
        overlaps=records(handle.overlaps()),
        results=results_of(workspace, handle, asked),
    )


def _place(workspace: Workspace, run: Run) -> dict[str, Any] | None:
    if run.status is not RunStatus.QUEUED:
        return None
    return next((place for place in records(workspace.queue(run.location)) if place["run_id"] == run.run_id), None)


def _baselines(workspace: Workspace, run: Run, pinned: list[dict[str, Any]]) -> dict[int, str]:
    """Offer what is pinned, and the last earlier runs of the test."""
    offered = {one["run_id"]: f"{one['name']} (run {one['run_id']})" for one in pinned}
    if run.test is not None and run.start_time is not None:
        like = workspace.history(
            test=run.test, status=["success", "failure"], until=run.start_time, order="-start_time", limit=EARLIER
        )
        earlier = records(like)
        offered = {one["run_id"]: _label(one) for one in earlier} | offered
    return {run_id: label for run_id, label in offered.items() if run_id != run.run_id}


def _label(run: dict[str, Any]) -> str:
    return ", ".join(filter(None, (f"run {run['run_id']}", run["stream"], run["environment"], run["status"])))
