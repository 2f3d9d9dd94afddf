from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from ator_lib.errors import (
    CapacityError,
    ConflictError,
    FactorError,
    NeverAdmissibleError,
    NotFoundError,
    UsageError,
)
from ator_lib.model import LoadProfile, RunRequest, RunStatus
from ator_lib.registry.places import Rules
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import write
from tests.registry.conftest import locations_of

SLACK = timedelta(milliseconds=1)  # SQLite's clock has milliseconds


def asked(factor: str | None = None, location: str | None = None, **more: Any) -> RunRequest:
    """Make a request."""
    return RunRequest(factor=None if factor is None else Decimal(factor), location=location, **more)


def test_a_run_is_kept_as_it_was_asked_for(registry: Registry) -> None:
    """Every field comes back, from ``register`` and from the database alike."""
    request = RunRequest(
        repo="shop",
        lac="web",
        stream="main",
        test="checkout",
        type="load",
        environment="staging",
        triggered_by="ci",
        factor=Decimal("0.40"),
        dashboard_url="https://dash.example/1",
        location="lab-1",
        tool="locust",
        load_profile=LoadProfile(users=5, spawn_rate=1.5, run_time_s=60.0, host="http://127.0.0.1"),
        attributes={"git": {"commit": "abc"}, "notes": ["ü", None, 1.5]},
    )
    before = datetime.now(UTC) - SLACK
    run = registry.register(request)
    assert run == registry.get(run.run_id)
    for field in RunRequest.__dataclass_fields__:
        assert getattr(run, field) == getattr(request, field), field
    assert (run.status, run.end_time, run.lease_id) == (RunStatus.RUNNING, None, None)
    assert run.start_time is not None
    assert before <= run.start_time <= datetime.now(UTC) + SLACK


def test_a_run_with_nothing_said(registry: Registry) -> None:
    """All fields may be unknown; the location is the default one."""
    run = registry.register(RunRequest())
    assert run == registry.get(run.run_id)
    assert (run.location, run.factor, run.test, dict(run.attributes)) == ("default", None, None, {})
    assert Registry(registry._engine, Rules(default_location="lab-7")).register(RunRequest()).location == "lab-7"


def test_run_ids_count_up(registry: Registry) -> None:
    """Each run has the next id."""
    assert [registry.register(asked()).run_id for _ in range(3)] == [1, 2, 3]


def test_a_full_location_refuses_with_the_reason(registry: Registry) -> None:
    """The refusal has the sum, the request, the limit and the holders; nothing is registered."""
    first = registry.register(asked("0.6", "lab-1", test="checkout"))
    registry.register(asked("0.9", "lab-2"))
    with pytest.raises(CapacityError, match=r"'lab-1' is full: 0\.6 taken \+ 0\.4 requested is not below 1") as caught:
        registry.register(asked("0.4", "lab-1"))
    refusal = caught.value.refusal
    assert (refusal.taken, refusal.requested, refusal.limit) == (Decimal("0.6"), Decimal("0.4"), Decimal(1))
    assert [(holder.run_id, holder.test) for holder in refusal.holders] == [(first.run_id, "checkout")]
    assert len(registry.history().runs) == 2
    registry.register(asked("0.39", "lab-1"))


def test_ten_tenths_are_one(registry: Registry) -> None:
    """Nine of 0.1 are admitted and the tenth is not, also when they are given as floats."""
    for _ in range(9):
        registry.register(RunRequest(factor=0.1))  # type: ignore[arg-type]
    with pytest.raises(CapacityError):
        registry.register(RunRequest(factor=0.1))  # type: ignore[arg-type]


def test_no_factor_counts_as_nothing(registry: Registry) -> None:
    """Runs without a factor never fill a location."""
    for _ in range(3):
        registry.register(asked(None, "lab-1"))
    registry.register(asked("0.999", "lab-1"))
    assert locations_of(registry)[0].taken == Decimal("0.999")


