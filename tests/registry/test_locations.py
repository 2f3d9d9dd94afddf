from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import Engine

from ator_lib.errors import ConflictError, FactorError, NotFoundError, UsageError
from ator_lib.model import LocationStatus, RunRequest
from ator_lib.registry.baselines import Baselines
from ator_lib.registry.locations import Locations
from ator_lib.registry.places import Rules
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import write


def test_a_location_is_added_changed_and_listed(locations: Locations, registry: Registry) -> None:
    """With what it has by default, and what is taken of it."""
    added = locations.add("lab-1", description="rack 7")
    assert (added.capacity, added.status, added.description) == (1, LocationStatus.ONLINE, "rack 7")
    changed = locations.change("lab-1", capacity=2.5, status="draining")
    assert (changed.capacity, changed.status, changed.description) == (Decimal("2.5"), "draining", "rack 7")
    registry.register(RunRequest(location="lab-0", factor=Decimal("0.4")))
    assert [(use.name, use.taken, use.free) for use in locations.list()] == [
        ("lab-0", Decimal("0.4"), Decimal("0.6")),
        ("lab-1", 0, Decimal("2.5")),
    ]
    assert locations.get("lab-1") == changed


def test_what_is_off_changes_nothing(locations: Locations) -> None:
    """Each one is told what to give instead."""
    locations.add("lab-1")
    with pytest.raises(ConflictError, match="there is a location 'lab-1' already"):
        locations.add("lab-1", capacity=3)
    with pytest.raises(NotFoundError, match="there is no location 'lab-2'"):
        locations.change("lab-2", capacity=3)
    with pytest.raises(NotFoundError, match="ator location add"):
        locations.get("lab-2")
    for capacity in (0, -1, "NaN", "Infinity", 1e12):
        with pytest.raises(UsageError, match="is not possible"):
            locations.change("lab-1", capacity=capacity)
    with pytest.raises(FactorError):
        locations.change("lab-1", capacity="much")
    with pytest.raises(UsageError, match="give one of online, draining, offline"):
        locations.change("lab-1", status="closed")
    with pytest.raises(UsageError, match="nothing to change"):
        locations.change("lab-1")
    for name in ("", " lab", "x" * 501, "a\0b", "\ud800", "a\u200bb", "a\nb", ".."):
        with pytest.raises(UsageError):
            locations.add(name)
    assert [(use.name, use.capacity) for use in locations.list()] == [("lab-1", 1)]


def test_declared_locations(engine: Engine) -> None:
    """Where they must be declared, an unknown one is an error and is not made."""
    registry = Registry(engine, Rules(declared=True))
    locations = Locations(engine, reap=registry.reap)
    with pytest.raises(NotFoundError, match="there is no location 'lab-1'"):
        registry.register(RunRequest(location="lab-1"))
    assert locations.list() == []
    locations.add("lab-1", capacity=2)
    assert registry.register(RunRequest(location="lab-1", factor=Decimal("1.5"))).factor == Decimal("1.5")


def test_baselines_are_pinned_by_name(engine: Engine, registry: Registry) -> None:
    """A name is one run's; pinned anew, it is another one's. A run that is pinned is not deleted."""
    baselines = Baselines(engine)
    first, second = (registry.register(RunRequest(test="t")).run_id for _ in range(2))
    pinned = baselines.pin("release 1", first)
    assert baselines.list() == [pinned] == [baselines.get("release 1")]
    assert baselines.pin("release 1", second).run_id == second
    registry.complete(second, "success")
    with write(engine) as connection, pytest.raises(ConflictError, match="run 2 is the baseline 'release 1'"):
        registry.remove(second, connection=connection)
    with pytest.raises(NotFoundError, match="there is no run 99"):
        baselines.pin("release 1", 99)
    assert baselines.remove("release 1").run_id == second
    with pytest.raises(NotFoundError, match="there is no baseline 'release 1'"):
        baselines.remove("release 1")
    for name in ("", "12", "previous", "last-success", " x", "a\0"):
        with pytest.raises(UsageError):
            baselines.pin(name, first)
    with write(engine) as connection:
        registry.remove(second, connection=connection)
    with write(engine) as connection, pytest.raises(ConflictError, match="cancel it first"):
        registry.remove(first, connection=connection)
    assert [run.run_id for run in registry.history().runs] == [first]
