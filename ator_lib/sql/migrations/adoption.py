"""Taking over a ``test_executions`` on PostgreSQL that the published CREATE TABLE made, or one much like it.

A part of revision 0001, and history like it. It changes the table's layout; ``adopted_values`` reads its values.
Every row is kept, and everything that is not as published is told in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from ator_lib.errors import StoreError
from ator_lib.sql.migrations.adopted_values import TABLE, all_of, listed, plain, read_values, rows

TEXTS = ("repo", "lac", "stream", "test", "type", "environment", "triggered_by", "status", "dashboard_url", "location")
TIMES = ("start_time", "end_time")
PUBLISHED = {
    "id": "uuid",
    "run_id": "integer",
    "factor": "numeric",
    **dict.fromkeys(TEXTS, "text"),
    **dict.fromkeys(TIMES, "timestamp with time zone"),
}
"""The published columns, with the types that they have from now on."""

_KEYS = (["id"], ["run_id"])
_INDISPENSABLE = ("run_id", "status")
_BEFORE = "before_upgrade"

_COLUMNS = """
SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS is_required,
  pg_get_expr(adbin, adrelid) AS filled_with
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = 'test_executions'::regclass AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
"""
_CONSTRAINTS = """
SELECT conname AS name, contype AS kind, pg_get_constraintdef(pg_constraint.oid) AS definition,
  coalesce(array_agg(attname::text ORDER BY attname) FILTER (WHERE attname IS NOT NULL), '{}') AS columns
FROM pg_constraint LEFT JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
WHERE conrelid = 'test_executions'::regclass AND contype IN ('c', 'f', 'p', 'u', 'x')
GROUP BY pg_constraint.oid ORDER BY conname
"""
_TRIGGERS = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'test_executions'::regclass AND NOT tgisinternal ORDER BY 1"
_VIEWS_ON = """
SELECT DISTINCT 'the view ' || view.relname
FROM pg_depend JOIN pg_rewrite ON pg_rewrite.oid = pg_depend.objid JOIN pg_class AS view ON view.oid = ev_class
JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
WHERE refobjid = 'test_executions'::regclass AND pg_depend.classid = 'pg_rewrite'::regclass
  AND attname = ANY (:columns)
"""
_REFERENCES_TO = """
SELECT DISTINCT 'the foreign key ' || conname || ' of ' || conrelid::regclass
FROM pg_constraint JOIN pg_attribute ON attrelid = confrelid AND attnum = ANY (confkey)
WHERE confrelid = 'test_executions'::regclass AND contype = 'f' AND attname = ANY (:columns)
"""
_INDEXES_NAMED = "SELECT relname FROM pg_class WHERE relkind = 'i' AND relnamespace = current_schema()::regnamespace"


def adopt(ours: Sequence[sa.Column[Any]], index_names: Sequence[str]) -> Iterator[str]:
    """Take the table over, and yield a sentence for everything that was changed or is odd.

    Parameters
    ----------
    ours
        All optional columns, in the order in which missing ones are added.
    index_names
        Names that indexes of ours are going to have.

    Raises
    ------
    StoreError
        It is another kind of table, or a view or foreign key keeps its columns from being changed.
    """
    op.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
    old = {column.name: column for column in all_of(_COLUMNS)}
    _refuse_other_tables(old)
    changed = [name for name, type_ in PUBLISHED.items() if name in old and plain(old[name].type) != type_]
    _refuse_dependants(changed)
    (found,) = all_of(f"SELECT count(*) AS rows FROM {TABLE}")  # noqa: S608
    yield f"the published table test_executions was taken over with {rows(found.rows)}" + (
        ", none of which is lost" if found.rows else ""
    )
    yield from _make_room(old, [column.name for column in ours], index_names)
    yield from _drop_constraints(changed)
    yield from _loosen(old)
    yield from _complete(old, ours)
    types = {name: old[name].type if name in old else type_ for name, type_ in PUBLISHED.items()}
    yield from read_values(types, TEXTS, TIMES)
    _number_from_now_on()
    _add_keys()
    yield from _what_stays()


def _refuse_other_tables(old: dict[str, Any]) -> None:
    if missing := [name for name in _INDISPENSABLE if name not in old]:
        raise StoreError(
            f"the database has a table test_executions that holds no runs, as it has no column {listed(missing)}: "
            f"rename it, or give ATOR a database of its own; nothing was changed"
        )


def _refuse_dependants(changed: Sequence[str]) -> None:
    """Refuse what PostgreSQL would refuse in the middle, with the names of all that is in the way."""
    primary = _primary_key()
    found = [*all_of(_VIEWS_ON, columns=changed)]
    found += all_of(_REFERENCES_TO, columns=[*changed, *(primary if primary != ["id"] else [])])
    if found:
        raise StoreError(
            f"test_executions cannot be upgraded, as some of its columns ({', '.join(changed)}) need another type "
            f"and others depend on them: {', '.join(row[0] for row in found)}. "
            f"Drop those, upgrade, and make them again; nothing was changed"
        )


def _make_room(old: dict[str, Any], ours: list[str], index_names: Sequence[str]) -> Iterator[str]:
    """Rename columns and indexes of the table's own that have the names of ours."""
    for name in [*ours, "idempotency_key"]:
        if name in old and name not in PUBLISHED:
            op.alter_column(TABLE, name, new_column_name=f"{name}_{_BEFORE}")
            old[f"{name}_{_BEFORE}"] = old.pop(name)
            yield f"the table's own column {name!r} is {f'{name}_{_BEFORE}'!r} now, as ATOR needs that name"
    for row in all_of(f"{_INDEXES_NAMED} AND relname = ANY (:names)", names=list(index_names)):
        op.execute(f"ALTER INDEX {row.relname} RENAME TO {row.relname}_{_BEFORE}")
        yield f"the index {row.relname} is {row.relname}_{_BEFORE} now, as ATOR needs that name"