@pytest.mark.parametrize("factor", ["1", "-0.1", "NaN", "Infinity"])
def test_a_factor_that_could_never_be_admitted_changes_nothing(registry: Registry, factor: str) -> None:
    """It is another error than a full location, and does not make the location."""
    with pytest.raises(NeverAdmissibleError):
        registry.register(asked(factor, "lab-1"))
    assert registry.history().runs == ()
    assert locations_of(registry) == []


def test_a_factor_that_is_no_number(registry: Registry) -> None:
    """Text is refused before the database is asked."""
    with pytest.raises(FactorError):
        registry.register(RunRequest(factor="abc"))  # type: ignore[arg-type]


def test_a_locations_own_capacity_counts(registry: Registry, engine: Engine) -> None:
    """The location's row says how much it takes."""
    with write(engine) as connection:
        connection.execute(text("INSERT INTO locations (name, capacity) VALUES ('big', '2.5')"))
    registry.register(asked("2", "big"))
    with pytest.raises(CapacityError):
        registry.register(asked("0.5", "big"))
    with pytest.raises(NeverAdmissibleError):
        registry.register(asked("2.5", "big"))
    use = locations_of(registry)[0]
    assert (use.name, use.capacity, use.taken, use.free) == ("big", Decimal("2.5"), Decimal(2), Decimal("0.5"))


@pytest.mark.parametrize("status", ["success", RunStatus.FAILURE, "cancelled"])
def test_completing_frees_the_factor(registry: Registry, status: str) -> None:
    """The run has its final status, reason, error and end; its place is free."""
    run = registry.register(asked("0.9"))
    ended = registry.complete(run.run_id, status, reason="why", error="what it said")
    assert (ended.status, ended.status_reason, ended.error) == (status, "why", "what it said")
    assert ended.end_time is not None
    assert run.start_time is not None
    assert ended.end_time >= run.start_time
    assert ended == registry.get(run.run_id)
    registry.register(asked("0.9"))


def test_a_final_status_never_changes(registry: Registry) -> None:
    """The same status again is nothing new; another one is a conflict; neither changes the row."""
    run = registry.register(asked())
    ended = registry.complete(run.run_id, "failure", reason="first")
    assert registry.complete(run.run_id, "failure", reason="second") == ended
    for status in ("success", "cancelled"):
        with pytest.raises(ConflictError, match="run 1 ended as failure already; a final status never changes"):
            registry.complete(run.run_id, status)
    with pytest.raises(ConflictError, match="run 1 cannot be cancelled: it ended as failure"):
        registry.cancel(run.run_id)
    assert registry.get(run.run_id) == ended


@pytest.mark.parametrize("status", ["passed", "running", "queued", "abandoned", "", None])
def test_unknown_statuses_are_refused_with_the_words(registry: Registry, status: str) -> None:
    """Only the three outcomes can be given."""
    run = registry.register(asked())
    with pytest.raises(UsageError, match="give one of success, failure, cancelled"):
        registry.complete(run.run_id, status)
    assert registry.get(run.run_id).status is RunStatus.RUNNING


@pytest.mark.parametrize("run_id", [1, 0, -5, 10**12, 10**30])
def test_a_run_that_does_not_exist(registry: Registry, run_id: int) -> None:
    """Every method says so, for any number."""
    for act in (
        registry.get,
        registry.cancel,
        registry.update,
        lambda n: registry.complete(n, "success"),
        lambda n: registry.complete(n, "success", lease_id="x"),
        lambda n: registry.renew(n, "x", lease_s=5),
    ):
        with pytest.raises(NotFoundError, match=f"there is no run {run_id}"):
            act(run_id)


def test_cancelling_a_run_without_lease_ends_it(registry: Registry) -> None:
    """It is cancelled at once; again is nothing new."""
    run = registry.register(asked("0.9"))
    cancelled = registry.cancel(run.run_id)
    assert (cancelled.status, cancelled.status_reason) == (RunStatus.CANCELLED, "stopped_by_user")
    assert cancelled.end_time is not None
    assert registry.cancel(run.run_id) == cancelled
    registry.register(asked("0.9"))


