"""The SQL side of results: which file set is whose, and the summaries of every run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
from sqlalchemy import Connection, Engine, insert, select

from ator_lib import schema
from ator_lib.errors import StoreVersionError
from ator_lib.results.base import StagedResults
from ator_lib.results.files import with_run_id
from ator_lib.sql.engine import read
from ator_lib.sql.tables import ingests
from ator_lib.sql.tables import summaries as summaries_table
from ator_lib.sql.types import Clock

SUMMARIES = with_run_id(schema.SUMMARIES)
"""``schema.SUMMARIES`` of many runs: ``run_id`` first."""


def record(connection: Connection, run_id: int, staged: StagedResults) -> None:
    """Make staged results the run's own, within the caller's transaction: they become visible by its commit."""
    connection.execute(
        insert(ingests).values(
            ingest_id=staged.ingest_id,
            run_id=run_id,
            created_at=Clock(),
            samples=staged.samples,
            started_at=staged.started_at,
            ended_at=staged.ended_at,
            tool=staged.tool,
            tool_version=staged.tool_version,
            precision=staged.precision,
            truncated=staged.truncated,
            schema_version=schema.VERSION,
        )
    )
    owner = {"run_id": run_id, "ingest_id": staged.ingest_id}
    connection.execute(insert(summaries_table), [owner | row for row in staged.summaries.to_pylist()])


def ingest_of(engine: Engine, run_id: int) -> str | None:
    """Return the id of the run's file set; ``None`` when it has none."""
    with read(engine) as connection:
        return connection.scalar(select(ingests.c.ingest_id).where(ingests.c.run_id == run_id))


def window_of(engine: Engine, run_id: int) -> tuple[datetime, datetime] | None:
    """Return when the run's first request started and its last one ended; ``None`` when nobody knows."""
    with read(engine) as connection:
        row = connection.execute(
            select(ingests.c.started_at, ingests.c.ended_at).where(ingests.c.run_id == run_id)
        ).one_or_none()
    return None if row is None or None in row else (row[0], row[1])


def summaries(engine: Engine, run_ids: Sequence[int] | None = None) -> pa.Table:
    """Return ``SUMMARIES`` of some or all runs, by run_id; a run's total comes after its names.

    A run without results has no row.
    """
    table = summaries_table.c
    statement = select(*(table[name] for name in SUMMARIES.names)).order_by(
        table.run_id, table.ingest_id, table.scope, table.name, table.method
    )
    if run_ids is not None:
        statement = statement.where(table.run_id.in_(run_ids))
    with read(engine) as connection:
        return pa.Table.from_pylist([dict(row) for row in connection.execute(statement).mappings()], schema=SUMMARIES)


def known_ingests(engine: Engine) -> set[str]:
    """Return the ids of all file sets that belong to a run; every other one is an orphan."""
    with read(engine) as connection:
        return set(connection.scalars(select(ingests.c.ingest_id)))


def file_sets(engine: Engine) -> list[tuple[int, str]]:
    """Return (run_id, ingest_id) of every file set, by run_id.

    Raises
    ------
    StoreVersionError
        One of them was written by a newer ATOR.
    """
    table = ingests.c
    with read(engine) as connection:
        rows = connection.execute(
            select(table.run_id, table.ingest_id, table.schema_version).order_by(table.run_id, table.ingest_id)
        ).all()
    for run_id, _, version in rows:
        if version > schema.VERSION:
            raise StoreVersionError(
                f"the results of run {run_id} have version {version} of the tables and this ATOR knows up to "
                f"{schema.VERSION}: update ATOR"
            )
    return [(run_id, ingest_id) for run_id, ingest_id, _ in rows]
