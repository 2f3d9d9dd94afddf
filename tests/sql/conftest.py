"""Fixtures of the sql room."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import Engine, insert

from ator_lib.sql.engine import write
from ator_lib.sql.tables import test_executions
from ator_lib.sql.types import Clock


@pytest.fixture
def start_run(engine: Engine) -> int:
    """Id of a running run in the database."""
    values = {"id": uuid4(), "status": "running", "start_time": Clock()}
    with write(engine) as connection:
        run_id: int = connection.execute(
            insert(test_executions).values(**values).returning(test_executions.c.run_id)
        ).scalar_one()
    return run_id
