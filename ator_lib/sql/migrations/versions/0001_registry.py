"""Runs, locations, ingests and summaries.

A ``test_executions`` that the published CREATE TABLE made on PostgreSQL is adopted in place (``adoption.py``).
This file is history: it names its columns itself and does not follow ``tables.py``.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from ator_lib.sql.migrations.adoption import adopt

revision = "0001"
down_revision = None

_TEXTS = (
    *("repo", "lac", "stream", "test", "type", "environment", "triggered_by", "dashboard_url", "location"),
    *("lease_id", "status_reason", "tool", "error"),
)
_TIMES = ("start_time", "end_time", "queued_at", "lease_expires_at", "stop_requested_at")
_DOCUMENTS = ("load_profile", "progress", "attributes")
_STATUS_IS_KNOWN = "status IN ('queued', 'running', 'success', 'failure', 'cancelled', 'abandoned')"
_INDEXES = {
    "ix_test_executions_status_location": ["status", "location"],
    "ix_test_executions_test": ["test"],
    "ix_test_executions_stream": ["stream"],
    "ix_test_executions_start_time": ["start_time"],
}


def upgrade() -> None:
    tables = sa.inspect(op.get_bind()).get_table_names()
    _create_locations()
    if "test_executions" in tables and _on_postgresql():
        context.config.attributes["report"].extend(adopt(_optional_columns(), list(_INDEXES)))
        _use_adopted_rows()
    else:
        _create_test_executions()
    _index_test_executions()
    _create_ingests()
    _create_summaries()


def downgrade() -> None:
    raise NotImplementedError("the first revision cannot be undone; restore a copy of the database")


def _use_adopted_rows() -> None:
    op.create_check_constraint("ck_test_executions_status", "test_executions", _STATUS_IS_KNOWN)
    op.alter_column("test_executions", "status", nullable=False)
    op.execute("INSERT INTO locations (name) SELECT DISTINCT location FROM test_executions WHERE location IS NOT NULL")


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
    check = sa.CheckConstraint(_STATUS_IS_KNOWN, name="ck_test_executions_status")
    op.create_table(
        "test_executions",
        *keys,
        sa.Column("status", sa.Text, check, nullable=False),
        *_optional_columns(),
        sqlite_autoincrement=True,
    )


def _index_test_executions() -> None:
    for name, columns in _INDEXES.items():
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
