"""Runs, locations, ingests and summaries.

A ``test_executions`` that the published CREATE TABLE made on PostgreSQL is adopted in place.
This file is history: it names its columns itself and does not follow ``tables.py``.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_TEXTS = (
    *("repo", "lac", "stream", "test", "type", "environment", "triggered_by", "dashboard_url", "location"),
    *("lease_id", "status_reason", "tool", "error"),
)
_TIMES = ("start_time", "end_time", "queued_at", "lease_expires_at", "stop_requested_at")
_DOCUMENTS = ("load_profile", "progress", "attributes")
_STATUSES = ("queued", "running", "success", "failure", "cancelled", "abandoned")
_OLD_WORDS = {
    **dict.fromkeys(("failed", "fail", "error"), "failure"),
    **dict.fromkeys(("passed", "pass", "ok", "succeeded", "completed"), "success"),
    **dict.fromkeys(("canceled", "aborted"), "cancelled"),
}


def upgrade() -> None:
    tables = sa.inspect(op.get_bind()).get_table_names()
    _create_locations()
    if "test_executions" in tables and _on_postgresql():
        _adopt_test_executions()
    else:
        _create_test_executions()
    _index_test_executions()
    _create_ingests()
    _create_summaries()


def downgrade() -> None:
    raise NotImplementedError("the first revision cannot be undone; restore a copy of the database")


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _time() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _decimal() -> Any:
    return sa.Numeric() if _on_postgresql() else sa.Text()


def _create_locations() -> None:
    op.create_table(
        "locations",
        sa.Column("name", sa.Text, primary_key=True, nullable=False),
        sa.Column("capacity", _decimal(), nullable=False, server_default="1"),
        sa.Column("description", sa.Text),
    )


def _optional_columns() -> list[sa.Column[Any]]:
    """All columns of ``test_executions`` but id, run_id and status."""
    document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    return [
        *(sa.Column(name, sa.Text) for name in _TEXTS),
        *(sa.Column(name, _time()) for name in _TIMES),
        *(sa.Column(name, document) for name in _DOCUMENTS),
        sa.Column("factor", _decimal()),
        sa.Column("priority", sa.Integer),
    ]


def _create_test_executions() -> None:
    if _on_postgresql():
        keys = [
            sa.Column("id", sa.Uuid, primary_key=True),
            sa.Column("run_id", sa.Integer, sa.Identity(), nullable=False, unique=True),
        ]
    else:  # SQLite counts only in its primary key
        keys = [
            sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=True),
            sa.Column("id", sa.Uuid, nullable=False, unique=True),
        ]
    op.create_table(
        "test_executions",
        *keys,
        sa.Column("status", sa.Text, _status_check(), nullable=False),
        *_optional_columns(),
        sqlite_autoincrement=True,
    )


def _status_check() -> sa.CheckConstraint:
    words = ", ".join(f"'{word}'" for word in _STATUSES)
    return sa.CheckConstraint(f"status IN ({words})", name="ck_test_executions_status")


def _index_test_executions() -> None:
    for name, columns in {
        "ix_test_executions_status_location": ["status", "location"],
        "ix_test_executions_test": ["test"],
        "ix_test_executions_stream": ["stream"],
        "ix_test_executions_start_time": ["start_time"],
    }.items():
        op.create_index(name, "test_executions", columns)


def _create_ingests() -> None:
    op.create_table(
        "ingests",
        sa.Column("ingest_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("test_executions.run_id"), nullable=False, unique=True),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("samples", sa.BigInteger, nullable=False),
        sa.Column("started_at", _time()),
        sa.Column("ended_at", _time()),
        sa.Column("tool", sa.Text),
        sa.Column("tool_version", sa.Text),
        sa.Column("precision", sa.Text),
        sa.Column("truncated", sa.Boolean, nullable=False),
        sa.Column("schema_version", sa.Integer, nullable=False),
    )


def _create_summaries() -> None:
    measured = (
        *("duration_s", "throughput_rps", "error_rate", "mean_ms", "stddev_ms", "min_ms", "max_ms"),
        *("p50_ms", "p75_ms", "p90_ms", "p95_ms", "p99_ms", "p99_9_ms"),
    )
    op.create_table(
        "summaries",
        sa.Column("run_id", sa.Integer, nullable=False, index=True),
        sa.Column("ingest_id", sa.Text, sa.ForeignKey("ingests.ingest_id"), nullable=False, index=True),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("method", sa.Text),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Float(53)) for name in measured),
        sa.Column("bytes_received", sa.BigInteger),
        sa.Column("precision", sa.Text, nullable=False),
    )


def _adopt_test_executions() -> None:
    inspector = sa.inspect(op.get_bind())
    old = {column["name"]: column for column in inspector.get_columns("test_executions")}
    for column in _optional_columns():
        if column.name not in old:
            op.add_column("test_executions", column)
    keys = inspector.get_pk_constraint("test_executions")["constrained_columns"]
    for name, found in old.items():
        if not found["nullable"] and name not in {"id", "run_id", "status", *keys}:
            op.alter_column("test_executions", name, nullable=True)
        _widen(name, found["type"])
    _normalise_statuses()
    _renumber_duplicates()
    _number_from_now_on(old["run_id"], inspector)
    op.execute("INSERT INTO locations (name) SELECT DISTINCT location FROM test_executions WHERE location IS NOT NULL")


def _widen(name: str, old: sa.types.TypeEngine[Any]) -> None:
    """Change a column's type where the old one would cut values, or has no time zone."""
    alter = f"ALTER TABLE test_executions ALTER COLUMN {name} TYPE"
    if name in _TIMES and isinstance(old, sa.DateTime) and not old.timezone:
        op.execute(f"{alter} TIMESTAMPTZ USING {name} AT TIME ZONE 'UTC'")
    elif name == "status" or (name in _TEXTS and getattr(old, "length", None)):
        op.execute(f"{alter} TEXT USING {name}::text")
    elif name == "factor":
        op.execute(f"{alter} NUMERIC")
        op.execute("UPDATE test_executions SET factor = NULL WHERE factor = 'NaN'")