def test_a_queued_run_is_cancelled_and_not_completed(registry: Registry, engine: Engine) -> None:
    """What has not started has no outcome."""
    run = registry.register(asked())
    with write(engine) as connection:
        connection.execute(text("UPDATE test_executions SET status = 'queued', lease_id = 'x'"))
    with pytest.raises(ConflictError, match="is queued and has not started; cancel it"):
        registry.complete(run.run_id, "success")
    assert registry.cancel(run.run_id).status is RunStatus.CANCELLED


def test_completing_inside_the_callers_transaction(registry: Registry, engine: Engine) -> None:
    """The status becomes visible with the rest of the transaction, or not at all."""
    run = registry.register(asked())
    with write(engine) as connection:
        assert registry.complete(run.run_id, "success", connection=connection).status is RunStatus.SUCCESS
        connection.rollback()
    assert registry.get(run.run_id).status is RunStatus.RUNNING
    with write(engine) as connection:
        registry.complete(run.run_id, "success", connection=connection)
        other = Registry(engine).get(run.run_id)
    assert other.status is RunStatus.RUNNING
    assert registry.get(run.run_id).status is RunStatus.SUCCESS


def test_running_lists_what_runs(registry: Registry) -> None:
    """Oldest first, without the ended ones."""
    runs = [registry.register(asked()) for _ in range(3)]
    registry.complete(runs[1].run_id, "success")
    assert registry.running() == [runs[0], runs[2]]


def test_updating_merges_attributes(registry: Registry) -> None:
    """Attributes are added or replaced by name, on ended runs too; what is not given stays."""
    run = registry.register(asked(attributes={"a": 1, "b": {"x": 1}}, dashboard_url="https://old.example"))
    registry.complete(run.run_id, "success")
    updated = registry.update(run.run_id, attributes={"b": {"y": 2}, "c": None})
    assert (updated.attributes, updated.dashboard_url) == ({"a": 1, "b": {"y": 2}, "c": None}, "https://old.example")
    assert registry.update(run.run_id, dashboard_url="https://new.example").attributes == updated.attributes
    assert registry.get(run.run_id).dashboard_url == "https://new.example"


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"bytes"])
def test_attributes_must_be_json(registry: Registry, value: object) -> None:
    """What is no JSON is refused, and nothing is changed."""
    run = registry.register(asked(attributes={"pair": (1, 2)}))
    assert run.attributes == registry.get(run.run_id).attributes == {"pair": [1, 2]}
    with pytest.raises(UsageError, match=r"attributes cannot be kept.*give values that JSON has"):
        registry.register(asked(attributes={"value": value}))
    with pytest.raises(UsageError, match="attributes cannot be kept"):
        registry.update(run.run_id, attributes={"value": value})
    assert registry.history().runs == (run,)


def test_a_tools_last_words_are_kept_whatever_they_are(registry: Registry) -> None:
    """Bytes that a database cannot keep do not lose the outcome."""
    run = registry.register(asked())
    ended = registry.complete(run.run_id, "failure", error="a\0b \udcff ü")
    assert ended.error == "ab ? ü"


def test_a_refused_or_admitted_run_takes_few_statements(
    registry: Registry, statements: Callable[..., Any], engine: Engine
) -> None:
    """A registration is the lock, the sum and the insert; a completion is one statement."""
    registry.register(asked())
    with statements() as seen:
        run = registry.register(asked())
        registry.complete(run.run_id, "success")
    expected = ["BEGIN IMMEDIATE", "SELECT", "INSERT", "BEGIN IMMEDIATE", "UPDATE"]
    if engine.dialect.name == "postgresql":
        expected = ["SELECT", "SELECT", "INSERT", "UPDATE"]
    assert len(seen) == len(expected)
    assert all(statement.startswith(start) for statement, start in zip(seen, expected, strict=True))
