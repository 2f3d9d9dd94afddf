"""The frozen answer to "what moved the total?"; JSON-ready."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ator_lib.analysis.explain.data import LocationMove
from ator_lib.analysis.result import RunLabel
from ator_lib.analysis.run_data import Overlap
from ator_lib.analysis.verdicts import Verdict

MEASURES = {
    "mean_ms": ("mean", "ms"),
    "beyond_p95": ("requests beyond the baseline's p95", "percentage points"),
    "error_rate": ("error rate", "percentage points"),
}
"""Figure of the total that is taken apart → its name, and the unit of a difference."""

KINDS = {
    "endpoint": "by endpoint",
    "endpoint phase": "by endpoint and phase",
    "phase": "by phase of a request",
    "status": "by status",
    "time": "by time in the run",
    "shift": "shared by all endpoints, or not",
}
"""A way to take a figure apart → its heading. Each is the whole change once more."""


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """What one part contributes to the change of a figure of the whole run.

    Attributes
    ----------
    measure
        The figure, a key of ``MEASURES``; shares are of 1 here.
    kind
        How it is taken apart, a key of ``KINDS``.
    part
        What contributes: ``GET /search``, ``connect``, ``500, failed``, ``90–100 % of the run`` …
    name, method
        The endpoint, where the part is one, or a phase of one.
    phase
        Of a request, where the part is one.
    baseline, contender
        The part's own figure; null where a side does not have it.
    baseline_share, contender_share
        Its share of the side's requests; null for what is no group of requests.
    own, mix
        What it contributes by its own change, and by the change of its share.
    share
        ``contribution``, both together, as a share of the whole change; null where the contributions nearly cancel
        each other out.
    verdict
        Of the comparison, for endpoints.
    """

    measure: str
    kind: str
    part: str
    name: str | None = None
    method: str | None = None
    phase: str | None = None
    baseline: float | None = None
    contender: float | None = None
    baseline_share: float | None = None
    contender_share: float | None = None
    own: float = 0.0
    mix: float = 0.0
    share: float | None = None
    verdict: Verdict | None = None

    @property
    def contribution(self) -> float:
        """What it contributes to the change of the whole, in the unit of the measure."""
        return self.own + self.mix

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        verdict = None if self.verdict is None else str(self.verdict)
        return {**asdict(self), "verdict": verdict, "contribution": self.contribution}


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A figure of the whole run on both sides; ``change`` is contender ÷ baseline − 1, null without a baseline."""

    measure: str
    baseline: float
    contender: float
    difference: float
    change: float | None


@dataclass(frozen=True, kw_only=True)
class RunOverlap:
    """Another run that was at the location of one that was compared."""

    side: str
    run_id: int
    location: str | None
    overlap: Overlap

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; the run that overlapped is ``other_run_id``."""
        other = self.overlap
        return {
            "side": self.side,
            "run_id": self.run_id,
            "location": self.location,
            "other_run_id": other.run_id,
            "test": other.test,
            "factor": None if other.factor is None else str(other.factor),
            "seconds": other.seconds,
        }


@dataclass(frozen=True, kw_only=True)
class ExplanationResult:
    """What moved, ranked; it says where a change is, and nothing about why.

    ``contributions`` are in the order in which they are read: by measure, then the way of taking it apart that tells
    most (one part of it contributes most beyond its share of the baseline), then the largest contribution first.
    """

    headline: str
    moved: tuple[Moved, ...]
    contributions: tuple[Contribution, ...]
    overlaps: tuple[RunOverlap, ...]
    moves: tuple[LocationMove, ...]
    notes: tuple[str, ...]
    contender: tuple[RunLabel, ...]
    baseline: tuple[RunLabel, ...]

    def of(self, measure: str) -> dict[str, list[Contribution]]:
        """Give the contributions to a measure, by kind and in order."""
        found: dict[str, list[Contribution]] = {}
        for row in self.contributions:
            if row.measure == measure:
                found.setdefault(row.kind, []).append(row)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, strings and finite numbers."""
        return {
            "headline": self.headline,
            "moved": [asdict(moved) for moved in self.moved],
            "rows": [row.to_dict() for row in self.contributions],
            "overlaps": [overlap.to_dict() for overlap in self.overlaps],
            "moves": [{**asdict(move), "change": move.change} for move in self.moves],
            "notes": list(self.notes),
            "contender": [asdict(run) for run in self.contender],
            "baseline": [asdict(run) for run in self.baseline],
        }
