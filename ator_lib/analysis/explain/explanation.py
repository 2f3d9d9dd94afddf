"""What moved the total? The change of its figures, taken apart by endpoint, phase, status, time and shared shift.

All of it is arithmetic on what was measured: it says where a change is, with figures that add up exactly
(``decompose``), and nothing about why. Whether there is a change at all is the comparison's to say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from ator_lib.analysis.explain import notes
from ator_lib.analysis.explain.data import SEGMENTS, ExplainData, LocationMove
from ator_lib.analysis.explain.decompose import mean_of
from ator_lib.analysis.explain.kinds import MIX, Piece, amounts, by_shift, grouped
from ator_lib.analysis.explain.parts import Rename, Side, side_of
from ator_lib.analysis.explain.phases import by_phase
from ator_lib.analysis.explain.result import MEASURES, Contribution, ExplanationResult, Moved, RunOverlap
from ator_lib.analysis.result import ComparisonResult
from ator_lib.analysis.run_data import TOTAL, Endpoint

_DUST = 1e-12
_CANCELLED = 0.25
"""Below this share of all that moved, the whole change is too small to give shares of it."""


def explain(
    contender: Sequence[ExplainData],
    baseline: Sequence[ExplainData],
    comparison: ComparisonResult,
    moves: Sequence[LocationMove] = (),
) -> ExplanationResult:
    """Take apart what moved between the two sides of ``comparison``; the module's text has what it means.

    Parameters
    ----------
    contender, baseline
        The runs that were compared; ``beyond`` in their cells was counted with ``beyond_limit(comparison)``.
    moves
        What other tests at the contender's location did meanwhile.
    """
    limit = beyond_limit(comparison)
    after = side_of(contender, limit)
    before = side_of(baseline, limit, _renamed(comparison.options.mapping, after))
    moved = tuple(_moved(measure, before, after) for measure in MEASURES)
    known = tuple(change for change in moved if change is not None)
    contributions = tuple(row for change in known for row in _ranked(change, before, after, comparison))
    runs = (*contender, *baseline)
    overlaps = (*_overlaps("contender", contender), *_overlaps("baseline", baseline))
    return ExplanationResult(
        headline=notes.headline(known, contributions),
        moved=known,
        contributions=contributions,
        overlaps=overlaps,
        moves=tuple(moves),
        notes=(
            *notes.shared(comparison, runs, overlaps, moves),
            *notes.limits(comparison, runs, (before, after), contributions),
        ),
        contender=comparison.contender,
        baseline=comparison.baseline,
    )


def beyond_limit(comparison: ComparisonResult) -> float | None:
    """Return the baseline's total p95 in milliseconds; null where it was not measured."""
    return next((row.baseline for row in comparison.rows if row.endpoint == TOTAL and row.metric == "p95_ms"), None)


def _renamed(mapping: Mapping[str, str], contender: Side) -> Rename:
    """Find for an endpoint of the baseline the contender's that it is compared with."""
    by_label = {endpoint.label: endpoint for endpoint in contender.endpoints}
    return lambda endpoint: by_label.get(mapping.get(endpoint.label, ""), endpoint)


def _moved(measure: str, baseline: Side, contender: Side) -> Moved | None:
    before, after = (amounts(side.endpoints, measure) for side in (baseline, contender))
    if not before or not after:
        return None
    figures = mean_of(before), mean_of(after)
    return Moved(
        measure=measure,
        baseline=figures[0],
        contender=figures[1],
        difference=figures[1] - figures[0],
        change=figures[1] / figures[0] - 1 if figures[0] else None,
    )


def _ranked(moved: Moved, baseline: Side, contender: Side, comparison: ComparisonResult) -> Iterator[Contribution]:
    """Give the rows of a measure: the kind that tells most first, the largest contribution first.

    How much a kind tells is how much more one of its parts contributes than it would if everything moved alike.
    """
    kinds = [*grouped(moved.measure, baseline, contender)]
    if moved.measure == "mean_ms":
        kinds += [*by_phase(baseline, contender), *_by_shift(baseline, contender, comparison)]
    verdicts = {endpoint.endpoint: endpoint.verdict for endpoint in comparison.endpoints}
    last = _last_kinds(baseline, contender)
    for pieces in sorted(kinds, key=lambda pieces: _telling(pieces, moved.difference, last)):
        rows = sorted(_without_dust(pieces, moved), key=lambda row: (-abs(row.contribution), row.part))
        whole = sum(row.contribution for row in rows)
        is_clear = abs(whole) > _CANCELLED * sum(abs(row.contribution) for row in rows)
        for row in rows:
            verdict = verdicts.get(Endpoint.named(row.name, row.method)) if row.kind == "endpoint" else None
            yield replace(row, share=row.contribution / whole if is_clear else None, verdict=verdict)


def _without_dust(pieces: Sequence[Piece], moved: Moved) -> Iterator[Contribution]:
    """Make what floating-point arithmetic left over 0, and leave out a mix that is none."""
    dust = _DUST * max(abs(moved.baseline), abs(moved.contender))
    for row in (piece.row for piece in pieces):
        own, mix = (value if abs(value) > dust else 0.0 for value in (row.own, row.mix))
        if own or mix or row.baseline is not None or row.contender is not None:
            yield replace(row, own=own, mix=mix)


def _last_kinds(*sides: Side) -> Collection[str]:
    """Give the kinds that never lead: phases of endpoints, and the time where it has parts without a request."""
    fewest = min(side.whole.requests if side.whole else 0 for side in sides)
    return ("endpoint phase", "time") if fewest < SEGMENTS else ("endpoint phase",)


def _telling(pieces: Sequence[Piece], difference: float, last: Collection[str]) -> tuple[bool, float]:
    apart = [piece for piece in pieces if piece.row.part != MIX]
    difference -= sum(piece.row.contribution for piece in pieces if piece.row.part == MIX)
    most = max(abs(piece.row.contribution - piece.expected * difference) for piece in apart)
    return pieces[0].row.kind in last, -most


def _by_shift(baseline: Side, contender: Side, comparison: ComparisonResult) -> Iterator[list[Piece]]:
    shift = notes.shared_shift(comparison)
    pieces = [] if shift is None or shift.change is None else by_shift(baseline, contender, shift.change)
    if pieces:
        yield pieces


def _overlaps(side: str, runs: Sequence[ExplainData]) -> Iterator[RunOverlap]:
    for data in runs:
        for other in data.run.overlaps or ():
            yield RunOverlap(side=side, run_id=data.run.run_id, location=data.run.location, overlap=other)
