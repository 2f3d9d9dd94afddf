"""Drafts become judged rows: intervals, corrected p values, verdicts, and what could have been seen."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ator_lib.analysis.evidence import Evidence, weigh
from ator_lib.analysis.metrics import METRICS
from ator_lib.analysis.multiplicity import nested_q_values
from ator_lib.analysis.options import CompareOptions
from ator_lib.analysis.power import detectable, runs_needed
from ator_lib.analysis.result import ComparisonRow
from ator_lib.analysis.rows import Draft
from ator_lib.analysis.run_data import Endpoint
from ator_lib.analysis.verdicts import Verdict, judge

FAMILIES = (("total", "common"), ("name",))
"""The two questions of a comparison, the run as a whole and its endpoints: each gets half of the level."""


@dataclass(frozen=True, kw_only=True)
class _Weighed:
    row: ComparisonRow
    evidence: Evidence | None = None


def judged(drafts: Sequence[Draft], options: CompareOptions) -> tuple[ComparisonRow, ...]:
    """Return the rows of the drafts, in their order, judged at one level for all of them together."""
    weighed = [_weighed(draft, options) for draft in drafts]
    rows = [row for scopes in FAMILIES for row in _family([w for w in weighed if w.row.scope in scopes], options)]
    moved = {row.metric for row in rows if row.scope == "common" and (row.low or 0.0) * (row.high or 0.0) > 0}
    return tuple(row if _is_felt(row, moved) else _not_felt(row) for row in rows)


def _weighed(draft: Draft, options: CompareOptions) -> _Weighed:
    if draft.change is None:
        return _Weighed(row=draft.row)
    evidence = weigh(draft.change, confidence=options.confidence)
    low, high = (_shown(draft.row, bound) for bound in (evidence.low, evidence.high))
    row = replace(draft.row, low=low, high=high, p_value=evidence.p_value if draft.judged else None)
    return _Weighed(row=row, evidence=evidence)


def _shown(row: ComparisonRow, value: float) -> float:
    """Turn a log change into a relative one; a float ends near e^709."""
    return math.expm1(min(value, 700.0)) if METRICS[row.metric].relative else value


def _family(weighed: Sequence[_Weighed], options: CompareOptions) -> list[ComparisonRow]:
    """Correct for all tests of the family, those of an endpoint together."""
    groups: dict[Endpoint, list[float]] = {}
    for found in weighed:
        if found.row.p_value is not None:
            groups.setdefault(found.row.endpoint, []).append(found.row.p_value)
    corrected = dict(zip(groups, map(iter, nested_q_values(list(groups.values()))), strict=True))
    rows = []
    for row, evidence in ((found.row, found.evidence) for found in weighed):
        if row.p_value is None or evidence is None:
            rows.append(row)
            continue
        q_value = min(1.0, len(FAMILIES) * next(corrected[row.endpoint]))
        p_limit = options.false_discovery_rate / len(FAMILIES) / len(groups) / len(groups[row.endpoint])
        rows.append(_judged(replace(row, q_value=q_value), evidence, p_limit, options))
    return rows


def _judged(row: ComparisonRow, evidence: Evidence, p_limit: float, options: CompareOptions) -> ComparisonRow:
    minimum = options.minimum_effect_of(row.metric, row.endpoint)
    scaled = math.log1p(minimum) if METRICS[row.metric].relative else minimum
    found = detectable(evidence, p_limit=p_limit, minimum_effect=scaled)
    row = replace(row, verdict=_verdict(row, minimum, options), detectable=_shown(row, found))
    if row.verdict is not Verdict.NOT_ENOUGH_EVIDENCE:
        return row
    needed = runs_needed(evidence, p_limit=p_limit, confidence=options.confidence, minimum_effect=scaled)
    reason = "the interval reaches beyond the minimum effect, or the change is not significant"
    return replace(row, runs_needed=needed, reason=reason)


def _verdict(row: ComparisonRow, minimum: float, options: CompareOptions) -> Verdict:
    return judge(
        change=row.effect or 0.0,
        low=-math.inf if row.low is None else row.low,
        high=math.inf if row.high is None else row.high,
        q_value=1.0 if row.q_value is None else row.q_value,
        level=options.false_discovery_rate,
        minimum_effect=minimum,
        higher_is_better=METRICS[row.metric].higher_is_better,
    )


def _is_felt(row: ComparisonRow, moved: Collection[str]) -> bool:
    """Whether an endpoint's own change, where it is a finding, can be seen in its raw one.

    They must have the same direction. For the metrics in which all endpoints clearly ``moved`` together, the raw change
    must be half of the own one, too: an endpoint that stood still while most others moved is no finding.
    """
    if row.common is None or row.verdict not in (Verdict.REGRESSED, Verdict.IMPROVED):
        return True
    effect, raw = row.effect or 0.0, row.change or 0.0
    return effect * raw > 0 and (row.metric not in moved or abs(raw) >= abs(effect) / 2)


def _not_felt(row: ComparisonRow) -> ComparisonRow:
    reason = "it changed against the other endpoints, which moved, and hardly by its own figures"
    return replace(row, verdict=Verdict.NOT_ENOUGH_EVIDENCE, reason=reason)
