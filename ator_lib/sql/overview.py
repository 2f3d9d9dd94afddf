"""What a database holds: its tables, their columns and references, and the newest rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Engine, Inspector, Table, func, inspect, select
from sqlalchemy.types import NullType, TypeEngine

from ator_lib.sql.engine import read
from ator_lib.sql.tables import metadata

SECRETS = frozenset({"secret_hash", "lease_id", "idempotency_key"})
"""Columns whose values are never shown: whoever has one may act in another's name."""

_NEWEST_BY = ("created_at", "pinned_at", "run_id")


@dataclass(frozen=True, kw_only=True)
class ColumnOverview:
    """A column: its type in the database's own words, and ``table.column`` that it refers to."""

    name: str
    type: str
    is_nullable: bool
    is_secret: bool
    refers_to: str | None


@dataclass(frozen=True, kw_only=True)
class TableOverview:
    """A table with its columns, the number of its rows and the newest of them, without secrets."""

    name: str
    rows: int
    columns: tuple[ColumnOverview, ...]
    newest: tuple[Mapping[str, Any], ...]


def overview(engine: Engine, *, newest: int = 5) -> tuple[TableOverview, ...]:
    """Look at all tables of ATOR's, those first that others refer to.

    Parameters
    ----------
    newest
        How many rows of each table to show.

    Raises
    ------
    StoreError
        The database cannot be read.
    """
    with read(engine) as connection:
        inspector = inspect(connection)
        return tuple(_overview_of(table, connection, inspector, newest) for table in metadata.sorted_tables)


def _overview_of(table: Table, connection: Connection, inspector: Inspector, newest: int) -> TableOverview:
    shown = [column for column in table.columns if column.name not in SECRETS]
    rows = connection.execute(select(*shown).order_by(_age_of(table).desc()).limit(newest)).mappings()
    return TableOverview(
        name=table.name,
        rows=connection.scalar(select(func.count()).select_from(table)) or 0,
        columns=tuple(_columns_of(table.name, inspector)),
        newest=tuple(dict(row) for row in rows),
    )


def _age_of(table: Table) -> Column[Any]:
    return next((table.columns[name] for name in _NEWEST_BY if name in table.columns), table.columns[0])


def _columns_of(table: str, inspector: Inspector) -> list[ColumnOverview]:
    """Read the columns that are really there: an adopted table has more than ours."""
    references = {
        name: f"{key['referred_table']}.{referred}"
        for key in inspector.get_foreign_keys(table)
        for name, referred in zip(key["constrained_columns"], key["referred_columns"], strict=True)
    }
    return [
        ColumnOverview(
            name=column["name"],
            type=_type_name(column["type"], inspector),
            is_nullable=bool(column["nullable"]),
            is_secret=column["name"] in SECRETS,
            refers_to=references.get(column["name"]),
        )
        for column in inspector.get_columns(table)
    ]


def _type_name(type_: TypeEngine[Any], inspector: Inspector) -> str:
    return "of another kind" if isinstance(type_, NullType) else type_.compile(inspector.dialect)
