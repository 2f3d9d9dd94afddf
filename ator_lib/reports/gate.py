"""The answer of a gate file for those who wait for it: a build server, and the readers of a pull request."""

from __future__ import annotations

from collections.abc import Mapping

from ator_lib.analysis.gates.result import GateResult, GateRow
from ator_lib.reports import markdown
from ator_lib.reports.junit import JUnitCase, junit_xml
from ator_lib.written import cut

_MOST_ROWS = 50
_LONGEST_CELL = 300
"""Characters: the whole summary has to fit into a comment, of 65,536 at GitHub."""

_SIGNS = {"passed": "✔ passed", "failed": "✘ failed", "unknown": "? unknown", "waived": "– waived"}


def gate_junit(result: GateResult, properties: Mapping[str, object]) -> str:
    """Write JUnit XML with a case per gate; ``properties`` say which run it is of."""
    cases = [
        JUnitCase(
            name=row.gate,
            classname="ator.gate",
            outcome=_junit_outcome(result, row),
            message=row.message,
            details="" if row.endpoint is None else f"endpoint: {row.endpoint}",
        )
        for row in result.rows
    ]
    return junit_xml(result.title, cases, {**properties, "verdict": result.verdict})


def _junit_outcome(result: GateResult, row: GateRow) -> str:
    if row.outcome in ("passed", "failed"):
        return str(row.outcome)
    return "error" if result.stops(row) else "skipped"


def gate_markdown(result: GateResult) -> str:
    """Write a table of the gates for a pull request: those that need eyes first, and of many no others."""
    shown = [
        [cut(row.gate, _LONGEST_CELL), _SIGNS[row.outcome], cut(row.message, _LONGEST_CELL)]
        for row in result.loudest_first()[:_MOST_ROWS]
    ]
    more = len(result.rows) - len(shown)
    parts = [
        f"### {markdown.text(result.title)}: {result.verdict}",
        markdown.table(("Gate", "Outcome", "Found"), shown),
        *([f"… and {more:,} more gates"] if more else []),
        *(f"_{markdown.text(note)}_" for note in result.notes),
    ]
    return "\n\n".join(parts) + "\n"
