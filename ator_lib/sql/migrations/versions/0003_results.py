"""Cases, the report of each ingest, and where its bulk rows are kept.

This file is history: it names its columns itself and does not follow ``tables.py``.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"

_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.add_column("ingests", sa.Column("store", sa.Text, nullable=False, server_default="parquet"))
    op.add_column("ingests", sa.Column("report", _JSON))
    op.add_column("ingests", sa.Column("samples_purged_at", sa.DateTime(timezone=True)))
    _create_cases()


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
