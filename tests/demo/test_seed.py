"""Seeded runs: exact counts, all marked synthetic, nothing real touched."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import ator_lib as ator
from ator_lib.demo.seed import LOCATION, STREAMS, TESTS, USERS, seed
from ator_lib.errors import ConflictError
from ator_lib.model import Run, RunRequest, RunStatus
from ator_lib.workspace.parts import Parts

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    """Return the rooms of a new workspace."""
    return ator.connect(tmp_path / "data").parts


def all_runs(parts: Parts) -> tuple[Run, ...]:
    return parts.registry.history(limit=1000, order="run_id").runs


def test_exact_counts(parts: Parts) -> None:
    """3 users, 5 streams and 7 tests: 35 runs that have ended, one running and one queued."""
    seed(parts, now=NOW)
    runs = all_runs(parts)
    assert {run.triggered_by for run in runs} == set(USERS)
    assert {run.stream for run in runs} == set(STREAMS)
    assert {run.test for run in runs} == set(TESTS)
    assert (len(USERS), len(STREAMS), len(TESTS)) == (3, 5, 7)
    assert Counter(run.status.value for run in runs) == {
        "success": 22,
        "failure": 7,
        "cancelled": 3,
        "abandoned": 3,
        "running": 1,
        "queued": 1,
    }
    assert len({(run.stream, run.test) for run in runs if run.status.is_final}) == 35


def test_every_run_is_marked_and_none_has_results(parts: Parts) -> None:
    """By an attribute and by a tag, at a location of their own."""
    seed(parts, now=NOW)
    runs = all_runs(parts)
    assert all(run.attributes["synthetic"] is True and run.tags == ("synthetic",) for run in runs)
    assert {run.location for run in runs} == {LOCATION}
    assert [use.name for use in parts.locations.list()] == [LOCATION]
    assert not (parts.data / "results").exists()


def test_runs_are_spread_over_the_last_thirty_days(parts: Parts) -> None:
    """Each day has one or two; none ends in the future."""
    ended = seed(parts, now=NOW).ended
    assert ended[0].start_time == NOW - timedelta(days=30)
    assert max(run.end_time for run in ended if run.end_time) < NOW
    days = Counter((NOW - run.start_time).days for run in ended if run.start_time)
    assert len(days) >= 29
    assert max(days.values()) <= 2


def test_the_same_runs_every_time(tmp_path: Path) -> None:
    """Two registries that are seeded at the same time have the same runs, but for their UUIDs."""

    def made(name: str) -> list[tuple[object, ...]]:
        ended = seed(ator.connect(tmp_path / name).parts, now=NOW).ended
        return [
            (run.run_id, run.test, run.stream, run.status, run.factor, run.start_time, run.end_time) for run in ended
        ]

    assert made("one") == made("two")


def test_the_queued_run_waits_for_the_running_one(parts: Parts) -> None:
    """The queue and the overview have something to show, for an hour."""
    seeded = seed(parts, now=NOW)
    assert [run.run_id for run in parts.registry.running()] == [seeded.running.run_id]
    assert [place.run.run_id for place in parts.registry.queue()] == [seeded.queued.run_id]
    assert seeded.running.lease_expires_at is not None
    assert seeded.queued.status is RunStatus.QUEUED


def test_a_seeded_registry_is_refused(parts: Parts) -> None:
    """The second time changes nothing; runs of one's own are no hindrance."""
    parts.registry.register(RunRequest(test="mine"))
    seed(parts, now=NOW)
    before = all_runs(parts)
    with pytest.raises(ConflictError, match="has synthetic runs already"):
        seed(parts, now=NOW)
    assert all_runs(parts) == before
