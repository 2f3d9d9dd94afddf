"""The frozen answer of a gate file; JSON-ready."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from ator_lib.analysis.plain import plain
from ator_lib.errors import ExitCode


class Outcome(StrEnum):
    """What became of a gate; what needs eyes comes first."""

    FAILED = "failed"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    PASSED = "passed"


class Reason(StrEnum):
    """Why a gate's outcome is unknown."""

    NOT_MEASURED = "not measured"
    CUT_SHORT = "cut short"
    NO_BASELINE = "no baseline"
    NOT_COMPARABLE = "not comparable"
    NOT_ENOUGH_EVIDENCE = "not enough evidence"


@dataclass(frozen=True, kw_only=True)
class GateRow:
    """One gate and what became of it.

    Attributes
    ----------
    gate
        Its name, or its text.
    metric, endpoint
        What was looked at; of a pattern, the endpoint that comes closest to failing. Null where there is none.
    measured, limit
        In ``unit``; null where there is no figure.
    reason
        Why the outcome is unknown; null otherwise.
    message
        What was found, in words.
    """

    gate: str
    outcome: Outcome
    message: str
    metric: str | None = None
    endpoint: str | None = None
    measured: float | None = None
    limit: float | None = None
    unit: str | None = None
    reason: Reason | None = None

    def waived(self, why: str) -> GateRow:
        """Return the row as one that somebody takes for good."""
        return replace(self, outcome=Outcome.WAIVED, message=f"waived: {why} ({self.message})")


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """All gates of a file and their verdict. ``notes`` are what the reader must know of the figures.

    Attributes
    ----------
    strict
        Whether "not enough evidence" stops a pipeline, too.
    """

    title: str
    rows: tuple[GateRow, ...]
    notes: tuple[str, ...] = ()
    strict: bool = False

    @property
    def verdict(self) -> str:
        """``failed`` if a gate failed; ``no verdict`` if one is unknown, or all are waived; else ``passed``."""
        outcomes = {row.outcome for row in self.rows}
        if Outcome.FAILED in outcomes:
            return "failed"
        return "no verdict" if Outcome.UNKNOWN in outcomes or Outcome.PASSED not in outcomes else "passed"

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the command line: 0, 1 for a failed gate, 4 where one has no verdict."""
        if self.verdict == "failed":
            return ExitCode.FAILED
        return ExitCode.NO_VERDICT if any(map(self.stops, self.rows)) else ExitCode.OK

    def stops(self, row: GateRow) -> bool:
        """Whether a row without a verdict stops a pipeline: too little evidence does only if it is strict."""
        return row.outcome is Outcome.UNKNOWN and (self.strict or row.reason is not Reason.NOT_ENOUGH_EVIDENCE)

    @property
    def headline(self) -> str:
        """The answer in one sentence: the first gate that speaks for it, and how many there are."""
        counted = {outcome: sum(row.outcome is outcome for row in self.rows) for outcome in Outcome}
        told = ", ".join(f"{count} {outcome}" for outcome, count in counted.items() if count)
        loudest = self.loudest_first()[0]
        is_open = loudest.outcome in (Outcome.FAILED, Outcome.UNKNOWN)
        return f"{self.verdict}: {told}" + (f"; {loudest.gate}: {loudest.message}" if is_open else "")

    def loudest_first(self) -> list[GateRow]:
        """Return the rows that need eyes before the others: failed, then what stops a pipeline."""
        outcomes = list(Outcome)
        return sorted(self.rows, key=lambda row: (outcomes.index(row.outcome), not self.stops(row)))

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, strings and finite numbers (nan and infinity become ``None``)."""
        return {
            "verdict": self.verdict,
            "headline": self.headline,
            "exit_code": int(self.exit_code),
            "title": self.title,
            "rows": [plain(asdict(row)) for row in self.rows],
            "notes": list(self.notes),
        }
