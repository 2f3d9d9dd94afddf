"""Cases, the report of each ingest, where its bulk rows are kept, and on PostgreSQL the tables for them.

This file is history: it names its columns itself and does not follow ``tables.py``.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"

_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

_TIMELINE = (
    "interval_start timestamptz NOT NULL, interval_s float8 NOT NULL, name text, method text, users int8, "
    "requests int8 NOT NULL, failures int8 NOT NULL, throughput_rps float8 NOT NULL, mean_ms float8, p50_ms float8, "
    "p95_ms float8, p99_ms float8, max_ms float8"
)

_BULK = {
    "samples": (
        "started_at timestamptz, duration_ms float8 NOT NULL, name text NOT NULL, method text, status_code int2, "
        "success boolean NOT NULL, error text, connect_ms float8, ttfb_ms float8, bytes_sent int8, "
        'bytes_received int8, "user" text, worker text, "group" text, scenario text, weight int8 NOT NULL'
    ),
    "timeline": _TIMELINE,
    "metrics": '"timestamp" timestamptz NOT NULL, metric text NOT NULL, value float8 NOT NULL, unit text, source text',
    "distributions": (
        "name text, method text, block_start timestamptz, lower_ms float8 NOT NULL, upper_ms float8 NOT NULL, "
        "count int8 NOT NULL"
    ),
    "rejected": "source text NOT NULL, line int8, reason text NOT NULL, text text",
    "blocks": _TIMELINE,
    "errors": "name text NOT NULL, method text, status_code int2, error text, requests int8 NOT NULL",
}


def upgrade() -> None:
    op.add_column("ingests", sa.Column("store", sa.Text, nullable=False, server_default="parquet"))
    op.add_column("ingests", sa.Column("report", _JSON))
    op.add_column("ingests", sa.Column("samples_purged_at", sa.DateTime(timezone=True)))
    _create_cases()
    if op.get_bind().dialect.name == "postgresql":
        _create_bulk_tables()


def downgrade() -> None:
    raise NotImplementedError("this revision cannot be undone; restore a copy of the database")


def _create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("run_id", sa.Integer, nullable=False, index=True),
        sa.Column("ingest_id", sa.Text, sa.ForeignKey("ingests.ingest_id"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("suite", sa.Text),
        sa.Column("case", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("duration_ms", sa.Float(53)),
        sa.Column("message", sa.Text),
        sa.Column("details", sa.Text),
    )


def _create_bulk_tables() -> None:
    op.execute("""
        CREATE TABLE bulk_sets (
            set_key int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ingest_id text NOT NULL UNIQUE,
            staged_at timestamptz NOT NULL, samples int8 NOT NULL, samples_expired boolean NOT NULL,
            removed_at timestamptz
        )
    """)
    for name, columns in _BULK.items():
        op.execute(f"CREATE TABLE bulk_{name} (set_key int4 NOT NULL, position int4 NOT NULL, {columns})")
        if name != "samples":
            op.execute(f"CREATE INDEX bulk_{name}_by_set ON bulk_{name} (set_key, position)")
    # A B-tree was measured to cost a third of the speed of COPY, this nothing that can be seen. The operator classes
    # keep several ranges per block, so that it stays sharp where purged sets have left room for new ones.
    op.execute("""
        CREATE INDEX bulk_samples_by_set ON bulk_samples
        USING brin (set_key int4_minmax_multi_ops, position int4_minmax_multi_ops)
    """)
    # so that the index soon knows of new rows, however large the table is
    op.execute("""
        ALTER TABLE bulk_samples
        SET (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 1000000)
    """)
