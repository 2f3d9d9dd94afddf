"""Did other tests at the same location move, too? What the summaries of their runs say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import pyarrow.compute as pc

from ator_lib.model import Run
from ator_lib.registry.statements import ENDED
from ator_lib.results import index
from ator_lib.workspace.parts import Parts

if TYPE_CHECKING:
    from ator_lib.analysis.explain.data import LocationMove
    from ator_lib.analysis.run_data import RunData

_MOST_RUNS = 500
_MOST_TESTS = 10


class _Times(NamedTuple):
    """When the baseline's last run began, and the contender's last one ended."""

    baseline: datetime
    contender: datetime


def location_moves(parts: Parts, contender: Sequence[RunData], baseline: Sequence[RunData]) -> tuple[LocationMove, ...]:
    """Put the last run of each other test at the contender's location beside its last one before the change.

    The change lies between the start of the baseline's last run and that of the contender's first. Nothing where the
    runs were at several locations or none, their times are not known, or the baseline is the younger one. Runs that
    were cut short say nothing of their test. Looked at are the last five hundred runs of the location, and the
    summaries of at most ten tests.
    """
    from ator_lib.analysis.explain.data import LocationMove

    times = _times(parts, contender, baseline)
    places = {run.location for run in (*contender, *baseline)}
    place = places.pop()
    if times is None or places or place is None:
        return ()
    own = {run.test for run in (*contender, *baseline)}
    pairs = _pairs(parts, place, times, own)
    p50 = _p50(parts, [run.run_id for pair in pairs for run in pair])
    return tuple(
        LocationMove(
            test=after.test or "",
            location=place,
            previous_run_id=before.run_id,
            run_id=after.run_id,
            before=p50[before.run_id],
            after=p50[after.run_id],
        )
        for before, after in pairs
        if before.run_id in p50 and after.run_id in p50
    )


def _times(parts: Parts, contender: Sequence[RunData], baseline: Sequence[RunData]) -> _Times | None:
    sides = [[index.window_of(parts.engine, run.run_id) for run in side] for side in (contender, baseline)]
    after, before = ([window for window in side if window is not None] for side in sides)
    if not after or not before or max(start for start, _ in before) >= min(start for start, _ in after):
        return None
    return _Times(baseline=max(start for start, _ in before), contender=max(end for _, end in after))


def _pairs(parts: Parts, place: str, times: _Times, own: set[str | None]) -> list[tuple[Run, Run]]:
    """Find for each other test, stream and environment the last runs before and after the change."""
    where = {"location": place, "until": times.contender, "status": ENDED}
    found = parts.registry.history(where, limit=_MOST_RUNS, order="-start_time").runs
    before: dict[tuple[str | None, ...], Run] = {}
    after: dict[tuple[str | None, ...], Run] = {}
    for run in found:
        if run.location != place or run.test in own or run.test is None or run.start_time is None:
            continue
        side = after if run.start_time > times.baseline else before
        side.setdefault((run.test, run.stream, run.environment, run.tool), run)
    return [(before[series], run) for series, run in after.items() if series in before][:_MOST_TESTS]


def _p50(parts: Parts, run_ids: Sequence[int]) -> dict[int, float]:
    rows = index.summaries(parts.engine, run_ids) if run_ids else None
    if rows is None:
        return {}
    totals = rows.filter(pc.field("scope") == "total").to_pylist()
    return {row["run_id"]: row["p50_ms"] for row in totals if row["p50_ms"]}
