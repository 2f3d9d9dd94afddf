"""The SQL side of results: which file set is whose, and the summaries of every run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Engine, Row, Table, delete, func, insert, select

from ator_lib import schema
from ator_lib.errors import StoreError, StoreVersionError
from ator_lib.model import IngestReport
from ator_lib.results.base import POSTGRES, Ingest, StagedResults
from ator_lib.results.files import with_run_id
from ator_lib.sql.bulk import bulk_sets
from ator_lib.sql.engine import read
from ator_lib.sql.live import give_way_to_results
from ator_lib.sql.tables import cases as cases_table
from ator_lib.sql.tables import ingests, test_executions
from ator_lib.sql.tables import summaries as summaries_table
from ator_lib.sql.types import Clock

SUMMARIES = with_run_id(schema.SUMMARIES)
"""``schema.SUMMARIES`` of many runs: ``run_id`` first."""

CASES = with_run_id(schema.CASES)
"""``schema.CASES`` of many runs: ``run_id`` first."""


def record(connection: Connection, run_id: int, staged: StagedResults, *, content_hash: str | None = None) -> Ingest:
    """Make staged results the run's own, within the caller's transaction: they become visible by its commit.

    ``content_hash`` is the SHA-256 of the files that they were read from.

    Raises
    ------
    StoreError
        They were swept meanwhile, as nobody had recorded them for an hour.
    """
    _hold_set(connection, staged)
    statement = (
        insert(ingests)
        .values(
            ingest_id=staged.ingest_id,
            run_id=run_id,
            created_at=Clock(),
            samples=staged.samples,
            started_at=staged.report.started_at,
            ended_at=staged.report.ended_at,
            tool=staged.report.tool,
            tool_version=staged.report.tool_version,
            precision=staged.report.precision,
            truncated=staged.report.truncated,
            schema_version=schema.VERSION,
            content_hash=content_hash,
            store=staged.store,
            report=staged.report.to_json(),
        )
        .returning(*ingests.c)
    )
    ingest = _ingest(connection.execute(statement).one())
    owner = {"run_id": run_id, "ingest_id": staged.ingest_id}
    summaries = [owner | row for row in staged.summaries.to_pylist()]
    cases = [owner | {"position": n} | row for n, row in enumerate(staged.cases.to_pylist(), start=1)]
    for table, rows in ((summaries_table, summaries), (cases_table, cases)):
        if rows:
            connection.execute(insert(table), rows)
    give_way_to_results(connection, run_id)
    return ingest


def remove(connection: Connection, run_id: int) -> str | None:
    """Forget the results of a run, within the caller's transaction; gives the id of its file set, if it had one."""
    for table in (summaries_table, cases_table):
        connection.execute(delete(table).where(table.c.run_id == run_id))
    statement = delete(ingests).where(ingests.c.run_id == run_id).returning(ingests.c.ingest_id)
    return connection.execute(statement).scalar_one_or_none()


def _hold_set(connection: Connection, staged: StagedResults) -> None:
    """Keep the sweep away until the transaction ends, where it works in the same database."""
    if staged.store != POSTGRES:
        return
    sets = bulk_sets.c
    held = select(sets.set_key).where(sets.ingest_id == staged.ingest_id, sets.removed_at.is_(None))
    if connection.scalar(held.with_for_update(read=True)) is None:
        raise StoreError(f"the results of ingest {staged.ingest_id} waited too long and were swept: ingest them again")


def hold_run(connection: Connection, run_id: int) -> bool:
    """Keep others from giving the run results, or deleting it, until the transaction ends; false if there is none."""
    runs = test_executions.c
    return connection.scalar(select(runs.run_id).where(runs.run_id == run_id).with_for_update()) is not None


def hold_content(connection: Connection, content_hash: str) -> None:
    """Keep others from making a run of the same content until the transaction ends."""
    if connection.dialect.name != "sqlite":  # whose write lock does that already
        connection.execute(select(func.pg_advisory_xact_lock(int(content_hash[:15], 16))))


def details_of(connection: Connection, run_id: int) -> Ingest | None:
    """Return what is known of the run's results; ``None`` when it has none."""
    row = connection.execute(select(ingests).where(ingests.c.run_id == run_id)).one_or_none()
    return None if row is None else _ingest(row)


