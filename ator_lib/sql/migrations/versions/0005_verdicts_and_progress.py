"""What runs were judged to be, and how running ones are doing over time.

This file is history: it names its columns itself and does not follow ``tables.py``.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "verdicts",
        sa.Column("run_id", sa.Integer, _run_that_takes_it_along(), primary_key=True, autoincrement=False),
        sa.Column("baseline_run_ids", _JSON, nullable=False),
        sa.Column("verdict", sa.Text),
        sa.Column("headline", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("metric", sa.Text),
        *(sa.Column(figure, sa.Float(53)) for figure in ("change", "low", "high")),
        sa.Column("method_version", sa.Text, nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "run_progress",
        sa.Column("run_id", sa.Integer, _run_that_takes_it_along(), primary_key=True, autoincrement=False),
        sa.Column("elapsed_s", sa.Float(53), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("users", sa.BigInteger),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.Column("throughput_rps", sa.Float(53)),
        sa.Column("p95_ms", sa.Float(53)),
    )


def downgrade() -> None:
    raise NotImplementedError("this revision cannot be undone; restore a copy of the database")


def _run_that_takes_it_along() -> sa.ForeignKey:
    return sa.ForeignKey("test_executions.run_id", ondelete="CASCADE")
