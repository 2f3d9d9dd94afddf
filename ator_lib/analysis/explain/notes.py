"""What an explanation says in words: its headline, and what it could not see. It names figures, and no grounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ator_lib.analysis.explain.data import ExplainData, LocationMove
from ator_lib.analysis.explain.kinds import BESIDE, MIX
from ator_lib.analysis.explain.parts import Side
from ator_lib.analysis.explain.result import MEASURES, Contribution, Moved, RunOverlap
from ator_lib.analysis.result import ComparisonResult, ComparisonRow
from ator_lib.analysis.verdicts import Verdict
from ator_lib.analysis.wording import listed, plural, short
from ator_lib.written import signed

MOVED_TOO = 0.05
"""Change of another test's p50 from which it is said to have moved, too; one run each way has no interval."""

_MOST_NAMED = 3
_HALF = 0.5
_NAMED_SECOND = ("endpoint", "phase", "shift")


def shared_shift(comparison: ComparisonResult) -> ComparisonRow | None:
    """Return the comparison's row of what the means of all endpoints share; null with too few endpoints."""
    return next((row for row in comparison.rows if row.scope == "common" and row.metric == "mean_ms"), None)


def headline(moved: Sequence[Moved], contributions: Sequence[Contribution]) -> str:
    """Say in one sentence what moved, and the largest part of it.

    For example ``mean 52.1 → 64.3 ms (+23 %): GET /search contributes +11.9 ms (98 %); first byte +11.6 ms (95 %)``.
    """
    if not moved:
        return "nothing can be said: a side has no requests"
    whole, *_ = moved
    rows = [row for row in contributions if row.measure == whole.measure and row.part not in (MIX, BESIDE)]
    tops: dict[str, Contribution] = {}
    for row in rows:
        tops.setdefault(row.kind, row)
    first, *others = tops.values()
    most = [row for row in others if row.kind in _NAMED_SECOND and (row.share or 0.0) >= _HALF]
    said = "; ".join(f"{row.part} contributes {spoken(row)}" for row in (first, *most[:1]))
    name, unit = MEASURES[whole.measure]
    scale, unit = (1, unit) if unit == "ms" else (100, "%")
    before, after = (short(scale * value) for value in (whole.baseline, whole.contender))
    if before == after:
        return f"{name} {before} {unit} on both sides"
    change = "" if whole.change is None else f" ({signed(whole.change)} %)"
    return f"{name} {before} → {after} {unit}{change}: {said}"


def spoken(row: Contribution) -> str:
    """Write what a part contributes."""
    unit = MEASURES[row.measure][1]
    share = "" if row.share is None else f" ({round(100 * row.share)} %)"
    value = row.contribution * (1 if unit == "ms" else 100)
    return f"{'+' if value > 0 else ''}{short(value)} {unit}{share}"


def limits(
    comparison: ComparisonResult,
    runs: Sequence[ExplainData],
    sides: tuple[Side, Side],
    contributions: Sequence[Contribution],
) -> tuple[str, ...]:
    """Say what the figures of the baseline and of the contender leave open."""
    return (
        *_verdict(comparison),
        *_without_samples(runs),
        *_unknown(contributions, sides),
        *_one_sided(*sides),
        *_cancelled(contributions),
    )


def _verdict(comparison: ComparisonResult) -> Iterator[str]:
    yield (
        "Contributions are arithmetic on what was measured and have no intervals: they say where a change is, not why. "
        "That there is one is for the comparison to say."
    )
    if comparison.verdict not in (Verdict.REGRESSED, Verdict.IMPROVED):
        yield f"The comparison's verdict is “{comparison.verdict}”: what is ranked here may be noise."


def _without_samples(runs: Sequence[ExplainData]) -> Iterator[str]:
    without = [run.run.label for run in runs if run.cells is None]
    if without:
        yield (
            f"{listed(without, _MOST_NAMED)}: no samples (any more). Endpoints are taken from the summaries, the share "
            "beyond the p95 from histograms, times from the timeline where it holds all requests; phases and statuses "
            "of slow requests cannot be told."
        )


def _unknown(contributions: Sequence[Contribution], sides: Sequence[Side]) -> Iterator[str]:
    kinds = {row.kind for row in contributions}
    measures = {row.measure for row in contributions}
    if "phase" not in kinds:
        yield "Phases of requests (connect, first byte) are not known on both sides."
    if any(side.times is None for side in sides):
        yield "When in the run requests moved is not known on both sides."
    for measure in ("mean_ms", "beyond_p95"):
        if measure not in measures:
            yield f"{_capital(MEASURES[measure][0])}: not known of the endpoints of both sides."


def _one_sided(baseline: Side, contender: Side) -> Iterator[str]:
    for words, here, there in (("baseline", baseline, contender), ("contender", contender, baseline)):
        alone = [endpoint.label for endpoint in here.endpoints if endpoint not in there.endpoints]
        if alone:
            yield f"In the {words} alone: {listed(alone, _MOST_NAMED)}; all that they contribute is mix."


def _cancelled(contributions: Sequence[Contribution]) -> Iterator[str]:
    measures = dict.fromkeys(row.measure for row in contributions if row.kind == "endpoint" and row.share is None)
    for measure in measures:
        if any(row.contribution for row in contributions if row.measure == measure):
            yield (
                f"{_capital(MEASURES[measure][0])}: endpoints moved both ways and nearly cancel each other out, so "
                "shares of the whole change are not given."
            )


def shared(
    comparison: ComparisonResult,
    runs: Sequence[ExplainData],
    overlaps: Sequence[RunOverlap],
    moves: Sequence[LocationMove],
) -> tuple[str, ...]:
    """Say what speaks to whether the change is of this test alone, and what to look at next."""
    return (*_shift(comparison), *_overlaps(runs, overlaps), *_moves(moves))


def _shift(comparison: ComparisonResult) -> Iterator[str]:
    row = shared_shift(comparison)
    if row is not None and row.change is not None and row.verdict in (Verdict.REGRESSED, Verdict.IMPROVED):
        yield (
            f"All endpoints moved together by {signed(row.change)} % (mean): a layer that they share, or the "
            "environment. It stays part of the verdict until somebody shows that it is the environment."
        )


def _overlaps(runs: Sequence[ExplainData], overlaps: Sequence[RunOverlap]) -> Iterator[str]:
    if any(data.run.overlaps is None for data in runs):
        unknown = [data.run.label for data in runs if data.run.overlaps is None]
        yield f"Who else was at the location is not known of {listed(unknown, _MOST_NAMED)}."
    for side in ("contender", "baseline"):
        others = {(o.overlap.run_id, o.overlap.test) for o in overlaps if o.side == side and o.overlap.seconds >= 1}
        if others:
            names = [f"run {run_id}" + (f" ({test})" if test else "") for run_id, test in sorted(others, key=str)]
            yield f"At the same location during the {side}: {listed(names, _MOST_NAMED)}."


def _moves(moves: Sequence[LocationMove]) -> Iterator[str]:
    if not moves:
        return
    moved = [move for move in moves if abs(move.change) >= MOVED_TOO]
    named = [f"{move.test} {signed(move.change)} %" for move in moved]
    beside = f": {listed(named, _MOST_NAMED)}" if named else ""
    yield (
        f"Of {plural(len(moves), 'other test')} at {moves[0].location}, {len(moved)} moved by "
        f"{100 * MOVED_TOO:g} % or more (p50, last run before and after){beside}."
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
