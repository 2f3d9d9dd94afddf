"""The lines of Python that make a comparison as the page shows it."""

from __future__ import annotations

from panel_app.code import call
from panel_app.compare_table import Filters
from panel_app.compare_view import Asked


def code_of(asked: Asked, filters: Filters) -> str:
    """Write the comparison with its options, its tables as they are filtered, and its figures."""
    sides = [list(asked.runs) if len(asked.runs) > 1 or asked.each else asked.runs[0]]
    sides += [] if asked.against is None else [asked.against]
    name = "each" if asked.each else "comparison"
    made = call("ws.side_by_side" if asked.each else "ws.compare", *sides, **asked.options)
    lines = [f"{name} = {made}", *(_each(asked) if asked.each else _whole(asked))]
    return "\n".join([*lines, f"table = {name}.table", *_filtered(filters), "table"])


def _each(asked: Asked) -> list[str]:
    return ["each.verdicts", call("each.figure", asked.metric)]


def _whole(asked: Asked) -> list[str]:
    lines = ["comparison.headline", "comparison.checks", "comparison.endpoints", "comparison.figure()"]
    lines.append(call("comparison.figure", "distributions", endpoints=list(asked.endpoints) or None))
    if asked.explain:
        lines += ["explanation = comparison.explain()", call("explanation.figure", *filter(None, [asked.measure]))]
        lines.append("explanation.table")
    return lines


def _filtered(filters: Filters) -> list[str]:
    lines = []
    if filters.metric:
        lines.append(f"table = table[table.metric == {filters.metric!r}]")
        if filters.verdict:
            lines.append(f"table = table[table.verdict == {filters.verdict!r}]")
    if filters.search:
        lines.append(f"table = table[table.name.str.contains({filters.search!r}, case=False, regex=False, na=False)]")
    return lines
