"""How a run, a comparison and its parts show themselves in a notebook: HTML made of plain records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ator_lib.analysis.metrics import METRICS, metric_label
from ator_lib.analysis.verdicts import Verdict
from ator_lib.analysis.wording import size
from ator_lib.figures import markup
from ator_lib.figures.markup import Cell, Column
from ator_lib.figures.rows import label_of
from ator_lib.model import LoadProfile, Run
from ator_lib.written import (
    because,
    change,
    count,
    duration,
    interval,
    is_missing,
    measured,
    moment,
    runs,
    sentence,
    text,
)

Record = Mapping[str, Any]

_MOST_LOUD = 12
"""Rows that a comparison shows of itself; its table has all."""
_CLEAR = (Verdict.REGRESSED, Verdict.IMPROVED)


def comparison_html(answer: Record) -> str:
    """Show a comparison (``ComparisonResult.to_dict``): verdict, what speaks for it, checks that say no, limits."""
    sides = " against ".join(
        runs({run["run_id"]: run["label"] for run in answer[side]}) for side in ("contender", "baseline")
    )
    loud = _loudest(answer["rows"])
    failed = [check for check in answer["checks"] if check["ok"] is False]
    return markup.shown(
        markup.banner(answer["verdict"], because(answer["headline"], answer["verdict"]), sentence(sides).rstrip(".")),
        _changes(loud),
        markup.paragraph(_rule(answer["options"], len(answer["rows"]) - len(loud))),
        _checks(failed) if failed else "",
        markup.paragraph(_checked(answer["checks"])),
        markup.notes(answer["notes"]),
    )


def changes_html(rows: Sequence[Record]) -> str:
    """Show rows of a comparison, each with its interval and verdict."""
    return markup.shown(_changes(rows))


def checks_html(checks: Sequence[Record]) -> str:
    """Show whether runs may be compared: a row per check with the facts of both sides."""
    return markup.shown(_checks(checks))


def side_by_side_html(comparisons: Sequence[Record]) -> str:
    """Show comparisons of several runs with the same baseline, a row per run: ``run_id`` and what ``to_dict`` has."""
    columns = [
        Column(heading="Run", write=lambda row: f"run {row['run_id']}"),
        Column(heading="Verdict", write=lambda row: markup.outcome(row["verdict"]), kind="words"),
        Column(heading="What speaks for it", write=lambda row: because(row["headline"], row["verdict"]), kind="text"),
    ]
    return markup.shown(markup.table(comparisons, columns, name="Runs side by side"))


def endpoints_html(endpoints: Sequence[Record]) -> str:
    """Show the verdict of every endpoint."""
    columns = [_ENDPOINT, Column(heading="Verdict", write=lambda row: markup.outcome(row["verdict"]), kind="words")]
    return markup.shown(markup.table(endpoints, columns, name="Verdicts"))


def errors_html(errors: Sequence[Record]) -> str:
    """Show ``schema.ERRORS``: failed requests that are alike, the most frequent first."""
    return markup.shown(markup.table(errors, ERROR_COLUMNS, name="Errors"))


def run_html(run: Run) -> str:
    """Show what the registry knows of a run."""
    title = f"Run {run.run_id} · {run.test or 'no test name'}"
    return markup.shown(markup.banner(run.status.value, ended(run), title), markup.facts(_facts(run)))


def ended(run: Run) -> str:
    """Say in sentences why a run ended; empty where nobody said it."""
    reason = (run.status_reason or "").replace("_", " ")
    return " ".join(sentence(part) for part in (reason, run.error) if part)


_ENDPOINT = Column(heading="Endpoint", write=label_of)
ERROR_COLUMNS = (
    _ENDPOINT,
    Column(heading="Requests", write=lambda row: count(row["requests"])),
    Column(heading="Status code", write=lambda row: count(row["status_code"])),
    Column(heading="Error", write=lambda row: text(row["error"]), kind="text"),
)


def _loudest(rows: Sequence[Record]) -> list[Record]:
    """Choose the clearest of the endpoints' rows that changed, then those of the total, and of what is common."""
    whole = [row for row in rows if row["scope"] != "name"]
    changed = [row for row in rows if row["scope"] == "name" and row["verdict"] in _CLEAR]
    changed.sort(key=lambda row: (row["verdict"] == Verdict.IMPROVED, row["p_value"] or 0.0))
    return changed[:_MOST_LOUD] + whole


def _changes(rows: Sequence[Record]) -> str:
    return markup.table(rows, change_columns(rows), name="Changes")


