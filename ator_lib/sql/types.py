"""Column types and the database's clock: the same values on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Boolean, ColumnElement, DateTime, Dialect, Float, Numeric, Text, literal
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

JSON_DOCUMENT = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""JSON text on SQLite, JSONB on PostgreSQL; ``None`` is SQL's NULL."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time: TIMESTAMPTZ on PostgreSQL, naive UTC text on SQLite.

    Raises
    ------
    ValueError
        A naive time is bound.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware time of any zone into UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the time {value.isoformat()} has no time zone; give an aware one")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn what the driver read into an aware UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class DecimalText(TypeDecorator[Decimal]):
    """An exact decimal: NUMERIC on PostgreSQL, its plain text on SQLite, whose numbers are binary."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose NUMERIC where it is exact."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | str | None:
        """Write without an exponent on SQLite."""
        return format(value, "f") if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Decimal | str | None, dialect: Dialect) -> Decimal | None:
        """Read the decimal back, digit by digit."""
        return None if value is None else Decimal(value)


class Clock(FunctionElement[datetime]):
    """The time now by the database's clock, plus as many seconds as an argument says.

    It is the time of the statement and not of the transaction's start: a transaction may
    have waited for a lock, and leases must not be judged by the time before that wait.
    On SQLite that is the host's clock, in milliseconds.
    """

    type = UtcDateTime()
    inherit_cache = True


@compiles(Clock, "postgresql")
def _clock_on_postgresql(element: Clock, compiler: SQLCompiler, **options: Any) -> str:
    if not len(element.clauses):
        return "clock_timestamp()"
    return f"(clock_timestamp() + make_interval(secs => {compiler.process(element.clauses, **options)}))"


@compiles(Clock, "sqlite")
def _clock_on_sqlite(element: Clock, compiler: SQLCompiler, **options: Any) -> str:
    # the text that SQLAlchemy writes for a DateTime, so that times compare as text
    now = "strftime('%Y-%m-%d %H:%M:%f000', 'now'"
    if not len(element.clauses):
        return f"{now})"
    return f"{now}, printf('%+.3f seconds', {compiler.process(element.clauses, **options)}))"


class SecondsBetween(FunctionElement[float]):
    """Seconds from one time to another, to the millisecond; null where one of them is."""

    type = Float(53)
    inherit_cache = True


@compiles(SecondsBetween, "postgresql")
def _seconds_on_postgresql(element: SecondsBetween, compiler: SQLCompiler, **options: Any) -> str:
    start, end = (compiler.process(time, **options) for time in element.clauses)
    return f"CAST(round(EXTRACT(EPOCH FROM {end} - {start}), 3) AS DOUBLE PRECISION)"


@compiles(SecondsBetween, "sqlite")
def _seconds_on_sqlite(element: SecondsBetween, compiler: SQLCompiler, **options: Any) -> str:
    start, end = (compiler.process(time, **options) for time in element.clauses)
    return f"round((julianday({end}) - julianday({start})) * 86400, 3)"


class JsonHolds(ColumnElement[bool]):
    """Whether a JSON document holds a value under one of its names; made by ``attribute`` and ``tag``."""

    type = Boolean()
    inherit_cache = False  # what is looked for is no part of a cached statement

    def __init__(self, column: ColumnElement[Any], path: str, name: str | None, value: Any) -> None:
        self.column = column
        self.path = path
        self.name = name
        self.value = value

    @classmethod
    def attribute(cls, column: ColumnElement[Any], name: str, value: str | float) -> JsonHolds:
        """Whether the document has exactly this value under this name."""
        return cls(column, "$", name, value)

    @classmethod
    def tag(cls, column: ColumnElement[Any], tag: str) -> JsonHolds:
        """Whether the document's list ``tags`` has this one."""
        return cls(column, "$.tags", None, tag)


@compiles(JsonHolds, "postgresql")
def _json_on_postgresql(element: JsonHolds, compiler: SQLCompiler, **options: Any) -> str:
    def bound(value: str) -> str:
        return compiler.process(literal(value, Text()), **options)

    column = compiler.process(element.column, **options)
    if element.name is None:
        return f"({column} @> CAST({bound(json.dumps({'tags': [element.value]}))} AS JSONB))"
    # not @> either: by its guess of how few rows match, the planner reads and sorts the whole table for a page
    return f"(({column} -> {bound(element.name)}) = CAST({bound(json.dumps(element.value))} AS JSONB))"


@compiles(JsonHolds, "sqlite")
def _json_on_sqlite(element: JsonHolds, compiler: SQLCompiler, **options: Any) -> str:
    def bound(value: Any) -> str:
        return compiler.process(literal(value), **options)

    kinds = {bool: "'true', 'false'", str: "'text'"}.get(type(element.value), "'integer', 'real'")
    under = "" if element.name is None else f" AND each.key = {bound(element.name)}"
    entries = f"json_each({compiler.process(element.column, **options)}, {bound(element.path)})"
    return (
        f"EXISTS (SELECT 1 FROM {entries} AS each "  # noqa: S608  # every value is bound
        f"WHERE each.value = {bound(element.value)} AND each.type IN ({kinds}){under})"
    )
