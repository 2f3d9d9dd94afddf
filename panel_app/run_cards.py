"""The lower part of a run's page: what failed, what was tested, who ran beside it, what it left behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pandas as pd

from panel_app.frames import records
from panel_app.links import run_link
from panel_app.markup import render
from panel_app.run_view import LOG_BYTES, RunView

if TYPE_CHECKING:
    from ator_lib import RunHandle

LOG_LINES = 200
MOST_ERRORS = 20
MOST_CASES = 500
MOST_OVERLAPS = 20
MOST_FILES = 200

_RANKS = {"failed": 0, "error": 1, "skipped": 2, "passed": 3}
"""The status of cases, in the order in which they are shown."""


def cards(view: RunView) -> dict[str, str]:
    """Give the HTML of each card; empty where there is nothing to say."""
    run, results = view.run, view.results
    has_requests = results is not None and results.has_requests
    return {
        "queue": render("run_queued.html", place=view.place, run_link=run_link) if view.place else "",
        "live": render("run_live.html", progress=run.progress) if results is None and run.progress else "",
        "errors": _errors(view) if has_requests else "",
        "cases": _cases(results.cases) if results and len(results.cases) else "",
        "overlaps": render(
            "run_overlaps.html",
            overlaps=view.overlaps,
            location=run.location,
            most=MOST_OVERLAPS,
            run_link=run_link,
        ),
        "artifacts": _artifacts(view.handle),
        "ingest": render("report.html", lines=results.report.lines()) if results and results.report else "",
        "log": _log(view.log),
    }


def _errors(view: RunView) -> str:
    results = view.results
    assert results is not None  # noqa: S101 – asked for those that have some
    return render(
        "errors.html",
        errors=records(results.errors.head(MOST_ERRORS)),
        hidden=max(0, len(results.errors) - MOST_ERRORS),
        failures=(results.total or {}).get("failures"),
        is_part=bool(view.asked.part) and not results.uncut,
    )


def _cases(cases: pd.DataFrame) -> str:
    """Show those first that did not pass, and as many of all as a browser shows with ease."""
    counts = cases["status"].value_counts()
    in_order = cases.sort_values("status", key=lambda status: status.map(_RANKS), kind="stable")
    return render(
        "cases.html",
        counts={status: int(counts[status]) for status in in_order["status"].unique()},
        cases=records(in_order.head(MOST_CASES)),
        hidden=max(0, len(cases) - MOST_CASES),
    )


def _artifacts(handle: RunHandle) -> str:
    left = handle.artifacts
    if left is None:
        return ""
    named = [("tool.log", left.log)] if left.log else []
    named += [("/".join(path.relative_to(left.folder).parts[1:]), path) for path in left.files]
    files = [_file(handle.run_id, name, path) for name, path in named[:MOST_FILES] if path.is_file()]
    return render("run_artifacts.html", files=files, hidden=max(0, len(named) - MOST_FILES))


def _file(run_id: int, name: str, path: Path) -> dict[str, Any]:
    shown = name.encode(errors="surrogateescape").decode(errors="replace")  # names of files need not be Unicode
    return {"name": shown, "target": f"/runs/{run_id}/artifacts/{quote(shown)}", "bytes": path.stat().st_size}


def _log(text: str) -> str:
    lines = text.rstrip().splitlines()
    shown = "\n".join(lines[-LOG_LINES:])
    cut = len(lines) > LOG_LINES or len(text.encode()) >= LOG_BYTES
    return render("log.html", lines=shown, cut=cut, count=min(len(lines), LOG_LINES))
