"""The queue of a location: entering it, asking again, leaving it, and who stands where.

Each client asks for itself, so that only a living one can start. Who has not asked for the time
of its lease is taken for dead and loses its place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Connection, select

from ator_lib.errors import AtorError, ConflictError, NeverAdmissibleError, RunCancelledError
from ator_lib.model import (
    Admission,
    LocationStatus,
    LocationUse,
    QueuePlace,
    Refusal,
    Run,
    RunStatus,
    StatusReason,
)
from ator_lib.registry import statements
from ator_lib.registry.checks import lease_lost
from ator_lib.registry.estimates import Ending, estimated_starts
from ator_lib.registry.places import Rules, Wish, foreseen_refusal, hold, refusal_of, uses_of
from ator_lib.registry.records import get_run, run_of
from ator_lib.sql.types import Clock

RENEW_BELOW = 2 / 3
"""A waiting client renews its lease when less than this part of it is left; before, asking only reads."""

_RUNS_PER_ESTIMATE = 20


def wish_of(run: Run) -> Wish:
    """Give what a queued run asks for."""
    return Wish(location=str(run.location), factor=run.factor, priority=run.priority or 0, run_id=run.run_id)


def needs_no_writing(connection: Connection, run: Run, *, queue_lease_s: float) -> Refusal | None:
    """Look whether a queued run must go on waiting and its lease is good for a while yet; ``None`` if not."""
    now = connection.scalar(select(Clock()))
    if run.lease_expires_at is None or now is None:
        return None
    left_s = (run.lease_expires_at - now).total_seconds()
    return foreseen_refusal(connection, wish_of(run)) if left_s > queue_lease_s * RENEW_BELOW else None


def start(connection: Connection, run: Run, rules: Rules, values: dict[str, Any], lease_s: float | None) -> Admission:
    """Start a queued run or renew its lease, in the caller's write transaction.

    Raises
    ------
    LeaseLostError, RunCancelledError
        It is not queued any more, or another one's.
    """
    refusal = refusal_of(wish_of(run), hold(connection, str(run.location), rules))
    if refusal is not None:
        change = statements.WAIT_ON
    elif lease_s is None:
        change = statements.START
    else:
        change, values = statements.START_LEASED, values | {"lease_s": lease_s}
    row = connection.execute(change, values).one_or_none()
    if row is None:
        raise why_not_started(get_run(connection, run.run_id))
    return Admission(run=run_of(row), refusal=refusal)


def give_up(connection: Connection, run: Run, error: NeverAdmissibleError) -> None:
    """Take a run out of the queue that the location, changed meanwhile, can never take."""
    values = {"this_run": run.run_id, "shown_lease": run.lease_id, "reason": StatusReason.NEVER_ADMISSIBLE.value}
    connection.execute(statements.LEAVE, values | {"error": str(error)})


def why_not_started(run: Run) -> AtorError:
    """Say why a run that somebody waits for cannot start."""
    if run.status is RunStatus.CANCELLED:
        return RunCancelledError(f"run {run.run_id} was cancelled while it waited ({run.status_reason})")
    if run.status in (RunStatus.QUEUED, RunStatus.ABANDONED):
        return lease_lost(run)
    return ConflictError(f"run {run.run_id} does not wait in a queue: it is {run.status}")


def places(connection: Connection, location: str | None) -> list[QueuePlace]:
    """List who waits, by location and in the order in which they will start."""
    if location is None:
        rows = connection.execute(statements.ALL_USES)
    else:
        rows = connection.execute(statements.USE, {"this_location": location})
    uses = [use for use in uses_of(rows) if use.waiting]
    runs = {row.run_id: run_of(row) for row in connection.execute(statements.ACTIVE_RUNS)} if uses else {}
    now = connection.scalar(select(Clock()))
    usual = _UsualDurations(connection)
    return [place for use in uses if now for place in _places_at(use, runs, usual, now)]


def _places_at(use: LocationUse, runs: dict[int, Run], usual: _UsualDurations, now: datetime) -> list[QueuePlace]:
    # a run may have ended or joined between the two reads
    holders = [holder for holder in use.holders if holder.run_id in runs]
    waiting = [holder for holder in use.waiting if holder.run_id in runs]
    starts = estimated_starts(
        now,
        use.capacity,
        [Ending(factor=h.factor, at=usual.end_of(runs[h.run_id])) for h in holders],
        [Ending(factor=h.factor, after=usual.of(h.test)) for h in waiting],
    )
    is_offline = use.status is LocationStatus.OFFLINE
    return [
        QueuePlace(
            run=runs[holder.run_id],
            position=place + 1,
            waits_for=tuple(h for h in holders if h.factor) + tuple(waiting[:place]),
            estimated_start=None if is_offline else starts[place],
            estimate_note=f"{use.name} is offline"
            if is_offline
            else usual.note(holders + waiting[:place], starts[place]),
        )
        for place, holder in enumerate(waiting)
    ]


class _UsualDurations:
    """The median duration of each test's last ended runs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, tuple[timedelta | None, int]] = {}

    def of(self, test: str | None) -> timedelta | None:
        """Say how long runs of the test usually take; ``None`` without history."""
        return self._look_up(test)[0]

    def end_of(self, run: Run) -> datetime | None:
        """Say when a running run should end by that."""
        usual = self.of(run.test)
        return None if usual is None or run.start_time is None else run.start_time + usual

    def note(self, ahead: Sequence[Any], start: datetime | None) -> str:
        """Say what an estimate rests on, or why there is none."""
        by_test: dict[str | None, list[int]] = defaultdict(list)
        for holder in ahead:
            if holder.factor:  # who takes nothing delays nobody
                by_test[holder.test].append(holder.run_id)
        if start is None:
            blind = [f"{test!r}" if test else f"run {by_test[test][0]}" for test in by_test if self.of(test) is None]
            return f"no history of {', '.join(blind) or 'what runs there'}"
        counts = [f"{self._look_up(test)[1]} of {test!r}" for test in by_test if self.of(test) is not None]
        return f"by the last runs: {', '.join(counts)}" if counts else "nobody is ahead"

    def _look_up(self, test: str | None) -> tuple[timedelta | None, int]:
        if test is None:
            return None, 0
        if test not in self._known:
            rows = self._connection.execute(statements.DURATIONS, {"this_test": test, "most": _RUNS_PER_ESTIMATE}).all()
            took = [row.end_time - row.start_time for row in rows]
            self._known[test] = (median(took) if took else None, len(took))
        return self._known[test]
