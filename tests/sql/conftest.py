"""Fixtures of the sql room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, insert

from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import open_engine, upgrade, write
from ator_lib.sql.tables import test_executions
from ator_lib.sql.types import Clock
from tests.sql.published import Adopt, make


@pytest.fixture
def start_run(engine: Engine) -> int:
    """Id of a running run in the database."""
    values = {"id": uuid4(), "status": "running", "start_time": Clock()}
    with write(engine) as connection:
        run_id: int = connection.execute(
            insert(test_executions).values(**values).returning(test_executions.c.run_id)
        ).scalar_one()
    return run_id


@pytest.fixture
def old(postgres_url: str) -> Iterator[Engine]:
    """Return an engine on an empty PostgreSQL database."""
    engine = open_engine(postgres_url)
    yield engine
    engine.dispose()


@pytest.fixture
def adopt(old: Engine) -> Adopt:
    """Return a function that makes the published table with these rows, upgrades it, and gives the report."""

    def upgraded(
        *rows: dict[str, Any], columns: dict[str, str | None] | None = None, also: tuple[str, ...] = ()
    ) -> str:
        make(old, *rows, columns=columns, also=also)
        report = upgrade(old)
        assert upgrade(old) == ()
        assert len(Registry(old).history(limit=1000).runs) == len(rows)
        return "\n".join(report)

    return upgraded
