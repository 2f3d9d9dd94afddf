"""Who else was at a run's location while it ran."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from ator_lib.model import Run, RunRequest
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import write
from ator_lib.sql.tables import test_executions as executions

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ran(registry: Registry, engine: Engine, start: float, end: float | None, location: str | None = "lab-1") -> Run:
    """Make a run from minute ``start`` to ``end`` after noon; without an end it still runs."""
    run = registry.register(RunRequest(test="t", location=location), lease_s=None)
    if end is not None:
        registry.complete(run.run_id, "success")
    times = {"start_time": NOON + timedelta(minutes=start), "location": location}
    if end is not None:
        times["end_time"] = NOON + timedelta(minutes=end)
    with write(engine) as connection:
        connection.execute(update(executions).where(executions.c.run_id == run.run_id).values(**times))
    return registry.get(run.run_id)


def ids(runs: list[Run] | None) -> list[int] | None:
    return None if runs is None else [run.run_id for run in runs]


def test_only_those_at_the_same_place_and_time(registry: Registry, engine: Engine) -> None:
    """Ordered by start; runs that only touch do not overlap, those that still run do."""
    run = ran(registry, engine, 10, 20)
    ran(registry, engine, 0, 10)
    ran(registry, engine, 20, 30)
    ran(registry, engine, 12, 18, location="lab-2")
    late = ran(registry, engine, 19, 30)
    still = ran(registry, engine, 15, None)
    early = ran(registry, engine, 0, 11)
    assert ids(registry.overlapping(run)) == [early.run_id, still.run_id, late.run_id]


def test_a_running_run_lasts_until_now(registry: Registry, engine: Engine) -> None:
    """It overlaps all that came after its start."""
    run = ran(registry, engine, 10, None)
    inside = ran(registry, engine, 30, 40)
    assert ids(registry.overlapping(run)) == [inside.run_id]


def test_what_nobody_can_know(registry: Registry, engine: Engine) -> None:
    """Without a location there is no telling, which is not "nobody"."""
    ran(registry, engine, 0, 10, location=None)
    assert registry.overlapping(ran(registry, engine, 0, 10, location=None)) is None
