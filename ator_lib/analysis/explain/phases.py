"""How much each phase of a request contributes: connecting, waiting for the first byte, and the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ator_lib.analysis.explain.kinds import Piece, amounts, mix_of
from ator_lib.analysis.explain.parts import Part, Side
from ator_lib.analysis.explain.result import Contribution
from ator_lib.analysis.run_data import Endpoint

_COVERED = 0.5
"""Phases are shown where both sides know them of half of their requests; what is not known is a row of its own."""

Phases = Mapping[str, Callable[[Part], float]]
"""A phase's name → its milliseconds in a part."""


def by_phase(baseline: Side, contender: Side) -> Iterator[list[Piece]]:
    """Take the endpoints' own changes of the mean apart by phase: altogether, then for each endpoint.

    The mix of endpoints is a row of its own, so that a phase moves only if requests to the same endpoints spent more
    time in it. Nothing where a side does not know its phases.
    """
    before, after = amounts(baseline.endpoints, "mean_ms"), amounts(contender.endpoints, "mean_ms")
    wholes = baseline.whole, contender.whole
    if not before or not after or wholes[0] is None or wholes[1] is None:
        return
    phased = _Phased(baseline=wholes[0], contender=wholes[1])
    cells = [
        cell
        for endpoint in before
        if endpoint in after
        for cell in phased.cells(endpoint, baseline.endpoints[endpoint], contender.endpoints[endpoint])
    ]
    if cells:
        yield [*phased.altogether(cells), mix_of("phase", before, after)]
        yield [*cells, mix_of("endpoint phase", before, after)]


@dataclass(frozen=True, kw_only=True)
class _Phased:
    """Both sides' whole runs, by which the endpoints are weighed."""

    baseline: Part
    contender: Part

    @property
    def phases(self) -> Phases:
        """The phases that both sides know; none if there are none."""
        known = (self.baseline, self.contender)
        connect = all(part.with_connect >= _COVERED * part.requests for part in known)
        if not all(part.with_ttfb >= _COVERED * part.requests for part in known):
            return {"connect": _connect, "after connecting": _after_connecting} if connect else {}
        phases: dict[str, Callable[[Part], float]] = {"to the first byte": _answered}
        if connect:
            phases = {"connect": _connect, "first byte": lambda part: part.first_byte_ms}
        if all(part.with_ttfb == part.requests for part in known):
            return {**phases, "rest": lambda part: _duration(part) - _answered(part)}
        unknown = {"phase not reported": lambda part: _duration(part) - _answered(part) - part.rest_ms}
        return {**phases, "rest": lambda part: part.rest_ms, **unknown}

    def cells(self, endpoint: Endpoint, before: Part, after: Part) -> Iterator[Piece]:
        """Give a row for each phase of an endpoint that both sides have."""
        shares = before.requests / self.baseline.requests, after.requests / self.contender.requests
        for phase, measure in self.phases.items():
            figures = measure(before) / before.requests, measure(after) / after.requests
            own = sum(shares) / 2 * (figures[1] - figures[0])
            row = Contribution(
                measure="mean_ms",
                kind="endpoint phase",
                part=f"{endpoint.label} · {phase}",
                name=endpoint.name,
                method=endpoint.method,
                phase=phase,
                baseline=figures[0],
                contender=figures[1],
                baseline_share=shares[0],
                contender_share=shares[1],
                own=own,
            )
            yield Piece(row=row, expected=self._expected(measure(before)))

    def altogether(self, cells: Sequence[Piece]) -> Iterator[Piece]:
        """Give a row for each phase, over all endpoints."""
        for phase, measure in self.phases.items():
            row = Contribution(
                measure="mean_ms",
                kind="phase",
                part=phase,
                phase=phase,
                baseline=measure(self.baseline) / self.baseline.requests,
                contender=measure(self.contender) / self.contender.requests,
                own=sum(cell.row.own for cell in cells if cell.row.phase == phase),
            )
            yield Piece(row=row, expected=self._expected(measure(self.baseline)))

    def _expected(self, spent_ms: float) -> float:
        return spent_ms / _duration(self.baseline) if _duration(self.baseline) else 0.0


def _duration(part: Part) -> float:
    return part.duration_ms or 0.0


def _connect(part: Part) -> float:
    return part.connect_ms


def _after_connecting(part: Part) -> float:
    return _duration(part) - part.connect_ms


def _answered(part: Part) -> float:
    return part.connect_ms + part.first_byte_ms