def change_columns(rows: Sequence[Record]) -> list[Column]:
    """Give the columns of a comparison's rows."""
    known = [column for name, column in _IF_KNOWN.items() if any(row[name] is not None for row in rows)]
    return [
        _ENDPOINT,
        Column(heading="Metric", write=lambda row: metric_label(row["metric"]), kind="words"),
        Column(heading="Verdict", write=lambda row: markup.outcome(row["verdict"]), kind="words"),
        Column(heading="Change", write=judged_change),
        Column(heading="Interval", write=lambda row: interval(row["low"], row["high"])),
        Column(heading="Baseline", write=lambda row: measured(row["metric"], row["baseline"])),
        Column(heading="Contender", write=lambda row: measured(row["metric"], row["contender"])),
        *known,
    ]


def judged_change(row: Record) -> str:
    """Write the change that a row of a comparison is judged by."""
    return change(row["effect"], unit=_unit(row))


def _unit(row: Record) -> str:
    return "points" if row["interval_of"] == "difference" else "%"


_IF_KNOWN = {
    "common": Column(heading="Beside the common shift of", write=lambda row: change(row["common"], unit=_unit(row))),
    "detectable": Column(heading="Could be seen from", write=lambda row: _detectable(row)),
    "runs_needed": Column(heading="Runs a side to settle it", write=lambda row: count(row["runs_needed"])),
    "reason": Column(heading="Remark", write=lambda row: text(row["reason"]), kind="text"),
}
"""Columns that stand only where there is something to say in them."""


def _detectable(row: Record) -> str:
    return text(None) if is_missing(row["detectable"]) else size(row["detectable"], unit=_unit(row))


def _rule(options: Record, left_out: int) -> str:
    """Say by what rule the rows were judged."""
    groups: dict[str, list[str]] = {}
    for whose, least in options["minimum_effect"].items():  # of a metric, or of a metric "of" an endpoint
        metric, of, endpoint = whose.partition(" of ")
        point = "percentage point" if least == 0.01 else "percentage points"
        written = f"{100 * least:g} {'%' if METRICS[metric].relative else point}"
        groups.setdefault(written, []).append(f"{metric_label(metric)}{of}{endpoint}")
    counts = ", ".join(f"{written} ({', '.join(names)})" for written, names in groups.items())
    more = f" {left_out:,} more rows are in the table." if left_out else ""
    return (
        f"Intervals hold {100 * options['confidence']:g} %. A change counts from {counts} on, where at most "
        f"{100 * options['false_discovery_rate']:g} % of the alarms are expected to be false.{more}"
    )


def _checks(checks: Sequence[Record]) -> str:
    """Put those that say no on top, and those that could not tell at the end."""
    ranks = {False: 0, True: 1, None: 2}
    return markup.table(sorted(checks, key=lambda check: ranks[check["ok"]]), CHECK_COLUMNS, name="Checks")


def _passed(check: Record) -> Cell:
    if check["ok"] is None:
        return markup.outcome("unknown")
    failed = "waived" if check["waived"] else "failed" if check["blocking"] else "differs"
    return markup.outcome("passed" if check["ok"] else failed)


CHECK_COLUMNS = [
    Column(heading="Check", write=lambda check: str(check["name"])),
    Column(heading="Outcome", write=_passed, kind="words"),
    Column(heading="Baseline", write=lambda check: text(check["baseline"]), kind="fact"),
    Column(heading="Contender", write=lambda check: text(check["contender"]), kind="fact"),
    Column(heading="Remark", write=lambda check: str(check["message"]), kind="text"),
]


def _checked(checks: Sequence[Record]) -> str:
    passed, unknown = (sum(check["ok"] is outcome for check in checks) for outcome in (True, None))
    return f"May these runs be compared? {passed} of {len(checks)} checks passed, {unknown} had too little to go by."


def _facts(run: Run) -> dict[str, str]:
    known = {
        "Stream": run.stream,
        "Environment": run.environment,
        "Location": run.location and f"{run.location}, factor {run.factor or 0}",
        "Started": run.start_time and f"{moment(run.start_time)} UTC",
        "Duration": None if run.duration_s is None else duration(run.duration_s),
        "Load": run.load_profile and _load(run.load_profile),
        "Tool": run.tool,
        "Triggered by": run.triggered_by,
    }
    return {name: fact for name, fact in known.items() if fact}


def _load(planned: LoadProfile) -> str:
    parts = {
        "{:,} users": planned.users,
        "{:g} started per second": planned.spawn_rate,
        "for {:g} s": planned.run_time_s,
        "{} processes": planned.processes if planned.processes != 1 else None,
        "against {}": planned.host,
    }
    known = ", ".join(words.format(value) for words, value in parts.items() if value is not None)
    return f"{known} ({planned.model} model)" if known else f"{planned.model} model"
