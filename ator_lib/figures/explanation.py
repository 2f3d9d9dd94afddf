"""How an explanation shows itself in a notebook: what moved, what contributes most, who else was there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ator_lib.analysis.explain.result import KINDS, MEASURES, ExplanationResult, Moved
from ator_lib.figures import markup
from ator_lib.figures.contributions import contributed, figure_of
from ator_lib.figures.markup import Column
from ator_lib.written import change, count, digits, duration, percent, sentence, text

_MOST = 10
"""Rows of a kind that are shown; the explanation's table has all."""

Record = Mapping[str, Any]


def explanation_html(result: ExplanationResult) -> str:
    """Show a table for each way of taking the first measure apart, then the location's other runs, then the limits."""
    return markup.shown(
        markup.paragraph(sentence(result.headline)),
        *_contributions(result),
        *_others(result),
        markup.notes(result.notes),
    )


def _contributions(result: ExplanationResult) -> Iterator[str]:
    for moved in result.moved[:1]:
        for kind, rows in result.of(moved.measure).items():
            name = sentence(f"{MEASURES[moved.measure][0]}, {KINDS[kind]}").rstrip(".")
            shown = f": {_MOST} of {count(len(rows))} rows" if len(rows) > _MOST else ""
            yield markup.paragraph(f"{name}{shown}")
            yield markup.table([row.to_dict() for row in rows[:_MOST]], _columns(moved), name=name)


def _columns(moved: Moved) -> list[Column]:
    return [
        Column(heading="Part", write=lambda row: str(row["part"])),
        Column(heading="Baseline", write=lambda row: figure_of(moved.measure, row["baseline"])),
        Column(heading="Contender", write=lambda row: figure_of(moved.measure, row["contender"])),
        Column(heading="Share of requests", write=_shares),
        Column(heading="Own change", write=lambda row: contributed(moved, row["own"])),
        Column(heading="Mix", write=lambda row: contributed(moved, row["mix"])),
        Column(heading="Contributes", write=lambda row: contributed(moved, row["contribution"])),
        Column(heading="Of the whole change", write=lambda row: change(row["share"])),
    ]


def _shares(row: Record) -> str:
    before, after = percent(row["baseline_share"]), percent(row["contender_share"])
    return before if before == after else f"{before} → {after}"


def _others(result: ExplanationResult) -> Iterator[str]:
    if result.overlaps:
        rows = [overlap.to_dict() for overlap in result.overlaps]
        yield markup.table(rows, _OVERLAPS, name="Other runs at the location meanwhile")
    if result.moves:
        rows = [{**vars(move), "change": move.change} for move in result.moves]
        yield markup.table(rows, _MOVES, name="Other tests at the location")


_OVERLAPS = [
    Column(heading="At the same location", write=lambda row: f"run {row['other_run_id']}"),
    Column(heading="Test", write=lambda row: text(row["test"]), kind="words"),
    Column(heading="Factor", write=lambda row: text(row["factor"])),
    Column(heading="Beside", write=lambda row: f"run {row['run_id']} ({row['side']})", kind="words"),
    Column(heading="For", write=lambda row: duration(row["seconds"])),
]

_MOVES = [
    Column(heading="Other test", write=lambda row: str(row["test"])),
    Column(heading="Before", write=lambda row: f"run {row['previous_run_id']}", kind="words"),
    Column(heading="p50 (ms)", write=lambda row: digits(row["before"])),
    Column(heading="After", write=lambda row: f"run {row['run_id']}", kind="words"),
    Column(heading="p50 (ms)", write=lambda row: digits(row["after"])),
    Column(heading="Change", write=lambda row: change(row["change"])),
]
