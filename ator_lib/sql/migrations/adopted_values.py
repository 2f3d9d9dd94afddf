"""Reading the values of a ``test_executions`` that is being taken over: what ATOR cannot read is kept beside.

The old value of a column that had to change stands in ``attributes`` as ``<column>_before_upgrade``.
"""

# ruff: noqa: S608 - the statements are made of this file's own words

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

TABLE = "test_executions"

_SHOWN = 10
_MOST_RUN_ID = 2_000_000_000  # below the column's own limit, so that there are numbers left for new runs

_INDEXED = ("test", "stream", "environment", "location")
_LONGEST_INDEXED = 500  # an entry of an index has no room for much more

_STATUSES = ("running", "success", "failure", "cancelled", "abandoned")  # nobody waits in an old queue
_OLD_WORDS = {
    **dict.fromkeys(("failed", "fail", "error", "timeout", "timed out"), "failure"),
    **dict.fromkeys(("passed", "pass", "ok", "succeeded", "successful", "completed", "done", "finished"), "success"),
    **dict.fromkeys(("canceled", "aborted", "stopped", "killed"), "cancelled"),
    **dict.fromkeys(("in progress", "in_progress", "in-progress", "started", "active"), "running"),
}

_READERS = f"""
CREATE FUNCTION pg_temp.ator_uuid(old TEXT) RETURNS UUID LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN btrim(old)::uuid;
EXCEPTION WHEN data_exception THEN RETURN NULL;
END $$;

CREATE FUNCTION pg_temp.ator_number(old TEXT) RETURNS NUMERIC LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE number NUMERIC;
BEGIN
  number := btrim(old)::numeric;
  RETURN CASE WHEN number >= 0 AND number::text NOT IN ('NaN', 'Infinity') THEN number END;
EXCEPTION WHEN data_exception THEN RETURN NULL;
END $$;

CREATE FUNCTION pg_temp.ator_run_id(old TEXT) RETURNS INTEGER LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN number BETWEEN 1 AND {_MOST_RUN_ID} AND number = trunc(number) THEN number::integer END
  FROM pg_temp.ator_number(old) AS number
$$;

CREATE FUNCTION pg_temp.ator_time(old TEXT) RETURNS TIMESTAMPTZ LANGUAGE plpgsql STABLE AS $$
DECLARE moment TIMESTAMPTZ;
BEGIN
  moment := btrim(old)::timestamptz;
  RETURN CASE WHEN moment >= '0001-01-02' AND moment < '9999-12-31' THEN moment END;
EXCEPTION WHEN data_exception THEN RETURN NULL;
END $$;
"""
"""Functions of this session that give NULL for what cannot be read; Python's years are 1 to 9999."""


def all_of(query: str, **values: Any) -> Sequence[sa.Row[Any]]:
    """Execute a query in the migration and give all rows."""
    return op.get_bind().execute(sa.text(query), values).all()


def rows(count: int) -> str:
    """Say a number of rows."""
    return "1 row" if count == 1 else f"{count:,} rows"


def plain(type_: str) -> str:
    """Give the type without a difference that makes none: VARCHAR without a length is TEXT."""
    return "text" if type_ == "character varying" else type_


def listed(items: Sequence[object]) -> str:
    """Name the first few."""
    more = f" and {len(items) - _SHOWN:,} more" if len(items) > _SHOWN else ""
    return ", ".join(map(str, items[:_SHOWN])) + more


def read_values(types: Mapping[str, str], texts: Sequence[str], times: Sequence[str]) -> Iterator[str]:
    """Bring all values of the published columns, which have these types, to ours."""
    op.execute("SET LOCAL TIME ZONE 'UTC'")
    op.execute(_READERS)
    yield from _read_run_ids(types["run_id"])
    yield from _read_ids(types["id"])
    yield from _read("factor", types["factor"], "numeric", "ator_number", "a finite number of 0 or more")
    for name in times:
        yield from _read(name, types[name], "timestamp with time zone", "ator_time", "a time of the years 1 to 9999")
    for name in texts:
        _convert(name, types[name], "text", f"{name}::text")
    for name in _INDEXED:
        yield from _shorten(name)
    yield from _read_locations()
    yield from _read_statuses()
    yield from _tell_oddities()