def details_by_content(
    connection: Connection, content_hash: str, *, test: str | None, stream: str | None, location: str | None
) -> Ingest | None:
    """Return the first results of this content whose run has exactly this test, stream and location."""
    runs = test_executions.c
    statement = (
        select(ingests)
        .join(test_executions, runs.run_id == ingests.c.run_id)
        .where(ingests.c.content_hash == content_hash)
        .where(runs.test.is_not_distinct_from(test))
        .where(runs.stream.is_not_distinct_from(stream))
        .where(runs.location.is_not_distinct_from(location))
        .order_by(ingests.c.run_id)
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else _ingest(row)


def ingest_of(engine: Engine, run_id: int) -> str | None:
    """Return the id of the run's file set; ``None`` when it has none."""
    with read(engine) as connection:
        return connection.scalar(select(ingests.c.ingest_id).where(ingests.c.run_id == run_id))


def with_requests(engine: Engine, run_ids: Sequence[int]) -> set[int]:
    """Return which of these runs have figures of requests."""
    totals = summaries_table.c
    statement = select(totals.run_id).where(totals.run_id.in_(run_ids), totals.scope == "total", totals.requests > 0)
    with read(engine) as connection:
        return set(connection.scalars(statement))


def with_cases(engine: Engine, run_ids: Sequence[int]) -> set[int]:
    """Return which of these runs have test cases."""
    known = cases_table.c
    with read(engine) as connection:
        return set(connection.scalars(select(known.run_id).where(known.run_id.in_(run_ids)).distinct()))


def samples_purged_at(engine: Engine, run_id: int) -> datetime | None:
    """Return when the run's samples expired; ``None`` when they are kept, or there were none."""
    with read(engine) as connection:
        return connection.scalar(select(ingests.c.samples_purged_at).where(ingests.c.run_id == run_id))


def store_of(engine: Engine, ingest_id: str) -> str | None:
    """Return where a set is kept; ``None`` when no run points at it."""
    with read(engine) as connection:
        return connection.scalar(select(ingests.c.store).where(ingests.c.ingest_id == ingest_id))


def sets_in(engine: Engine, store: str) -> set[str]:
    """Return the ids of all sets that are kept there."""
    with read(engine) as connection:
        return set(connection.scalars(select(ingests.c.ingest_id).where(ingests.c.store == store)))


def report_of(engine: Engine, run_id: int) -> IngestReport | None:
    """Return the report of the run's ingest; ``None`` when it has none."""
    with read(engine) as connection:
        return _report(connection.scalar(select(ingests.c.report).where(ingests.c.run_id == run_id)))


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
    return _rows(engine, summaries_table, SUMMARIES, ("ingest_id", "scope", "name", "method"), run_ids)


def cases(engine: Engine, run_ids: Sequence[int] | None = None) -> pa.Table:
    """Return ``CASES`` of some or all runs, by run_id and in the order of their files."""
    return _rows(engine, cases_table, CASES, ("ingest_id", "position"), run_ids)


def _rows(
    engine: Engine, table: Table, columns: pa.Schema, order: Sequence[str], run_ids: Sequence[int] | None
) -> pa.Table:
    statement = select(*(table.c[name] for name in columns.names)).order_by(
        table.c.run_id, *(table.c[name] for name in order)
    )
    if run_ids is not None:
        statement = statement.where(table.c.run_id.in_(run_ids))
    with read(engine) as connection:
        return pa.Table.from_pylist([dict(row) for row in connection.execute(statement).mappings()], schema=columns)


def known_ingests(engine: Engine) -> set[str]:
    """Return the ids of all file sets that belong to a run; every other one is an orphan."""
    with read(engine) as connection:
        return set(connection.scalars(select(ingests.c.ingest_id)))


def file_sets(engine: Engine, *, with_samples: bool = False) -> list[tuple[int, str]]:
    """Return (run_id, ingest_id) of every set, by run_id; ``with_samples`` leaves out those that have expired.

    Raises
    ------
    StoreVersionError
        One of them was written by a newer ATOR.
    """
    table = ingests.c
    with read(engine) as connection:
        wanted = select(table.run_id, table.ingest_id, table.schema_version)
        if with_samples:
            wanted = wanted.where(table.samples_purged_at.is_(None))
        rows = connection.execute(wanted.order_by(table.run_id, table.ingest_id)).all()
    for run_id, _, version in rows:
        if version > schema.VERSION:
            raise StoreVersionError(
                f"the results of run {run_id} have version {version} of the tables and this ATOR knows up to "
                f"{schema.VERSION}: update ATOR"
            )
    return [(run_id, ingest_id) for run_id, ingest_id, _ in rows]


def _ingest(row: Row[Any]) -> Ingest:
    return Ingest(**{**row._mapping, "report": _report(row.report)})


def _report(told: dict[str, Any] | None) -> IngestReport | None:
    return None if told is None else IngestReport.from_json(told)
