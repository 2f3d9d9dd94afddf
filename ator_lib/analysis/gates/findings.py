"""What is found of one endpoint, and how several of them make one row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ator_lib.analysis.gates.data import Missing
from ator_lib.analysis.gates.result import Outcome, Reason
from ator_lib.analysis.run_data import Endpoint
from ator_lib.analysis.wording import listed

_MOST_NAMES = 5
_WORST_FIRST = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.PASSED)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a gate finds, of one endpoint or of all that it looks at.

    Attributes
    ----------
    severity
        Orders findings of the same outcome: the highest fails by most, or comes closest to it.
    """

    outcome: Outcome
    message: str
    endpoint: str | None = None
    measured: float | None = None
    limit: float | None = None
    unit: str | None = None
    severity: float = 0.0
    reason: Reason | None = None


def unknown(message: str, reason: Reason = Reason.NOT_MEASURED) -> Finding:
    """Say that a gate cannot be decided, and why."""
    return Finding(outcome=Outcome.UNKNOWN, reason=reason, message=message)


def of_each(endpoints: Sequence[Endpoint] | Missing, judge: Callable[[Endpoint], Finding]) -> Finding:
    """Judge each endpoint; all must hold, so the worst of them speaks."""
    if isinstance(endpoints, Missing):
        return unknown(endpoints.reason)
    findings = [replace(judge(endpoint), endpoint=endpoint.label) for endpoint in endpoints]
    worst = min(findings, key=lambda finding: (_WORST_FIRST.index(finding.outcome), -finding.severity))
    if len(findings) == 1:
        return worst
    if worst.outcome is Outcome.PASSED:
        return replace(
            worst, message=f"{worst.message} ({worst.endpoint}), of {len(findings)} endpoints the nearest to failing"
        )
    alike = [finding.endpoint or "" for finding in findings if finding.outcome is worst.outcome]
    told = f"{len(alike)} of {len(findings)} endpoints: {listed(alike, _MOST_NAMES)}"
    return replace(worst, message=f"{worst.message} ({worst.endpoint}); {told}")
