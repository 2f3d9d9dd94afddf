"""One registry contract over both databases, and over HTTP to a real server of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, insert, text, update

from ator_lib import schema
from ator_lib.model import LocationUse, RunRequest
from ator_lib.registry.baselines import Baselines
from ator_lib.registry.client import ServerClient
from ator_lib.registry.locations import Locations
from ator_lib.registry.registry import Registry
from ator_lib.registry.remote import RemoteRegistry
from ator_lib.registry.remote_tables import RemoteLocations
from ator_lib.registry.tokens import Tokens
from ator_lib.results.parquet import ParquetStore
from ator_lib.sql.engine import write
from ator_lib.sql.tables import ingests, summaries, test_executions
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.workspace import Workspace
from tests.support.served import ChangingServer, changing_server

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

OVER_HTTP = "http"
SUITED = (
    *("test_history", "test_leases", "test_locations", "test_progress", "test_queue", "test_registry"),
    "test_searches",
)
"""Modules whose tests run over HTTP, too."""

NOT_OVER_HTTP = {
    "test_a_run_is_kept_as_it_was_asked_for": "no tool is executed from afar",
    "test_a_run_with_nothing_said": "other rules are another server's",
    "test_pages_of_every_order_have_each_run_once": "orders and cursors are handed on; test_remote looks at one",
    "test_completing_inside_the_callers_transaction": "a transaction does not reach so far",
    "test_a_lease_ends_by_the_databases_clock": "a lease is told to nobody but its holder",
    "test_reap_returns_whom_it_abandoned": "whoever looks, reaps",
    "test_baselines_are_pinned_by_name": "runs are deleted with their results",
    "test_a_supervised_run_is_not_reaped": "it is about this host",
    "test_a_run_whose_tool_is_executed_is_completed_by_its_executor": "no tool is executed from afar",
}


@pytest.hookimpl(tryfirst=True)  # before the fixture brings its own parameters
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let the tests of the registry's behaviour knock at each door."""
    module = metafunc.module.__name__.rpartition(".")[2]
    asks = set(metafunc.fixturenames)
    if module in SUITED and "registry" in asks and "statements" not in asks:
        doors = {"sqlite": ("sqlite", None), "postgres": ("postgres", None), "http": ("sqlite", OVER_HTTP)}
        if metafunc.function.__name__ in NOT_OVER_HTTP:
            del doors["http"]
        each = pytest.mark.parametrize(("database_url", "registry"), doors.values(), ids=doors, indirect=True)
        metafunc.definition.add_marker(each)


@pytest.fixture(scope="session")
def server() -> Iterator[ChangingServer]:
    """Start one server for all tests; each lets it serve its own database."""
    with changing_server() as server:
        yield server


@pytest.fixture
def registry(request: pytest.FixtureRequest, engine: Engine, tmp_path: Path) -> Registry | RemoteRegistry:
    """Return the registry of a fresh database, or the client of a server that has it."""
    registry = Registry(engine)
    if getattr(request, "param", None) != OVER_HTTP:
        return registry
    server: ChangingServer = request.getfixturevalue("server")
    server.serve(workspace_on(engine, registry, tmp_path))
    return RemoteRegistry(ServerClient(server.url))


def workspace_on(engine: Engine, registry: Registry, folder: Path) -> Workspace:
    """Make a workspace of a database."""
    return Workspace(
        Parts(
            engine=engine,
            registry=registry,
            locations=Locations(engine, reap=registry.reap),
            baselines=Baselines(engine),
            tokens=Tokens(engine),
            store=ParquetStore(folder / "results", registry="tests"),
            data=folder,
            database_url=None,
            lease_s=30,
            max_error_rate=0.01,
            max_rejected_rate=0.01,
            host="tests",
        )
    )


@pytest.fixture
def locations(registry: Registry | RemoteRegistry) -> Locations | RemoteLocations:
    """Return the locations of the registry."""
    return _locations(registry)


def locations_of(registry: Registry | RemoteRegistry) -> list[LocationUse]:
    """Return all locations of a registry with what is taken of them."""
    return _locations(registry).list()


def _locations(registry: Registry | RemoteRegistry) -> Locations | RemoteLocations:
    if isinstance(registry, RemoteRegistry):
        return RemoteLocations(registry._server)
    return Locations(registry._engine, reap=registry.reap)


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


@pytest.fixture
def streams(registry: Registry) -> list[str]:
    """Register a run for each of these streams, with ids from 1."""
    names = ["main", "Main-2", "feature_x", "featureAx", "100%", "a\\b"]
    for name in names:
        registry.register(RunRequest(stream=name, test=name.lower(), location=f"lab-{name[0]}"))
    return names


@pytest.fixture
def described(engine: Engine) -> None:
    """Register runs 1 to 4 that differ in every field, and end two of them."""
    registry = Registry(engine)
    for number, more in enumerate(
        ({"git": "0f3c", "build": 12}, {"git": "9a", "final": True}, {}, {"half": 0.5}), start=1
    ):
        registry.register(
            RunRequest(
                repo=f"repo-{number}",
                lac=f"LAC.{number}",
                stream="main" if number % 2 else None,
                test="checkout" if number < 3 else "search",
                type="load",
                environment=f"env_{number}",
                triggered_by=f"user{number}@example",
                location=f"lab-{number}",
                tool="k6" if number == 4 else None,
                attributes={**more, "tags": ["nightly", f"n{number}"]},
            )
        )
    registry.complete(1, "success", reason="fine")
    registry.complete(3, "failure")
    with write(engine) as connection:
        for run_id, factor in ((1, "9"), (2, "10.5"), (3, "0.25")):
            changed = update(test_executions).where(test_executions.c.run_id == run_id)
            connection.execute(changed.values(factor=Decimal(factor)))
        for run_id, seconds in ((1, 90.25), (3, 300)):
            end_time = NOON + timedelta(seconds=seconds)
            changed = update(test_executions).where(test_executions.c.run_id == run_id)
            connection.execute(changed.values(start_time=NOON, end_time=end_time))


@pytest.fixture
def measured(engine: Engine, described: None) -> None:
    """Give runs 1 and 3 figures: of an endpoint, and of all requests; run 3 has no percentile."""
    with write(engine) as connection:
        for run_id, requests, p95_ms in ((1, 200, 80.5), (3, 1000, None)):
            owner = {"run_id": run_id, "ingest_id": f"i{run_id}"}
            rest = {"created_at": NOON, "samples": 0, "truncated": False, "schema_version": schema.VERSION}
            connection.execute(insert(ingests).values(**owner, **rest))
            for scope, name, count in (("name", "/a", 10 * requests), ("total", None, requests)):
                figures = {"requests": count, "failures": 2, "error_rate": 2 / count, "p95_ms": p95_ms}
                row = {**owner, "scope": scope, "name": name, "precision": "exact", **figures}
                connection.execute(insert(summaries).values(**row))
