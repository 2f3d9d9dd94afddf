"""Made-up runs to try the registry with: every one is marked synthetic, and none has results.

Three users, five streams and seven tests: a run of each test in each stream, 35 that have ended in the
last 30 days in all the ways a run can, and two at the location ``synthetic``, one running and one queued.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product

from ator_lib.errors import ConflictError
from ator_lib.model import TAGS, Run, RunRequest, RunStatus, StatusReason
from ator_lib.sql.engine import write
from ator_lib.workspace.database import SYNTHETIC
from ator_lib.workspace.parts import Parts

LOCATION = "synthetic"
"""A place of its own, so that nothing made up takes a part of a real one."""

USERS = ("ada", "grace", "linus")
STREAMS = ("main", "release/1.0", "feature/search", "feature/checkout", "hotfix/login")
TESTS = {
    "login": Decimal("0.1"),
    "search": Decimal("0.2"),
    "product page": Decimal("0.2"),
    "checkout": Decimal("0.4"),
    "orders": Decimal("0.3"),
    "import": Decimal("0.5"),
    "soak": Decimal("0.8"),
}
"""The tests, with the factor that a run of each takes."""

_ENDINGS = (
    *((RunStatus.SUCCESS, None),) * 4,
    (RunStatus.FAILURE, StatusReason.REQUESTS_FAILED),
    (RunStatus.SUCCESS, None),
    (RunStatus.CANCELLED, StatusReason.STOPPED_BY_USER),
    (RunStatus.FAILURE, StatusReason.TIMEOUT),
    (RunStatus.SUCCESS, None),
    (RunStatus.ABANDONED, StatusReason.LEASE_EXPIRED),
)
_DAYS = 30
_LIVE_S = 3600.0
_HEAVY = Decimal("0.6")


@dataclass(frozen=True, kw_only=True)
class Seeded:
    """What was made: runs that have ended, oldest first, and the two that live for an hour."""

    ended: tuple[Run, ...]
    running: Run
    queued: Run


def seed(parts: Parts, *, now: datetime) -> Seeded:
    """Make up runs; the same ones every time, but for their times, which are the 30 days before ``now``.

    Raises
    ------
    ConflictError
        The registry has synthetic runs already; nothing was changed.
    """
    _refuse_seeded(parts)
    pairs = list(product(STREAMS, TESTS))
    with write(parts.engine) as connection:
        ended = []
        for number, (stream, test) in enumerate(pairs):
            status, reason = _ENDINGS[number % len(_ENDINGS)]
            start = now - timedelta(days=_DAYS) * (len(pairs) - number) / len(pairs)
            ended.append(
                parts.registry.record(
                    _request(stream, test, number),
                    status=status,
                    reason=reason,
                    start_time=start,
                    end_time=start + timedelta(minutes=5 + number % 9),
                    connection=connection,
                )
            )
    running = parts.registry.register(_request(STREAMS[0], "soak", 0, _HEAVY), lease_s=_LIVE_S)
    queued = parts.registry.enqueue(_request(STREAMS[1], "soak", 1, _HEAVY), queue_lease_s=_LIVE_S).run
    return Seeded(ended=tuple(ended), running=running, queued=queued)


def _refuse_seeded(parts: Parts) -> None:
    seeded = parts.registry.history({"attributes": {SYNTHETIC: True}}, limit=1).runs
    if seeded:
        raise ConflictError(
            f"this registry has synthetic runs already, such as run {seeded[0].run_id}: "
            f"use them, delete everything with `ator db reset`, or seed another data folder"
        )
    if LOCATION not in (use.name for use in parts.locations.list()):
        parts.locations.add(LOCATION, description="made up by `ator db seed`: nothing really runs here")


def _request(stream: str, test: str, number: int, factor: Decimal | None = None) -> RunRequest:
    return RunRequest(
        repo="shop",
        lac=f"LAC.{1 + number % 3:04}",
        stream=stream,
        test=test,
        type="soak" if test == "soak" else "load",
        environment="synthetic",
        triggered_by=USERS[number % len(USERS)],
        factor=TESTS[test] if factor is None else factor,
        location=LOCATION,
        attributes={SYNTHETIC: True, TAGS: [SYNTHETIC]},
    )
