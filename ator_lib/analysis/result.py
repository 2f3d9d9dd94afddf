"""The frozen answer of a comparison; JSON-ready."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ator_lib.analysis.checks import Check
from ator_lib.analysis.metrics import METRICS
from ator_lib.analysis.options import CompareOptions
from ator_lib.analysis.plain import plain
from ator_lib.analysis.run_data import Endpoint
from ator_lib.analysis.verdicts import Verdict
from ator_lib.analysis.wording import size
from ator_lib.written import change, interval


@dataclass(frozen=True, kw_only=True)
class RunLabel:
    """A run that was compared."""

    run_id: int
    label: str


@dataclass(frozen=True, kw_only=True)
class ComparisonRow:
    """One metric of one endpoint (``scope`` ``name``), of the whole run (``total``), or of all endpoints (``common``).

    Name and method are null for the last two.

    Attributes
    ----------
    baseline, contender
        The figures, in the unit that the metric's name says; null where it was not measured.
    difference
        Contender − baseline, in the metric's unit.
    change
        Contender ÷ baseline − 1; null if the baseline is 0 or missing.
    low, high
        The confidence interval of what ``interval_of`` says; null where there is not enough to estimate it.
    interval_of
        ``change``, or ``difference`` for the error rate, whose baseline is usually 0.
    common
        The shift common to all endpoints that is taken out of what is judged, as ``change``; null if none is.
    detectable
        The smallest change, on the scale of ``interval_of``, that this design finds in four of five cases; null
        where there is no interval.
    runs_needed
        Where there is not enough evidence: about how many runs on each side would settle it (see ``power``); null
        where that cannot be said.
    p_value, q_value
        Against "no change at all"; the second after Benjamini-Hochberg. Null for rows that are not judged.
    verdict
        Null where a metric is shown and not judged: throughput in a closed load model, or a figure that neither
        side has.
    reason
        Why there is no clearer verdict, in words; null otherwise.
    """

    scope: str
    name: str | None
    method: str | None
    metric: str
    baseline: float | None
    contender: float | None
    difference: float | None
    change: float | None
    low: float | None = None
    high: float | None = None
    interval_of: str
    common: float | None = None
    detectable: float | None = None
    runs_needed: int | None = None
    p_value: float | None = None
    q_value: float | None = None
    verdict: Verdict | None = None
    reason: str | None = None

    @property
    def endpoint(self) -> Endpoint:
        """Name and method together."""
        return Endpoint(self.name, self.method, self.scope)

    @property
    def effect(self) -> float | None:
        """The figure that is judged: ``difference`` or ``change``, as ``interval_of`` says, without ``common``."""
        if self.interval_of == "difference":
            return self.difference
        if self.change is None or self.common is None:
            return self.change
        return (1 + self.change) / (1 + self.common) - 1


@dataclass(frozen=True, kw_only=True)
class EndpointVerdict:
    """What an endpoint's judged metrics say together; ``scope`` as in ``ComparisonRow``."""

    name: str | None
    method: str | None
    scope: str
    verdict: Verdict

    @property
    def endpoint(self) -> Endpoint:
        """Name and method together."""
        return Endpoint(self.name, self.method, self.scope)


