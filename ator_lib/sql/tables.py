"""The SQL tables as SQLAlchemy Core sees them; their DDL stands in the migrations.

``run_id`` is marked as primary key for both databases; PostgreSQL's own is ``id``.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
)

from ator_lib.sql.types import JSON_DOCUMENT, DecimalText, UtcDateTime

metadata = MetaData()

UNIQUE_KEY = "uq_test_executions_idempotency_key"
"""The index that keeps an idempotency key unique."""

locations = Table(
    "locations",
    metadata,
    Column("name", Text, primary_key=True),
    Column("capacity", DecimalText, nullable=False, server_default="1"),
    Column("description", Text),
    Column("status", Text, nullable=False, server_default="online"),
)
"""Places that tests share. Unless they must be declared, the first run at a location makes its row."""

test_executions = Table(
    "test_executions",
    metadata,
    # the published fifteen
    Column("id", Uuid, nullable=False, unique=True),
    Column("run_id", Integer, primary_key=True, autoincrement=True),
    Column("repo", Text),
    Column("lac", Text),
    Column("stream", Text),
    Column("test", Text),
    Column("type", Text),
    Column("environment", Text),
    Column("triggered_by", Text),
    Column("status", Text, nullable=False),
    Column("start_time", UtcDateTime),
    Column("end_time", UtcDateTime),
    Column("factor", DecimalText),
    Column("dashboard_url", Text),
    Column("location", Text),
    # ours
    Column("queued_at", UtcDateTime),
    Column("priority", Integer),
    Column("lease_id", Text),
    Column("lease_expires_at", UtcDateTime),
    Column("stop_requested_at", UtcDateTime),
    Column("status_reason", Text),
    Column("tool", Text),
    Column("load_profile", JSON_DOCUMENT),
    Column("progress", JSON_DOCUMENT),
    Column("attributes", JSON_DOCUMENT),
    Column("error", Text),
    Column("idempotency_key", Text, unique=True),
)
"""A row per run. The names are a published contract."""

baselines = Table(
    "baselines",
    metadata,
    Column("name", Text, primary_key=True),
    Column("run_id", Integer, ForeignKey("test_executions.run_id"), nullable=False),
    Column("pinned_at", UtcDateTime, nullable=False),
)
"""Runs that others are compared with, by name."""

run_annotations = Table(
    "annotations",
    metadata,
    Column("annotation_id", Integer, primary_key=True),
    Column("run_id", Integer, ForeignKey("test_executions.run_id"), nullable=False),
    Column("text", Text, nullable=False),
    Column("resets", Boolean, nullable=False),
    Column("metric", Text),
    Column("name", Text),
    Column("created_by", Text),
    Column("created_at", UtcDateTime, nullable=False),
)
"""What people say of runs. One that ``resets`` begins a new level in trends, of that metric and name or of all."""

verdicts = Table(
    "verdicts",
    metadata,
    Column("run_id", Integer, ForeignKey("test_executions.run_id", ondelete="CASCADE"), primary_key=True),
    Column("baseline_run_ids", JSON_DOCUMENT, nullable=False),
    Column("verdict", Text),
    Column("headline", Text, nullable=False),
    Column("name", Text),
    Column("metric", Text),
    Column("change", Float(53)),
    Column("low", Float(53)),
    Column("high", Float(53)),
    Column("method_version", Text, nullable=False),
    Column("judged_at", UtcDateTime, nullable=False),
)
"""What each run was judged to be against its baseline, by the comparison's method of that version."""

run_progress = Table(
    "run_progress",
    metadata,
    Column("run_id", Integer, ForeignKey("test_executions.run_id", ondelete="CASCADE"), primary_key=True),
    Column("elapsed_s", Float(53), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("users", BigInteger),
    Column("requests", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("throughput_rps", Float(53)),
    Column("p95_ms", Float(53)),
)
"""How running runs did, a row per heartbeat; it gives way to their results."""

tokens = Table(
    "tokens",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)
"""API tokens: the hash of each one's secret, never the secret."""

ingests = Table(
    "ingests",
    metadata,
    Column("ingest_id", Text, primary_key=True),
    Column("run_id", Integer, ForeignKey("test_executions.run_id"), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("samples", BigInteger, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("tool", Text),
    Column("tool_version", Text),
    Column("precision", Text),
    Column("truncated", Boolean, nullable=False),
    Column("schema_version", Integer, nullable=False),
    Column("content_hash", Text),
    Column("store", Text, nullable=False, server_default="parquet"),
    Column("report", JSON_DOCUMENT),
    Column("samples_purged_at", UtcDateTime),
)
"""A row per set of bulk rows; those without a row here are not visible. ``store`` says where they are kept."""

cases = Table(
    "cases",
    metadata,
    Column("run_id", Integer, nullable=False, index=True),
    Column("ingest_id", Text, ForeignKey("ingests.ingest_id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("suite", Text),
    Column("case", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("duration_ms", Float(53)),
    Column("message", Text),
    Column("details", Text),
)
"""The rows of ``schema.CASES`` of each ingest, numbered in the order of their file."""

summaries = Table(
    "summaries",
    metadata,
    Column("run_id", Integer, nullable=False),
    Column("ingest_id", Text, ForeignKey("ingests.ingest_id"), nullable=False),
    Column("scope", Text, nullable=False),
    Column("name", Text),
    Column("method", Text),
    Column("requests", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("duration_s", Float(53)),
    Column("throughput_rps", Float(53)),
    Column("error_rate", Float(53)),
    Column("mean_ms", Float(53)),
    Column("stddev_ms", Float(53)),
    Column("min_ms", Float(53)),
    Column("max_ms", Float(53)),
    Column("p50_ms", Float(53)),
    Column("p75_ms", Float(53)),
    Column("p90_ms", Float(53)),
    Column("p95_ms", Float(53)),
    Column("p99_ms", Float(53)),
    Column("p99_9_ms", Float(53)),
    Column("bytes_received", BigInteger),
    Column("precision", Text, nullable=False),
)
"""The rows of ``schema.SUMMARIES`` of each ingest: one per scope, name and method."""
