"""What a database holds, without its secrets."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine, insert

from ator_lib.model import RunRequest
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import write
from ator_lib.sql.overview import SECRETS, TableOverview, overview
from ator_lib.sql.tables import metadata, tokens

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def tables(engine: Engine, newest: int = 5) -> dict[str, TableOverview]:
    return {table.name: table for table in overview(engine, newest=newest)}


def test_all_tables_with_their_rows_and_references(engine: Engine) -> None:
    """Every table of ours, the number of its rows, and where its columns lead."""
    Registry(engine).register(RunRequest(test="a", location="lab"))
    found = tables(engine)
    assert found.keys() == metadata.tables.keys()
    assert {name: table.rows for name, table in found.items() if table.rows} == {"test_executions": 1, "locations": 1}
    references = {
        f"{table.name}.{column.name}": column.refers_to
        for table in found.values()
        for column in table.columns
        if column.refers_to
    }
    assert references == {
        "annotations.run_id": "test_executions.run_id",
        "baselines.run_id": "test_executions.run_id",
        "cases.ingest_id": "ingests.ingest_id",
        "ingests.run_id": "test_executions.run_id",
        "run_progress.run_id": "test_executions.run_id",
        "verdicts.run_id": "test_executions.run_id",
        "summaries.ingest_id": "ingests.ingest_id",
    }


def test_the_newest_rows_come_first(engine: Engine) -> None:
    """As many as asked for."""
    for number in range(4):
        Registry(engine).register(RunRequest(test=f"t{number}"))
    assert [row["test"] for row in tables(engine, newest=2)["test_executions"].newest] == ["t3", "t2"]
    assert tables(engine, newest=0)["test_executions"].newest == ()


def test_no_secret_is_shown(engine: Engine) -> None:
    """Neither the hash of a token, nor a lease, nor an idempotency key: only that there are such columns."""
    run = Registry(engine).register(RunRequest(), lease_s=60, idempotency_key="caller's own")
    values = {"token_id": "1", "name": "ci", "role": "runner", "secret_hash": "c0ffee", "created_at": NOW}
    with write(engine) as connection:
        connection.execute(insert(tokens).values(values))
    found = tables(engine)
    told = repr(found)
    assert "ci" in told
    assert [secret for secret in ("c0ffee", "caller's own", str(run.lease_id)) if secret in told] == []
    hidden = {column.name for table in found.values() for column in table.columns if column.is_secret}
    assert hidden == SECRETS
