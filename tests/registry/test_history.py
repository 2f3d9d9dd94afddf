from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from ator_lib.errors import UsageError
from ator_lib.model import RunRequest
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import write


@pytest.fixture
def streams(registry: Registry) -> list[str]:
    """Register a run for each of these streams, with ids from 1."""
    names = ["main", "Main-2", "feature_x", "featureAx", "100%", "a\\b"]
    for name in names:
        registry.register(RunRequest(stream=name, test=name.lower(), location=f"lab-{name[0]}"))
    return names


@pytest.mark.parametrize(
    ("pattern", "ids"),
    [
        ("main", [1]),
        ("MAIN%", [2, 1]),
        ("%2", [2]),
        ("feature_x", [3]),
        ("Feature%X", [4, 3]),
        ("a\\b", [6]),
        ("%", [6, 5, 4, 3, 2, 1]),
        ("nothing", []),
    ],
)
def test_streams_by_pattern(registry: Registry, streams: list[str], pattern: str, ids: list[int]) -> None:
    """``%`` is the only wildcard, and case does not matter."""
    assert [run.run_id for run in registry.history(stream=pattern)] == ids


def test_pages(registry: Registry, streams: list[str]) -> None:
    """The newest come first, and the last id of a page gives the next one."""
    first = registry.history(limit=4)
    second = registry.history(limit=4, before_run_id=first[-1].run_id)
    assert [run.run_id for run in first + second] == [6, 5, 4, 3, 2, 1]
    assert registry.history(limit=0) == []
    with pytest.raises(UsageError, match="limit -1 is below 0"):
        registry.history(limit=-1)


def test_filters_hold_together(registry: Registry, streams: list[str]) -> None:
    """Test, status and location are compared exactly, and all must hold."""
    registry.complete(1, "failure")
    assert [run.run_id for run in registry.history(status="failure")] == [1]
    assert [run.run_id for run in registry.history(status="failure", location="lab-m")] == [1]
    assert registry.history(status="failure", location="lab-f") == []
    assert [run.run_id for run in registry.history(location="lab-f")] == [4, 3]
    assert [run.run_id for run in registry.history(test="main-2")] == [2]
    with pytest.raises(UsageError, match="give one of queued, running, success"):
        registry.history(status="done")


def test_since(registry: Registry, streams: list[str], engine: Engine) -> None:
    """By the start, or by the queueing of what never started; the time must have a zone."""
    with write(engine) as connection:
        for statement in (
            "UPDATE test_executions SET start_time = '2026-01-01 00:00:00.000000' WHERE run_id <= 3",
            "UPDATE test_executions SET start_time = NULL WHERE run_id IN (4, 5)",
            "UPDATE test_executions SET queued_at = '2026-02-01 00:00:00.000000' WHERE run_id = 5",
        ):
            connection.execute(text(statement))
    new_year = datetime(2026, 1, 1, tzinfo=UTC)
    assert [run.run_id for run in registry.history(since=new_year)] == [6, 5, 3, 2, 1]
    assert [run.run_id for run in registry.history(since=new_year + timedelta(microseconds=1))] == [6, 5]
    with pytest.raises(UsageError, match="has no time zone"):
        registry.history(since=datetime(2026, 1, 1))  # noqa: DTZ001