def _drop_constraints(changed: Sequence[str]) -> Iterator[str]:
    """Drop checks, which know other words and bounds, and keys that are in the way of new values."""
    if (primary := _primary_key()) != ["id"]:
        yield f"the primary key is id now; it was {', '.join(primary) or 'missing'}"
    retyped = [key for key in _KEYS if key[0] in changed]
    for constraint in all_of(_CONSTRAINTS):
        on = constraint.columns
        is_check = constraint.kind == "c" and bool(PUBLISHED.keys() & set(on))
        if is_check:
            yield f"the constraint {constraint.name} was dropped, as ATOR has rules of its own: {constraint.definition}"
        if is_check or (constraint.kind == "p" and on != ["id"]) or (constraint.kind in "pu" and on in retyped):
            op.drop_constraint(constraint.name, TABLE)


def _primary_key() -> list[str]:
    return [name for constraint in all_of(_CONSTRAINTS) if constraint.kind == "p" for name in constraint.columns]


def _loosen(old: dict[str, Any]) -> Iterator[str]:
    """Let all but the keys be null and start as such: ATOR writes queued runs, and knows no columns but its own."""
    primary = _primary_key()
    op.execute(f"ALTER TABLE {TABLE} ALTER COLUMN run_id DROP IDENTITY IF EXISTS")
    for name, column in old.items():
        if column.is_required and name not in primary:
            op.alter_column(TABLE, name, nullable=True)
        if column.filled_with is not None and name in PUBLISHED:
            op.alter_column(TABLE, name, server_default=None)
            if name not in {"id", "run_id"}:
                yield f"the column {name} has no default any more; it was {column.filled_with}"
    if extra := [name for name in old if name not in PUBLISHED]:
        yield f"columns of the table's own stay, and may be null: {', '.join(extra)}"


def _complete(old: dict[str, Any], ours: Sequence[sa.Column[Any]]) -> Iterator[str]:
    if "id" not in old:
        op.add_column(TABLE, sa.Column("id", sa.Uuid))
    for column in ours:
        if column.name not in old:
            op.add_column(TABLE, column)
    if missing := [name for name in PUBLISHED if name not in old]:
        yield f"columns were missing and are new: {', '.join(missing)}"
    for name in TIMES:
        if name in old and old[name].type.startswith("timestamp") and "without time zone" in old[name].type:
            yield f"{name} had no time zone: read as UTC"


def _number_from_now_on() -> None:
    """Let the database count on from the highest run id."""
    (highest,) = all_of(f"SELECT coalesce(max(run_id), 0) AS run_id FROM {TABLE}")  # noqa: S608
    op.execute(
        f"ALTER TABLE {TABLE} ALTER COLUMN run_id SET NOT NULL, ALTER COLUMN run_id "
        f"ADD GENERATED BY DEFAULT AS IDENTITY (START WITH {highest.run_id + 1})"
    )


def _add_keys() -> None:
    constraints = {(constraint.kind, *constraint.columns) for constraint in all_of(_CONSTRAINTS)}
    if ("p", "id") not in constraints:
        op.create_primary_key(f"pk_{TABLE}", TABLE, ["id"])
    if ("u", "run_id") not in constraints:
        op.create_unique_constraint(f"uq_{TABLE}_run_id", TABLE, ["run_id"])


def _what_stays() -> Iterator[str]:
    """Name rules of the table's own, which hold for what ATOR writes, too."""
    for constraint in all_of(_CONSTRAINTS):
        if constraint.columns not in _KEYS:
            yield f"the constraint {constraint.name} stays and holds for ATOR, too: {constraint.definition}"
    if triggers := [row.tgname for row in all_of(_TRIGGERS)]:
        yield f"triggers of the table's own stay: {listed(triggers)}"
