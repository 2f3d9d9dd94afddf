"""The upper part of a run's page: what it was, what can be done with it, its verdict, and its figures at a glance."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from ator_lib import LoadProfile, Run, RunStatus
from ator_lib.written import count, decimal, duration
from panel_app.links import COMPARE, RUNS, TRENDS, address, compare_link, run_link
from panel_app.markup import render
from panel_app.page import Visitor
from panel_app.run_view import RunView

_OWN = frozenset({"tags", "supervisor"})
"""Kept among a run's attributes, and shown elsewhere or of no use to people."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A button that asks one of the server's doors for a change."""

    label: str
    door: str
    done: str
    method: str = "POST"
    body: str = ""
    question: str = ""
    is_danger: bool = False


@dataclass(frozen=True, kw_only=True)
class Action:
    """A link that leads on, or to a file."""

    label: str
    target: str
    is_file: bool = False


def head_html(view: RunView, visitor: Visitor) -> str:
    """Say which run it is, with what this visitor may do."""
    run = view.run
    known = (run.stream, run.environment, run.location, run.tool, _planned(run.load_profile))
    return render(
        "run.html",
        run=run,
        runs=RUNS,
        subline=[said for said in known if said],
        stopping=_is_stopping(run),
        synthetic=bool(run.attributes.get("synthetic")),
        actions=list(_actions(view)),
        changes=list(_changes(view)) if visitor.may_run else [],
    )


def facts_html(view: RunView) -> str:
    """Show all that is known of the run but its results."""
    run = view.run
    return render(
        "run_facts.html",
        run=run,
        names=view.names,
        load=_planned(run.load_profile),
        target=run.load_profile.host if run.load_profile else None,
        dashboard=_web_link(run.dashboard_url),
        tag_link=lambda tag: address(RUNS, tag=tag),
        attributes=[(name, _text(value)) for name, value in sorted(run.attributes.items()) if name not in _OWN],
    )


def _is_stopping(run: Run) -> bool:
    return run.stop_requested_at is not None and not run.status.is_final


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _planned(load: LoadProfile | None) -> str | None:
    if load is None:
        return None
    parts = [
        f"{load.users} users" if load.users is not None else None,
        f"{decimal(load.spawn_rate)}/s spawned" if load.spawn_rate is not None else None,
        f"for {duration(load.run_time_s)}" if load.run_time_s is not None else None,
        f"{load.processes} processes" if (load.processes or 1) > 1 else None,
    ]
    return ", ".join(part for part in parts if part) or None


def _web_link(url: str | None) -> str | None:
    """Return the address if a browser may be sent there; no ``javascript:``."""
    return url if url and url.lower().startswith(("http://", "https://")) else None


# --- what can be done ---


def _actions(view: RunView) -> Iterator[Action]:
    run = view.run
    if view.results is not None:
        yield Action(label="Compare", target=_comparison(view))
    if run.test:
        yield Action(label="Trend of this test", target=address(TRENDS, test=run.test))
    if view.results is not None:
        yield Action(label="Report", target=f"/runs/{run.run_id}/report", is_file=True)


def _comparison(view: RunView) -> str:
    return compare_link([view.run.run_id], view.verdict.baseline_run_ids if view.verdict else ())


def _changes(view: RunView) -> Iterator[Change]:
    run = view.run
    if not run.status.is_final and not _is_stopping(run):
        yield _stop(run)
    if view.results is not None and run.test and run.test not in view.names:
        yield Change(
            label="Pin as the test's baseline",
            door=_baseline_door(run.test),
            method="PUT",
            body=json.dumps({"run_id": run.run_id}),
            question=f"Compare later runs of {run.test} with run {run.run_id}, until another one is pinned?",
            done="Pinned: later runs of the test are compared with this one.",
        )
    for name in view.names:
        yield Change(label=f"Unpin {name}", door=_baseline_door(name), method="DELETE", done=f"{name} is unpinned.")


def _baseline_door(name: str) -> str:
    return f"/baselines/{quote(name, safe='', errors='replace')}"


def _stop(run: Run) -> Change:
    change = partial(Change, door="/cancel", body=json.dumps({"run_id": run.run_id}), is_danger=True)
    if run.status is RunStatus.QUEUED:
        question = f"Take run {run.run_id} out of the queue?"
        return change(label="Cancel", question=question, done="The run was taken out of the queue.")
    question = f"Stop run {run.run_id}? What it has measured so far is kept."
    return change(label="Stop the run", question=question, done="The run is asked to stop.")


# --- its verdict ---


def verdict_html(view: RunView) -> str:
    """Show what the run is judged to be, and what else it could be compared with; nothing where that is nothing."""
    if view.results is None or not (view.results.has_requests or view.baselines):
        return ""
    return render(
        "run_verdict.html",
        run_id=view.run.run_id,
        judged=view.verdict,
        reason=_not_judged(view),
        baselines=view.baselines,
        compare=COMPARE,
        comparison=_comparison(view),
        run_link=run_link,
    )


def _not_judged(view: RunView) -> str:
    if not view.is_judged:
        return "Comparing with its baseline …"
    if view.results is not None and not view.results.has_requests:
        return "Runs without requests are not judged."
    return "Only runs that ended by themselves are judged."


# --- its figures ---


def tiles_html(view: RunView, link: Callable[..., str]) -> str:
    """Show the figures of all requests, of the part that is looked at or so far, or why there are none."""
    run, results = view.run, view.results
    planned_s = run.load_profile.run_time_s if run.load_profile else None
    progress = run.progress if results is None else None
    done = min(1.0, progress.elapsed_s / planned_s) if progress and planned_s else 0.0
    return render(
        "run_tiles.html",
        zoomed=bool(view.asked.part) and results is not None and results.has_requests,
        uncut=results.uncut if results else "",
        since=view.asked.since or run.start_time,
        until=view.asked.until or run.end_time,
        whole=link(since="", until=""),
        total=results.total if results else None,
        progress=progress,
        planned_s=planned_s,
        percent=round(100 * done, 1),
        waiting=_waiting(view),
    )


def _waiting(view: RunView) -> dict[str, str] | None:
    """Say what stands where the results would stand."""
    results, status = view.results, view.run.status
    if results is not None:
        return _nothing_of(view)
    if status is RunStatus.QUEUED:
        return None if view.place else {"title": "Waiting in the queue.", "advice": "It starts when there is room."}
    if status is RunStatus.RUNNING:
        return (
            None
            if view.run.progress
            else {"title": "The run is running.", "advice": "Its results appear here by themselves when it has ended."}
        )
    return {
        "title": "This run has no results.",
        "advice": "Nothing was measured or handed in. Execute a load with “ator run”, hand its files in with "
        f"“ator ingest --run {view.run.run_id}”, or try “ator demo”.",
    }


def _nothing_of(view: RunView) -> dict[str, str] | None:
    """Say what a run has that has no requests, or none in the part that is looked at."""
    results = view.results
    assert results is not None  # noqa: S101 – asked for those that have some
    if results.has_requests:
        if results.total and results.total["requests"]:
            return None
        return {"title": "No request started then.", "advice": "Choose another part, or look at the whole run."}
    if len(results.cases):
        return None
    if results.metrics is None or not len(results.metrics):
        return {"title": "This run has results without a row.", "advice": "See below what was read."}
    measured = f"There are {count(len(results.metrics))} values."
    return {"title": "This run has measurements only, and no requests.", "advice": measured}
