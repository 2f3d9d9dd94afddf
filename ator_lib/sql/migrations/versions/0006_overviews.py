"""An index of the runs' figures, and on PostgreSQL the table of timelines in intervals that a figure shows.

This file is history: it names its columns itself and does not follow ``tables.py``.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_FIGURES = ("requests", "failures", "throughput_rps", "error_rate", "p50_ms", "p95_ms", "p99_ms")


def upgrade() -> None:
    is_total = sa.text("scope = 'total'")
    op.create_index(
        # one row of a run's many, and all that a list of runs shows of it: ordering 100,000 runs reads nothing else
        "ix_summaries_totals",
        "summaries",
        ["run_id", "scope", *_FIGURES],
        sqlite_where=is_total,
        postgresql_where=is_total,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("""
            CREATE TABLE bulk_overview (
                set_key int4 NOT NULL, position int4 NOT NULL, interval_start timestamptz NOT NULL,
                interval_s float8 NOT NULL, name text, method text, users int8, requests int8 NOT NULL,
                failures int8 NOT NULL, throughput_rps float8 NOT NULL, mean_ms float8, p50_ms float8, p95_ms float8,
                p99_ms float8, max_ms float8
            )
        """)
        op.execute("CREATE INDEX bulk_overview_by_set ON bulk_overview (set_key, position)")


def downgrade() -> None:
    raise NotImplementedError("this revision cannot be undone; restore a copy of the database")