def _normalise_statuses() -> None:
    """Use the six words; one that is not understood becomes ``abandoned``, the old one kept in attributes."""
    known = " ".join(f"WHEN '{old}' THEN '{new}'" for old, new in _OLD_WORDS.items())
    same = ", ".join(f"'{word}'" for word in _STATUSES)
    word = "lower(trim(coalesce(status, '')))"
    op.execute(
        f"""
        UPDATE test_executions SET
          attributes = coalesce(attributes, '{{}}') || jsonb_build_object('status_before_upgrade', status),
          status = CASE {word} {known} ELSE 'abandoned' END
        WHERE {word} NOT IN ({same})
        """  # noqa: S608  # made of this file's own words
    )
    op.execute(f"UPDATE test_executions SET status = {word} WHERE status <> {word}")  # noqa: S608
    op.alter_column("test_executions", "status", nullable=False)
    op.execute(f"ALTER TABLE test_executions ADD CONSTRAINT ck_test_executions_status {_check_words()}")


def _check_words() -> str:
    return f"CHECK ({_status_check().sqltext})"


def _renumber_duplicates() -> None:
    """Give all but the earliest of equal run ids a new one, the old one kept in attributes."""
    op.execute(
        """
        WITH ranked AS (
          SELECT id, run_id, start_time,
            row_number() OVER (PARTITION BY run_id ORDER BY start_time NULLS LAST, id) AS copy
          FROM test_executions
        ), renumbered AS (
          SELECT id, run_id AS old,
            (SELECT coalesce(max(run_id), 0) FROM test_executions)
              + row_number() OVER (ORDER BY start_time NULLS LAST, id) AS new
          FROM ranked WHERE copy > 1 OR run_id IS NULL
        )
        UPDATE test_executions AS run SET
          run_id = renumbered.new,
          attributes = coalesce(attributes, '{}') || jsonb_build_object('run_id_before_upgrade', renumbered.old)
        FROM renumbered WHERE run.id = renumbered.id
        """
    )


def _number_from_now_on(run_id: sa.engine.interfaces.ReflectedColumn, inspector: sa.Inspector) -> None:
    op.alter_column("test_executions", "run_id", nullable=False)
    following = op.get_bind().scalar(sa.text("SELECT coalesce(max(run_id), 0) + 1 FROM test_executions"))
    alter = "ALTER TABLE test_executions ALTER COLUMN run_id"
    if run_id.get("identity"):
        op.execute(f"{alter} RESTART WITH {following}")
    else:
        op.execute(f"{alter} DROP DEFAULT")  # of a SERIAL
        op.execute(f"{alter} ADD GENERATED BY DEFAULT AS IDENTITY (START WITH {following})")
    unique = [constraint["column_names"] for constraint in inspector.get_unique_constraints("test_executions")]
    if ["run_id"] not in unique:
        op.create_unique_constraint("uq_test_executions_run_id", "test_executions", ["run_id"])
