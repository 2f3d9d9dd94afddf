"""The bulk tables that only PostgreSQL has: all sets of a registry in one table of each kind.

They follow ``schema.py``, with the set and the row's place in it before the columns; their DDL stands in the
migrations. ``bulk_`` keeps their names apart from the registry's own.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Identity,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.types import TypeEngine

from ator_lib import schema
from ator_lib.sql.types import UtcDateTime

bulk_metadata = MetaData()
"""Apart from ``tables.metadata``: SQLite has none of these."""

bulk_sets = Table(
    "bulk_sets",
    bulk_metadata,
    Column("set_key", Integer, Identity(always=True), primary_key=True),
    Column("ingest_id", Text, nullable=False, unique=True),
    Column("staged_at", UtcDateTime, nullable=False),
    Column("samples", BigInteger, nullable=False),
    Column("samples_expired", Boolean, nullable=False),
    Column("removed_at", UtcDateTime),
)
"""A row per set: of it nothing is seen while ``removed_at`` says that it is going, or not whole yet."""

_TYPES: dict[pa.DataType, TypeEngine[Any]] = {
    pa.timestamp("us", tz="UTC"): UtcDateTime(),
    pa.float64(): Float(53),
    pa.int64(): BigInteger(),
    pa.int16(): SmallInteger(),
    pa.bool_(): Boolean(),
    pa.string(): Text(),
}


def _bulk_table(name: str, columns: pa.Schema) -> Table:
    return Table(
        f"bulk_{name}",
        bulk_metadata,
        Column("set_key", Integer, nullable=False),
        Column("position", Integer, nullable=False),
        *(Column(field.name, _TYPES[field.type], nullable=field.nullable) for field in columns),
    )


bulk_tables: dict[str, Table] = {
    "samples": _bulk_table("samples", schema.SAMPLES),
    "timeline": _bulk_table("timeline", schema.TIMELINE),
    "metrics": _bulk_table("metrics", schema.METRICS),
    "distributions": _bulk_table("distributions", schema.DISTRIBUTIONS),
    "rejected": _bulk_table("rejected", schema.REJECTED),
    "blocks": _bulk_table("blocks", schema.TIMELINE),
    "overview": _bulk_table("overview", schema.TIMELINE),
    "errors": _bulk_table("errors", schema.ERRORS),
}
"""By the name that a table has in a set. ``position`` counts the rows of a set in their order."""