def _remembered(column: str, old: str) -> str:
    return f"coalesce(attributes, '{{}}') || jsonb_build_object('{column}_before_upgrade', {old})"


def _convert(column: str, old: str, new: str, value: str) -> None:
    if plain(old) != new:
        op.execute(f"ALTER TABLE {TABLE} ALTER COLUMN {column} TYPE {new} USING {value}")


def _read(column: str, old: str, new: str, reader: str, what: str, *, instead: str = "none now") -> Iterator[str]:
    value = f"pg_temp.{reader}({column}::text)"
    odd = all_of(
        f"""
        UPDATE {TABLE} SET attributes = {_remembered(column, f"to_jsonb({column})")}, {column} = NULL
        WHERE {column} IS NOT NULL AND {value} IS NULL
        RETURNING run_id, attributes ->> '{column}_before_upgrade' AS old
        """
    )
    if odd:
        runs = listed([f"run {row.run_id}: {row.old!r}" for row in sorted(odd, key=lambda row: row.run_id)])
        yield (
            f"{rows(len(odd))} had a value of {column} that is not {what}: {instead}, "
            f"the old one is in attributes.{column}_before_upgrade ({runs})"
        )
    _convert(column, old, new, value)


def _shorten(column: str) -> Iterator[str]:
    cut = all_of(
        f"""
        UPDATE {TABLE} SET attributes = {_remembered(column, column)}, {column} = left({column}, {_LONGEST_INDEXED})
        WHERE length({column}) > {_LONGEST_INDEXED}
        RETURNING run_id
        """
    )
    if cut:
        kept = f"cut now, the whole one is in attributes.{column}_before_upgrade"
        yield (
            f"{rows(len(cut))} had a {column} of more than {_LONGEST_INDEXED} characters: {kept} "
            f"({_runs([row.run_id for row in cut])})"
        )


def _read_run_ids(old: str) -> Iterator[str]:
    """Give all but the earliest of equal run ids a new one, and those that are no run ids."""
    value = "pg_temp.ator_run_id(run_id::text)"
    op.execute(
        f"""
        UPDATE {TABLE} SET attributes = {_remembered("run_id", "to_jsonb(run_id)")}, run_id = NULL
        WHERE run_id IS NOT NULL AND {value} IS NULL
        """
    )
    _convert("run_id", old, "integer", value)
    changed = all_of(
        f"""
        WITH ranked AS (
          SELECT ctid AS place, run_id, start_time, id,
            row_number() OVER (PARTITION BY run_id ORDER BY start_time NULLS LAST, id, ctid) AS copy
          FROM {TABLE}
        ), renumbered AS (
          SELECT place, run_id AS old,
            (SELECT coalesce(max(run_id), 0) FROM {TABLE})
              + row_number() OVER (ORDER BY start_time NULLS LAST, id, place) AS new
          FROM ranked WHERE copy > 1 OR run_id IS NULL
        )
        UPDATE {TABLE} AS run SET
          run_id = renumbered.new,
          attributes = CASE WHEN old IS NULL THEN attributes ELSE {_remembered("run_id", "old")} END
        FROM renumbered WHERE run.ctid = renumbered.place
        RETURNING new, old, attributes ->> 'run_id_before_upgrade' AS kept
        """
    )
    changed = sorted(changed, key=lambda row: row.new)
    kept = "the old number is in attributes.run_id_before_upgrade"
    if twice := [f"{row.old} is {row.new} now" for row in changed if row.old is not None]:
        yield f"{rows(len(twice))} had the run_id of an earlier row: {listed(twice)}; {kept}"
    if odd := [f"{row.kept!r} is {row.new} now" for row in changed if row.old is None and row.kept is not None]:
        yield f"{rows(len(odd))} had a run_id that is not a number from 1 to {_MOST_RUN_ID:,}: {listed(odd)}; {kept}"
    if none := [row.new for row in changed if row.kept is None]:
        yield f"{rows(len(none))} had no run_id: now {listed(none)}"


