"""Gates as users hold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from ator_lib.errors import ExitCode, NotFoundError, UsageError
from ator_lib.figures import markup
from ator_lib.figures.format import cut
from ator_lib.reports import markdown
from ator_lib.reports.junit import JUnitCase, junit_xml

if TYPE_CHECKING:
    from ator_lib.analysis.gates.document import GateFile
    from ator_lib.analysis.gates.result import GateResult, GateRow
    from ator_lib.workspace.comparison import Comparison
    from ator_lib.workspace.parts import Parts
    from ator_lib.workspace.run import RunHandle

AnyGates: TypeAlias = str | Path | Mapping[str, Any] | Sequence[str | Mapping[str, Any]]
"""A gate file by its path, or what would stand in it: all of it, or the list of its gates."""

MOST_ROWS = 50
"""Gates in a pull request's summary: those that passed are left out first."""

LONGEST_CELL = 300
"""Characters of a cell there: all of it has to fit into a comment."""


class Gate:
    """The answer to "may this go on?". Shows itself in a notebook."""

    def __init__(self, result: GateResult, properties: Mapping[str, object]) -> None:
        self._result = result
        self._properties = properties

    @property
    def verdict(self) -> str:
        """``passed``, ``failed`` or ``no verdict``: a gate that could not be looked at never passes."""
        return self._result.verdict

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return self._result.headline

    @property
    def exit_code(self) -> ExitCode:
        """0, 1 if a gate failed, 4 if one has no verdict; not enough evidence is 0, unless it is strict."""
        return self._result.exit_code

    @property
    def rows(self) -> tuple[GateRow, ...]:
        """A row per gate, in the order of the file."""
        return self._result.rows

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader must know of the figures."""
        return self._result.notes

    @property
    def table(self) -> pd.DataFrame:
        """A row per gate.

        gate, outcome (passed, failed, unknown, waived), message, metric, endpoint, measured and limit (in ``unit``),
        unit, reason (why it is unknown).
        """
        return pd.DataFrame(self.to_dict()["rows"])

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {**self._result.to_dict(), **self._properties}

    def junit(self) -> str:
        """Write JUnit XML for CI: a case per gate.

        A gate without a verdict is an error if it stops the pipeline, else skipped; so is one that is waived.
        """
        cases = [
            JUnitCase(
                name=row.gate,
                classname="ator.gate",
                outcome=self._junit_outcome(row),
                message=row.message,
                details="" if row.endpoint is None else f"endpoint: {row.endpoint}",
            )
            for row in self.rows
        ]
        return junit_xml(self._result.title, cases, {**self._properties, "verdict": self.verdict})

    def _junit_outcome(self, row: GateRow) -> str:
        if row.outcome in ("passed", "failed"):
            return str(row.outcome)
        return "error" if self._result.stops(row) else "skipped"

    def markdown(self) -> str:
        """Write a short summary for a pull request: what failed comes first."""
        loudest = self._result.loudest_first()[:MOST_ROWS]
        shown = [[_cut(row.gate), _SIGNS[row.outcome], _cut(row.message)] for row in loudest]
        more = len(self.rows) - len(shown)
        parts = [
            f"### {markdown.text(self._result.title)}: {self.verdict}",
            markdown.table(("Gate", "Outcome", "Found"), shown),
            *([f"… and {more} more gates"] if more else []),
            *(f"_{markdown.text(note)}_" for note in self.notes),
        ]
        return "\n\n".join(parts) + "\n"

    def __repr__(self) -> str:
        return f"Gate({self.headline!r})"

    def _repr_html_(self) -> str:
        columns = [
            markup.Column(heading="Gate", write=lambda row: row["gate"]),
            markup.Column(heading="Outcome", write=lambda row: markup.outcome(row["outcome"]), kind="words"),
            markup.Column(heading="Found", write=lambda row: row["message"], kind="text"),
        ]
        return markup.shown(
            markup.banner(self.verdict, self.headline.partition(": ")[2], title=self._result.title),
            markup.table(self.to_dict()["rows"], columns, name="Gates"),
            markup.notes(self.notes),
        )


_SIGNS = {"passed": "✔ passed", "failed": "✘ failed", "unknown": "? unknown", "waived": "– waived"}


def _cut(words: str) -> str:
    return cut(words, LONGEST_CELL)


def gates_from(given: AnyGates) -> GateFile:
    """Read a gate file, or check what would stand in one.

    Raises
    ------
    UsageError
        There is no such file, or it is no gate file: each problem with its line.
    """
    from ator_lib.analysis.gates.document import gates_of, read_gates

    if not isinstance(given, str | Path):
        return gates_of(given)
    try:
        return read_gates(Path(given).read_text(encoding="utf-8-sig"), str(given))
    except FileNotFoundError:
        raise NotFoundError(f"there is no gate file {given}: give its path, or a list of gates in its place") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{given} is no text in UTF-8: byte {error.start} cannot be read") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"the gate file {given} cannot be read: {reason}") from None


def evaluate_gates(
    run: RunHandle,
    given: AnyGates,
    baseline: Any,
    *,
    parts: Parts,
    find: Callable[[Any, Sequence[RunHandle]], Sequence[RunHandle]],
    compare: Callable[..., Comparison],
    strict: bool,
    allow_no_baseline: bool,
) -> Gate:
    """Read what the gates need of the run and of its baseline, and evaluate them; see ``Workspace.gate``.

    Parameters
    ----------
    find
        Finds the runs that a baseline names.
    compare
        ``Workspace.compare``.
    """
    from ator_lib.analysis.gates.evaluation import evaluate
    from ator_lib.workspace.gate_data import GateReader

    file = gates_from(given)
    chosen = file.baseline if baseline is None else baseline
    reader = GateReader(
        parts=parts,
        run=run,
        file=file,
        find=None if chosen is None else lambda: find(chosen, [run]),
        compare=lambda runs, options: compare(run, runs, **options),
    )
    title = f"Gates of run {run.run_id}" + (f" ({run.record.test})" if run.record.test else "")
    result = evaluate(file, reader.read(), title=title, strict=strict, allow_no_baseline=allow_no_baseline)
    return Gate(result, {"run_id": run.run_id, "test": run.record.test, "stream": run.record.stream})
