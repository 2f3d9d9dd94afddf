"""Whether the requests came out alike: latencies of errors are not those of answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ator_lib.analysis.checks.check import Check, Sides, percent, totals
from ator_lib.analysis.run_data import RunData

OTHER_OUTCOMES = 0.05
"""Share of requests that came out another way than on the other side, above which the check fails."""
OTHER_WORK = 0.5
"""Above this share the latencies are of other work, and the check blocks: half of all requests."""

_SUCCESS = "success"


def outcome_checks(sides: Sides) -> Iterator[Check]:
    """Compare the shares of success and of each kind of failure; whether there are more is the error rate's verdict."""
    told = [_outcomes(run) for run in sides.runs]
    if any(outcomes is None for outcomes in told):
        yield sides.check("error mix", _shown, ok=None, message="kinds are not known for every run, so not checked")
        return
    before, after = (_shares(_outcomes(run) or {} for run in side) for side in sides)
    other = sum(abs(after.get(kind, 0.0) - before.get(kind, 0.0)) for kind in before.keys() | after.keys()) / 2
    message = f"{percent(other)} of the requests came out another way than on the other side"
    if other > OTHER_WORK:
        message += ", so the latencies are of other work"
    yield sides.check("error mix", _shown, ok=other <= OTHER_OUTCOMES, message=message, blocking=other > OTHER_WORK)


def _outcomes(run: RunData) -> dict[str, float] | None:
    """Count a run's requests by outcome; ``None`` where failures were counted and not told apart."""
    total = totals(run)
    requests, failures = total.get("requests", 0), total.get("failures", 0)
    kinds: Counter[str] = Counter()
    for row in run.errors.to_pylist():
        kinds[_kind(row)] += row["requests"]
    if failures and not kinds:
        return None
    scale = failures / max(kinds.total(), 1)  # errors are those of the whole run, also where its beginning is left out
    return {_SUCCESS: requests - failures, **{kind: count * scale for kind, count in kinds.items()}}


def _kind(row: Mapping[str, Any]) -> str:
    """Name a failure by its status, if that says it, else by its words without the numbers that tell requests apart."""
    if (row["status_code"] or 0) >= 400:
        return f"HTTP {row['status_code']}"
    words: str = (row["error"] or "").partition("\n")[0].strip()
    return re.sub(r"[0-9a-f]*\d[0-9a-f]*", "#", words)[:60] or "failed"


def _shares(runs: Iterable[Mapping[str, float]]) -> dict[str, float]:
    counts: dict[str, float] = {}
    for outcomes in runs:
        for kind, count in outcomes.items():
            counts[kind] = counts.get(kind, 0.0) + count
    requests = sum(counts.values())
    return {kind: count / requests for kind, count in counts.items()} if requests else {}


def _shown(run: RunData) -> str | None:
    """Name the most frequent failures."""
    outcomes = _outcomes(run)
    if outcomes is None:
        return None
    shares = _shares([outcomes])
    failed = sorted((kind for kind in shares if kind != _SUCCESS), key=lambda kind: (-shares[kind], kind))
    return " + ".join(f"{kind} {percent(shares[kind])}" for kind in failed[:3]) or "no failures"
