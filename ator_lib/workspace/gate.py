"""Gates as users hold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from ator_lib.errors import ExitCode, NotFoundError, UsageError

if TYPE_CHECKING:
    from ator_lib.analysis.gates.document import GateFile
    from ator_lib.analysis.gates.result import GateResult, GateRow
    from ator_lib.workspace.comparison import Comparison
    from ator_lib.workspace.parts import Parts
    from ator_lib.workspace.run import RunHandle

AnyGates: TypeAlias = str | Path | Mapping[str, Any] | Sequence[str | Mapping[str, Any]]
"""A gate file by its path, or what would stand in it: all of it, or the list of its gates."""


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
        from ator_lib.reports.gate import gate_junit

        return gate_junit(self._result, self._properties)

    def markdown(self) -> str:
        """Write a short summary for a pull request: what failed comes first, and of very many gates the first 50."""
        from ator_lib.reports.gate import gate_markdown

        return gate_markdown(self._result)

    def __repr__(self) -> str:
        return f"Gate({self.headline!r})"

    def _repr_html_(self) -> str:
        from ator_lib.figures.gate import gate_html

        return gate_html(self._result)


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
