"""The ways to take the change of a figure apart: each gives rows that add up to the whole change."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from ator_lib.analysis.explain.decompose import Amount, decompose, requests_of
from ator_lib.analysis.explain.parts import Part, Side
from ator_lib.analysis.explain.result import Contribution
from ator_lib.analysis.run_data import Endpoint

Key = TypeVar("Key")
Amounts = Mapping[Key, Amount]

MIX = "mix of endpoints"
TOGETHER = "all endpoints together"
BESIDE = "each endpoint beside that"

_SUMS: dict[str, Callable[[Part], float | None]] = {
    "mean_ms": lambda part: part.duration_ms,
    "beyond_p95": lambda part: part.beyond,
    "error_rate": lambda part: part.failures,
}


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A row; ``expected`` is the share of the change that it would have if everything moved alike.

    That is its share of the time of all requests for the mean, and its share of the requests for rates.
    """

    row: Contribution
    expected: float


def amounts(parts: Mapping[Key, Part] | None, measure: str) -> dict[Key, Amount] | None:
    """Give what a measure averages; null where it is not known of every part, or there is no request."""
    found = {}
    for key, part in (parts or {}).items():
        total = _SUMS[measure](part)
        if total is None or not math.isfinite(total):
            return None
        if part.requests:
            found[key] = Amount(part.requests, total)
    return found or None


def grouped(measure: str, baseline: Side, contender: Side) -> Iterator[list[Piece]]:
    """Take a measure apart by endpoint, status, and time, where both sides know them and there are several."""
    ways = {
        "endpoint": (baseline.endpoints, contender.endpoints),
        "status": (baseline.statuses, contender.statuses),
        "time": (baseline.times, contender.times),
    }
    for kind, parts in ways.items():
        before, after = (amounts(side, measure) for side in parts)
        if before and after and (kind == "endpoint" or len(before | after) > 1):
            yield _pieces(measure, kind, before, after)


def _pieces(measure: str, kind: str, baseline: Amounts[Key], contender: Amounts[Key]) -> list[Piece]:
    requests = requests_of(baseline), requests_of(contender)
    whole = sum(part.total for part in baseline.values())
    # a status fails always or never: those that fail are what the error rate is made of
    centre = 0.0 if (measure, kind) == ("error_rate", "status") else None
    pieces = []
    for key, split in decompose(baseline, contender, centre=centre).items():
        before, after = baseline.get(key), contender.get(key)
        endpoint = key if isinstance(key, Endpoint) else None
        row = Contribution(
            measure=measure,
            kind=kind,
            part=endpoint.label if endpoint else str(key),
            name=endpoint.name if endpoint else None,
            method=endpoint.method if endpoint else None,
            baseline=before.mean if before else None,
            contender=after.mean if after else None,
            baseline_share=before.requests / requests[0] if before else 0.0,
            contender_share=after.requests / requests[1] if after else 0.0,
            own=split.own,
            mix=split.mix,
        )
        is_time = measure == "mean_ms" and whole > 0
        expected = before.total / whole if before and is_time else row.baseline_share
        pieces.append(Piece(row=row, expected=expected or 0.0))
    return pieces


def by_shift(baseline: Side, contender: Side, shift: float) -> list[Piece]:
    """Take the change of the mean apart into what all endpoints share, what each moved beside it, and their mix.

    ``shift`` is the relative change that all endpoints share. Nothing where an endpoint has no mean.
    """
    before, after = amounts(baseline.endpoints, "mean_ms"), amounts(contender.endpoints, "mean_ms")
    if not before or not after:
        return []
    splits = decompose(before, after).values()
    requests = requests_of(before), requests_of(after)
    weighted = sum(
        (part.requests / requests[0] + after[key].requests / requests[1]) / 2 * part.mean
        for key, part in before.items()
        if key in after
    )
    shared = weighted * shift
    own = sum(split.own for split in splits) - shared
    return [
        Piece(row=Contribution(measure="mean_ms", kind="shift", part=TOGETHER, own=shared), expected=0.0),
        Piece(row=Contribution(measure="mean_ms", kind="shift", part=BESIDE, own=own), expected=1.0),
        mix_of("shift", before, after),
    ]


def mix_of(kind: str, baseline: Amounts[Key], contender: Amounts[Key]) -> Piece:
    """Give what the mix of endpoints contributes to the change of the mean, in one row."""
    mix = sum(split.mix for split in decompose(baseline, contender).values())
    return Piece(row=Contribution(measure="mean_ms", kind=kind, part=MIX, mix=mix), expected=0.0)
