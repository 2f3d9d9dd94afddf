"""When will a queued run start? A pure simulation of its location."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Ending:
    """When a run gives its factor back: ``at`` a time, or so long ``after`` its start; ``None`` is unknown."""

    factor: Decimal
    at: datetime | None = None
    after: timedelta | None = None


def estimated_starts(
    now: datetime, capacity: Decimal, running: Sequence[Ending], queued: Sequence[Ending]
) -> list[datetime | None]:
    """Estimate the start of each queued run, in the order of the queue.

    Runs whose usual end has passed are expected to end now. Nobody overtakes: a start is never
    before that of the one ahead, but for runs that take nothing.

    Returns
    -------
    list of datetime or None
        ``None`` where it depends on a run of unknown duration.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> half_past = Ending(factor=Decimal("0.6"), at=noon + timedelta(minutes=30))
    >>> heavy = Ending(factor=Decimal("0.9"), after=timedelta(minutes=10))
    >>> [start.strftime("%H:%M") for start in estimated_starts(noon, Decimal(1), [half_past], [heavy, heavy])]
    ['12:30', '12:40']
    """
    taken = sum((run.factor for run in running), Decimal(0))
    ends = [(max(run.at, now), run.factor) for run in running if run.at is not None]
    heapq.heapify(ends)
    starts: list[datetime | None] = []
    earliest: datetime | None = now
    for run in queued:
        if not run.factor:
            starts.append(now)
            continue
        while earliest is not None and taken + run.factor >= capacity:
            if not ends:  # what still runs has no history
                earliest = None
                break
            end, factor = heapq.heappop(ends)
            earliest, taken = max(earliest, end), taken - factor
        starts.append(earliest)
        taken += run.factor
        if earliest is not None and run.after is not None:
            heapq.heappush(ends, (earliest + run.after, run.factor))
    return starts
