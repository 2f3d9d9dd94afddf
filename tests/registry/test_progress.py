"""How a run did at each heartbeat: kept while it runs, given up for its results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select

from ator_lib.errors import LeaseLostError, NotFoundError
from ator_lib.model import EndpointProgress, ErrorProgress, Progress, Run, RunRequest
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import read
from ator_lib.sql.tables import run_progress

BEAT = Progress(elapsed_s=2.0, requests=10, failures=1, users=3, throughput_rps=4.0, p95_ms=12.5)


@pytest.fixture
def leased(registry: Registry) -> Run:
    """Register a run with a lease of a minute."""
    return registry.register(RunRequest(test="checkout"), lease_s=60)


def beat(registry: Registry, run: Run, elapsed_s: float, **figures: Any) -> Run:
    """Renew a run's lease with progress."""
    return registry.renew(run.run_id, run.lease_id or "", lease_s=60, progress=Progress(elapsed_s=elapsed_s, **figures))


def seconds(registry: Registry, run: Run, since_s: float | None = None) -> list[float]:
    """Tell when there are points."""
    return [point.elapsed_s for point in registry.progress(run.run_id, since_s=since_s)]


def test_each_heartbeat_is_a_point(registry: Registry, leased: Run) -> None:
    """With its figures and the time by the database's clock, the oldest first."""
    registry.renew(leased.run_id, leased.lease_id or "", lease_s=60, progress=BEAT)
    beat(registry, leased, 4.0)
    first, second = registry.progress(leased.run_id)
    told = {name: value for name, value in vars(first).items() if name != "at"}
    assert told.items() <= vars(BEAT).items()
    assert (second.requests, second.failures, second.users, second.throughput_rps, second.p95_ms) == (0, 0, *3 * [None])
    assert leased.start_time is not None
    assert leased.start_time <= first.at <= second.at


def test_later_points_alone(registry: Registry, leased: Run) -> None:
    """For views that know the earlier ones."""
    for elapsed_s in (1.0, 2.5, 4.0):
        beat(registry, leased, elapsed_s)
    assert seconds(registry, leased, since_s=2.5) == [4.0]
    assert seconds(registry, leased, since_s=4.0) == []
    assert seconds(registry, leased, since_s=0) == [1.0, 2.5, 4.0]


def test_a_heartbeat_that_tells_nothing_new_is_no_point(registry: Registry, leased: Run) -> None:
    """Neither one without progress, nor one whose time has not gone on."""
    for elapsed_s in (3.0, 3.0, 1.0):
        beat(registry, leased, elapsed_s)
    registry.renew(leased.run_id, leased.lease_id or "", lease_s=60)
    assert seconds(registry, leased) == [3.0]


def test_without_the_lease_nothing_is_told(registry: Registry, leased: Run) -> None:
    """It is the fence here, too."""
    with pytest.raises(LeaseLostError):
        registry.renew(leased.run_id, "another's", lease_s=60, progress=BEAT)
    assert seconds(registry, leased) == []


def test_of_a_run_that_is_not_there(registry: Registry) -> None:
    """It is said, rather than told as silence."""
    with pytest.raises(NotFoundError, match="no run 77"):
        registry.progress(77)


def test_a_run_that_ended_without_results_keeps_its_points(registry: Registry, leased: Run) -> None:
    """They are all that is known of it."""
    beat(registry, leased, 2.0)
    registry.complete(leased.run_id, "failure", lease_id=leased.lease_id)
    assert seconds(registry, leased) == [2.0]


def test_endpoints_and_errors_are_those_of_the_last_heartbeat(registry: Registry, leased: Run) -> None:
    """Odd names are kept as well as a database can; a figure that is not finite was not measured."""
    odd = EndpointProgress(name="/\0\ud800", requests=1, p95_ms=float("nan"))
    plain = EndpointProgress(name="/a", method="GET", requests=7, failures=2, throughput_rps=1.5, p95_ms=3.0)
    error = ErrorProgress(name="/a", method="GET", error="500 <b>", requests=2)
    renewed = beat(registry, leased, 2.0, requests=8, endpoints=(plain, odd), errors=(error,))
    assert renewed.progress is not None
    assert renewed.progress.endpoints == (plain, EndpointProgress(name="/?", requests=1))
    assert renewed.progress.errors == (error,)
    assert registry.get(leased.run_id).progress == renewed.progress
    assert registry.running()[0].progress == renewed.progress
    assert beat(registry, leased, 4.0).progress == Progress(elapsed_s=4.0)


@pytest.mark.parametrize("elapsed_s", [float("nan"), float("inf")])
def test_a_heartbeat_of_no_time_tells_nothing(registry: Registry, leased: Run, elapsed_s: float) -> None:
    """A tool that cannot say when it is keeps its lease, and what it told before."""
    before = beat(registry, leased, 2.0, requests=5)
    renewed = beat(registry, leased, elapsed_s, requests=6)
    assert renewed.progress == before.progress
    assert seconds(registry, leased) == [2.0]


def test_long_runs_are_thinned_out(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second point goes when there are too many; the first and the last stay."""
    most = 8
    monkeypatch.setattr("ator_lib.registry.progress.MOST_POINTS", most)
    registry = Registry(engine)
    run = registry.register(RunRequest(), lease_s=60)
    for number in range(most + 1):
        beat(registry, run, float(number))
    assert seconds(registry, run) == [0.0, 2.0, 4.0, 6.0, 8.0]
    for number in range(most + 1, 100):
        beat(registry, run, float(number))
        assert len(seconds(registry, run)) <= most
    assert seconds(registry, run)[0] == 0.0
    assert seconds(registry, run)[-1] == 99.0


def test_points_of_one_run_alone_are_thinned_out(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run's stay as they are."""
    monkeypatch.setattr("ator_lib.registry.progress.MOST_POINTS", 4)
    registry = Registry(engine)
    long, short = (registry.register(RunRequest(), lease_s=60) for _ in range(2))
    for number in range(4):
        beat(registry, short, float(number))
    for number in range(5):
        beat(registry, long, float(number))
    assert (seconds(registry, long), seconds(registry, short)) == ([0.0, 2.0, 4.0], [0.0, 1.0, 2.0, 3.0])


def test_a_point_and_its_renewal_are_one(engine: Engine) -> None:
    """When the point cannot be written, the lease is not renewed and the progress not changed."""
    registry = Registry(engine)
    run = registry.register(RunRequest(), lease_s=60)
    before = registry.get(run.run_id)

    def fail(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO run_progress"):
            raise RuntimeError("power cut")

    event.listen(engine, "before_cursor_execute", fail)
    with pytest.raises(RuntimeError):
        beat(registry, run, 2.0)
    event.remove(engine, "before_cursor_execute", fail)
    assert registry.get(run.run_id) == before
    assert seconds(registry, run) == []


def test_points_go_with_their_run(engine: Engine) -> None:
    """Whoever deletes it."""
    registry = Registry(engine)
    run = registry.register(RunRequest(), lease_s=60)
    beat(registry, run, 2.0)
    registry.complete(run.run_id, "failure", lease_id=run.lease_id)
    with engine.begin() as connection:
        registry.remove(run.run_id, connection=connection)
    with read(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(run_progress)) == 0


def test_an_abandoned_run_without_results_keeps_its_points(
    registry: Registry, leased: Run, expire: Callable[[int], None]
) -> None:
    """What it did until its machine died."""
    beat(registry, leased, 2.0)
    expire(leased.run_id)
    registry.running()
    assert seconds(registry, leased) == [2.0]
