"""Marks that people set on runs.

This file is history: it names its columns itself and does not follow ``tables.py``.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "annotations",
        sa.Column("annotation_id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("test_executions.run_id"), nullable=False, index=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("resets", sa.Boolean, nullable=False),
        sa.Column("metric", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("created_by", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sqlite_autoincrement=True,  # an id that was removed is not another mark's later
    )


def downgrade() -> None:
    raise NotImplementedError("this revision cannot be undone; restore a copy of the database")