def _read_ids(old: str) -> Iterator[str]:
    yield from _read("id", old, "uuid", "ator_uuid", "a UUID", instead="a new one now")
    changed = all_of(
        f"""
        WITH ranked AS (
          SELECT ctid AS place, id, row_number() OVER (PARTITION BY id ORDER BY run_id) AS copy FROM {TABLE}
        )
        UPDATE {TABLE} AS run SET
          id = gen_random_uuid(),
          attributes = CASE WHEN ranked.id IS NULL THEN attributes ELSE {_remembered("id", "ranked.id")} END
        FROM ranked WHERE run.ctid = ranked.place AND (copy > 1 OR ranked.id IS NULL)
        RETURNING run_id, ranked.id AS old, attributes ? 'id_before_upgrade' AS is_kept
        """
    )
    if twice := [row.run_id for row in changed if row.old is not None]:
        kept = "the old one is in attributes.id_before_upgrade"
        yield f"{rows(len(twice))} had the id of another row: a new one now, {kept} ({_runs(twice)})"
    if none := [row.run_id for row in changed if not row.is_kept]:
        yield f"{rows(len(none))} had no id: a new one now ({_runs(none)})"


def _runs(run_ids: Sequence[int]) -> str:
    return f"run{'s' * (len(run_ids) > 1)} {listed(sorted(run_ids))}"


def _read_locations() -> Iterator[str]:
    """Take blanks off: a place is one place, and a name of blanks is none."""
    changed = all_of(
        f"""
        UPDATE {TABLE} SET location = nullif(btrim(location), '')
        WHERE location <> btrim(location) OR location = ''
        RETURNING run_id, location
        """
    )
    if blank := [row.run_id for row in changed if row.location is None]:
        yield f"{rows(len(blank))} had an empty location: none now ({_runs(blank)})"
    if padded := [row.run_id for row in changed if row.location is not None]:
        yield f"{rows(len(padded))} had blanks around the location: they are gone ({_runs(padded)})"


def _read_statuses() -> Iterator[str]:
    """Use ATOR's words; a word that is not one, in another spelling, is kept beside."""
    word = r"lower(btrim(coalesce(status, ''), E' \t\r\n'))"
    same = ", ".join(f"'{status}'" for status in _STATUSES)
    known = " ".join(f"WHEN '{old}' THEN '{new}'" for old, new in _OLD_WORDS.items())
    new = f"CASE WHEN {word} IN ({same}) THEN {word} ELSE CASE {word} {known} ELSE 'abandoned' END END"
    for row in all_of(
        f"""
        SELECT status AS old, {new} AS new, array_agg(run_id ORDER BY run_id) AS runs
        FROM {TABLE} WHERE status IS DISTINCT FROM {new} GROUP BY 1, 2 ORDER BY 1
        """
    ):
        had = "no status" if row.old is None else f"the status {row.old!r}"
        unknown = ", as nothing tells how it ended" if row.new == "abandoned" else ""
        yield f"{rows(len(row.runs))} had {had}: {row.new!r} now{unknown} ({_runs(row.runs)})"
    op.execute(f"UPDATE {TABLE} SET attributes = {_remembered('status', 'status')} WHERE {word} <> {new}")
    op.execute(f"UPDATE {TABLE} SET status = {new} WHERE status IS DISTINCT FROM {new}")


def _tell_oddities() -> Iterator[str]:
    """Name what is kept as it was, and yet is not what ATOR would have written."""
    for told, condition in (
        ("a factor above 1, which is kept", "factor > 1"),
        ("an end before the start, which is kept", "end_time < start_time"),
        ("ended at an unknown time", "status <> 'running' AND end_time IS NULL"),
    ):
        if found := all_of(f"SELECT run_id FROM {TABLE} WHERE {condition} ORDER BY run_id"):
            verb = "" if told.startswith("ended") else "have " if len(found) > 1 else "has "
            yield f"{rows(len(found))} {verb}{told} ({_runs([row.run_id for row in found])})"
    running = all_of(
        f"""
        SELECT run_id, factor, location, to_char(start_time, 'YYYY-MM-DD') AS since
        FROM {TABLE} WHERE status = 'running' ORDER BY run_id
        """
    )
    if running:
        runs = listed([f"run {row.run_id} {_place(row)}" for row in running])
        yield (
            f"{rows(len(running))} stayed running, so that a place which is in use is not given away: {runs}; "
            f"end those that run no more with `ator complete RUN_ID failure`, or with `ator cancel RUN_ID`"
        )


def _place(row: sa.Row[Any]) -> str:
    taken = "takes nothing of any location" if row.location is None else f"takes {row.factor or 0} of {row.location!r}"
    return f"{taken} since {row.since or 'an unknown time'}"
