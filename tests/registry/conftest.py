"""One registry contract over both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event, text

from ator_lib.model import LocationUse
from ator_lib.registry.locations import Locations
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import write


@pytest.fixture
def registry(engine: Engine) -> Registry:
    """Return the registry of a fresh database."""
    return Registry(engine)


def locations_of(registry: Registry) -> list[LocationUse]:
    """Return all locations of a registry with what is taken of them."""
    return Locations(registry._engine, reap=registry.reap).list()


@pytest.fixture
def expire(engine: Engine) -> Callable[[int], None]:
    """Return a function that lets a run's lease have ended an hour ago."""

    def in_the_past(run_id: int) -> None:
        past = "'2020-01-01 00:00:00.000000'"
        with write(engine) as connection:
            statement = f"UPDATE test_executions SET lease_expires_at = {past} WHERE run_id = {run_id}"
            assert connection.execute(text(statement)).rowcount == 1

    return in_the_past


@pytest.fixture
def statements(engine: Engine) -> Callable[[], Iterator[list[str]]]:
    """Return a context manager that lists the statements executed in it."""

    @contextmanager
    def listed() -> Iterator[list[str]]:
        seen: list[str] = []

        def remember(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", remember)
        yield seen
        event.remove(engine, "before_cursor_execute", remember)

    return listed
