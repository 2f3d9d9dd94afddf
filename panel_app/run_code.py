"""The lines of Python that give in a notebook what the page of a run shows."""

from __future__ import annotations

from panel_app.code import call
from panel_app.run_results import CUT_VIEWS, METRICS, Asked, Results
from panel_app.run_view import RunView


def code_of(view: RunView) -> str:
    """Give the lines, with ``ws`` at hand."""
    lines = [call("run = ws.get", view.run.run_id)]
    if view.results is None:
        lines += ["queue = ws.queue()"] if view.place else []
        lines += ["progress = run.progress()", "course = run.progress_figure()"]
    else:
        lines += ["verdict = ws.verdict(run)", "overlaps = run.overlaps()", *_results(view.results, view.asked)]
    return "\n".join(lines)


def _results(results: Results, asked: Asked) -> list[str]:
    cases = ["cases = run.cases()"] if len(results.cases) else []
    if not results.has_requests:
        return cases or ["metrics = run.metrics()"]
    interval = asked.interval if asked.interval in results.intervals and not results.uncut else None
    return [
        call("summary = run.summary", **({} if results.uncut else asked.written_part)),
        call("over_time = run.figure", "timeline", interval=interval, **asked.written_part),
        "sparklines = run.sparklines()",
        _closer(results, asked),
        "errors = run.errors()",
        *cases,
    ]


def _closer(results: Results, asked: Asked) -> str:
    if asked.view == METRICS:
        return "metrics = run.metrics()"
    is_chosen = asked.view == "distribution" and asked.endpoint in results.labels
    part = asked.written_part if asked.view in CUT_VIEWS and not results.uncut else {}
    return call("closer = run.figure", asked.view, endpoints=[asked.endpoint] if is_chosen else None, **part)
