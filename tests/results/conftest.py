from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, insert

from ator_lib.readers.base import Reading
from ator_lib.results import index
from ator_lib.results.base import StagedResults
from ator_lib.results.parquet import ParquetStore
from ator_lib.sql.engine import write
from ator_lib.sql.tables import test_executions
from tests.results.synthetic import START


@pytest.fixture
def store(tmp_path: Path) -> ParquetStore:
    """Make an empty bulk store."""
    return ParquetStore(tmp_path / "results")


def new_run(engine: Engine, **values: Any) -> int:
    """Put a run into a database; says its id."""
    row = {"id": uuid4(), "status": "running", "start_time": START, **values}
    with write(engine) as connection:
        statement = insert(test_executions).values(**row).returning(test_executions.c.run_id)
        run_id: int = connection.execute(statement).scalar_one()
    return run_id


@pytest.fixture
def add_run(engine: Engine) -> Callable[..., int]:
    """Return a function that puts a run into the database and says its id."""
    return partial(new_run, engine)


def keep(engine: Engine, store: ParquetStore, run_id: int, given: Reading) -> StagedResults:
    """Keep a synthetic reading as a run's results."""
    staged = store.write(given)
    with write(engine) as connection:
        index.record(connection, run_id, staged)
    return staged


@pytest.fixture
def ingest(engine: Engine, store: ParquetStore) -> Callable[..., StagedResults]:
    """Return a function that keeps a synthetic reading as a run's results."""
    return partial(keep, engine, store)
