"""The queue, states of locations, baselines, tokens, and indexes for the history.

This file is history: it names its columns itself and does not follow ``tables.py``.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_LOCATION_STATUSES = "status IN ('online', 'draining', 'offline')"
_ROLES = "role IN ('viewer', 'runner', 'admin')"


def upgrade() -> None:
    _extend_locations()
    _extend_test_executions()
    op.add_column("ingests", sa.Column("content_hash", sa.Text))
    _create_baselines()
    _create_tokens()
    _index_history()
    if _on_postgresql():
        _wake_the_queue()


def downgrade() -> None:
    raise NotImplementedError("this revision cannot be undone; restore a copy of the database")


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _time() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _extend_locations() -> None:
    check = sa.CheckConstraint(_LOCATION_STATUSES, name="ck_locations_status")
    op.add_column("locations", sa.Column("status", sa.Text, check, nullable=False, server_default="online"))


def _extend_test_executions() -> None:
    op.add_column("test_executions", sa.Column("idempotency_key", sa.Text))
    op.create_index("uq_test_executions_idempotency_key", "test_executions", ["idempotency_key"], unique=True)


def _create_baselines() -> None:
    op.create_table(
        "baselines",
        sa.Column("name", sa.Text, primary_key=True, nullable=False),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("test_executions.run_id"), nullable=False, index=True),
        sa.Column("pinned_at", _time(), nullable=False),
    )


def _create_tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("token_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, sa.CheckConstraint(_ROLES, name="ck_tokens_role"), nullable=False),
        sa.Column("secret_hash", sa.Text, nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("expires_at", _time()),
        sa.Column("last_used_at", _time()),
        sa.Column("revoked_at", _time()),
    )


def _index_history() -> None:
    """Let a page of one test, stream … be read from its newest run backwards, without sorting."""
    op.drop_index("ix_test_executions_test", "test_executions")
    op.drop_index("ix_test_executions_stream", "test_executions")
    lower_stream: Any = sa.text("lower(stream)")
    for name, column in {
        "ix_test_executions_test_run_id": "test",
        "ix_test_executions_stream_run_id": lower_stream,
        "ix_test_executions_location_run_id": "location",
        "ix_test_executions_environment_run_id": "environment",
        "ix_test_executions_status_run_id": "status",
    }.items():
        op.create_index(name, "test_executions", [column, "run_id"])


def _wake_the_queue() -> None:
    """Tell those who LISTEN whenever a place may have become free, whoever freed it and by whatever door.

    Only when somebody waits there: NOTIFY makes commits queue up behind each other.
    """
    op.execute(
        """
        CREATE FUNCTION ator_notify_freed() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
          freed TEXT := CASE TG_TABLE_NAME
            WHEN 'locations' THEN to_jsonb(NEW) ->> 'name' ELSE to_jsonb(OLD) ->> 'location'
          END;
        BEGIN
          PERFORM pg_notify('ator_freed', left(freed, 1000)) WHERE EXISTS (
            SELECT FROM test_executions WHERE status = 'queued' AND location = freed
          );
          RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER ator_notify_freed AFTER UPDATE OF status ON test_executions FOR EACH ROW
        WHEN (OLD.status IN ('running', 'queued') AND NEW.status NOT IN ('running', 'queued'))
        EXECUTE FUNCTION ator_notify_freed()
        """
    )
    op.execute(
        """
        CREATE TRIGGER ator_notify_changed AFTER UPDATE ON locations FOR EACH ROW
        EXECUTE FUNCTION ator_notify_freed()
        """
    )
