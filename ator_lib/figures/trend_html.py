"""How a trend shows itself in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ator_lib.analysis.trend.result import TrendResult
from ator_lib.figures import markup
from ator_lib.figures.markup import Column
from ator_lib.written import because, change, count, interval, is_missing, measured, sentence, text

_MOST_CHANGES = 20
"""Changes that a trend shows of itself, the latest; ``changes`` has all."""


def trend_html(result: TrendResult) -> str:
    """Show a trend: what its headline says, the latest changes, and how far it carries."""
    query = result.query
    title = f"{query.label} of {query.tests}, {result.runs.num_rows:,} runs"
    word = str(result.verdict or "changed")
    latest = [one.to_row() for one in reversed(result.changes[-_MOST_CHANGES:])]
    left_out = len(result.changes) - len(latest)
    more = f"{left_out:,} earlier changes are in the table of changes." if left_out else ""
    return markup.shown(
        markup.banner(word, because(result.headline, word), title),
        _table(latest, query.metric) if latest else "",
        markup.paragraph(more) if more else "",
        markup.notes(result.notes),
    )


def changes_html(rows: Sequence[Mapping[str, Any]], metric: str) -> str:
    """Show changes of levels, each with its interval and with what differs between the runs around it."""
    return markup.shown(_table(rows, metric))


def _table(rows: Sequence[Mapping[str, Any]], metric: str) -> str:
    return markup.table(rows, level_columns(metric), name="Changes of levels")


def level_columns(metric: str) -> list[Column]:
    """Give the columns of changes of levels."""
    return [
        Column(heading="Series", write=lambda row: str(row["series"])),
        Column(heading="From run", write=lambda row: count(row["run_id"])),
        Column(heading="Started (UTC)", write=_started, kind="words"),
        Column(heading="Before", write=lambda row: measured(metric, row["before"])),
        Column(heading="After", write=lambda row: measured(metric, row["after"])),
        Column(heading="Change", write=lambda row: _change(row, metric)),
        Column(heading="Interval", write=lambda row: interval(row["low"], row["high"])),
        Column(heading="Verdict", write=lambda row: markup.outcome(row["verdict"]), kind="words"),
        Column(heading="Seems to be", write=lambda row: str(row["kind"]), kind="words"),
        Column(heading="What differs from the run before", write=_what, kind="text"),
    ]


def _started(row: Mapping[str, Any]) -> str:
    started = row["started_at"]
    return text(None) if is_missing(started) else f"{started:%Y-%m-%d %H:%M}"


def _change(row: Mapping[str, Any], metric: str) -> str:
    """Write the change; of an error rate the difference."""
    if metric == "error_rate":
        return change(row["after"] - row["before"], unit="points")
    return change(row["change"])


def _what(row: Mapping[str, Any]) -> str:
    told = [] if is_missing(row["text"]) else [sentence(row["text"])]
    return " ".join([*told, row["what"]]) or "nothing that is known"