@dataclass(frozen=True, kw_only=True)
class ComparisonResult:
    """A comparison: checks first, then figures, then verdicts. ``notes`` are the limits of what it can see."""

    verdict: Verdict
    rows: tuple[ComparisonRow, ...]
    endpoints: tuple[EndpointVerdict, ...]
    checks: tuple[Check, ...]
    notes: tuple[str, ...]
    contender: tuple[RunLabel, ...]
    baseline: tuple[RunLabel, ...]
    options: CompareOptions

    def headline(self) -> str:
        """One sentence: the verdict and what speaks loudest for it.

        For example ``regressed: GET /search p95 +62 % (41 % … 80 %)``.
        """
        return f"{self.verdict}: {self._because()}"

    @property
    def loudest(self) -> ComparisonRow | None:
        """The change that speaks loudest for the verdict; ``None`` unless that is ``regressed`` or ``improved``."""
        if self.verdict not in (Verdict.REGRESSED, Verdict.IMPROVED):
            return None
        return min(
            (row for row in self.rows if row.verdict is self.verdict),
            key=lambda row: (_LOUDNESS.index(row.scope), row.p_value or 0.0, -abs(row.effect or 0.0)),
        )

    def _because(self) -> str:
        if self.verdict is Verdict.NOT_COMPARABLE:
            return "; ".join(c.message for c in self.checks if c.blocks) or "no endpoint has figures on both sides"
        named = [e for e in self.endpoints if e.scope == "name"]
        if self.verdict is Verdict.NO_CHANGE:
            return f"all {len(named)} endpoints and the total within their minimum effects"
        loudest = self.loudest
        if loudest is None:
            return self._unclear(named)
        others = sum(e.verdict is self.verdict for e in named) - (loudest.scope == "name")
        more = f", and {others} more endpoint{'s' * (others > 1)}" if others > 0 else ""
        return f"{loudest.endpoint.label} {_spoken(loudest)}{more}"

    def _unclear(self, named: Sequence[EndpointVerdict]) -> str:
        unclear = sum(e.verdict is not Verdict.NO_CHANGE for e in named)
        where = f"for {unclear} of {len(named)} endpoints" if unclear else "for the run as a whole"
        hint = power_in_words(self.rows) or self._most_common_reason()
        return f"{where} a change that matters can be neither seen nor ruled out{f'; {hint}' if hint else ''}"

    def _most_common_reason(self) -> str | None:
        """Say why there are no intervals, where it is so for most of what is unclear."""
        unclear = [row for row in self.rows if row.verdict is Verdict.NOT_ENOUGH_EVIDENCE]
        ((reason, times),) = Counter(row.reason for row in unclear if row.low is None).most_common(1) or [(None, 0)]
        return reason if 2 * times > len(unclear) else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, strings and finite numbers (nan and infinity become ``None``)."""
        return {
            "verdict": str(self.verdict),
            "headline": self.headline(),
            "rows": [plain({**asdict(row), "effect": row.effect}) for row in self.rows],
            "endpoints": [plain(asdict(endpoint)) for endpoint in self.endpoints],
            "checks": [plain(asdict(check)) for check in self.checks],
            "notes": list(self.notes),
            "contender": [plain(asdict(run)) for run in self.contender],
            "baseline": [plain(asdict(run)) for run in self.baseline],
            "options": self.options.to_dict(),
        }


_LOUDNESS = ("name", "common", "total")
"""What a headline names first: the endpoints, as the common shift is theirs, and the total made of them."""


def power_in_words(rows: Sequence[ComparisonRow]) -> str | None:
    """Say what change could have been seen where there is not enough evidence, and how many runs would settle it.

    The figures are those of the row in the middle, of the p95 if that is unclear anywhere, else of the first latency
    that is; ``None`` where no unclear row has any.
    """
    unclear = [
        row
        for row in rows
        if row.verdict is Verdict.NOT_ENOUGH_EVIDENCE and row.detectable is not None and METRICS[row.metric].is_latency
    ]
    names = {row.metric for row in unclear}
    if not names:
        return None
    metric = "p95_ms" if "p95_ms" in names else min(names, key=list(METRICS).index)
    found = sorted((row.detectable or 0.0, row.runs_needed or math.inf) for row in unclear if row.metric == metric)
    seen, needed = found[len(found) // 2]
    runs = f"about {needed} runs a side" if needed < math.inf else "more runs than anybody makes, so longer ones,"
    return f"{METRICS[metric].label} changes from {size(seen)} on could be seen, and {runs} would settle it"


def _spoken(row: ComparisonRow) -> str:
    metric = METRICS[row.metric]
    if row.interval_of == "difference":
        return f"{metric.label} {change(row.effect, unit='percentage points')} ({interval(row.low, row.high)})"
    effect, low, high = ((value or 0) * 100 for value in (row.effect, row.low, row.high))
    own = " of its own" if row.common is not None else ""
    return f"{metric.label} {effect:+.0f} %{own} ({low:.0f} % … {high:.0f} %)"
