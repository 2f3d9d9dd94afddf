"""How the answer of a gate file shows itself in a notebook: its verdict, a row for each gate, what to know of it."""

from __future__ import annotations

from ator_lib.analysis.gates.result import GateResult
from ator_lib.figures import markup
from ator_lib.figures.markup import Column
from ator_lib.written import because


def gate_html(result: GateResult) -> str:
    """Show the gates in the order of the file."""
    answer = result.to_dict()
    return markup.shown(
        markup.banner(answer["verdict"], because(answer["headline"], answer["verdict"]), answer["title"]),
        markup.table(answer["rows"], _COLUMNS, name="Gates"),
        markup.notes(answer["notes"]),
    )


_COLUMNS = (
    Column(heading="Gate", write=lambda row: str(row["gate"])),
    Column(heading="Outcome", write=lambda row: markup.outcome(row["outcome"]), kind="words"),
    Column(heading="Found", write=lambda row: str(row["message"]), kind="text"),
)
