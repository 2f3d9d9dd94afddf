"""Which column of a file is which of ours, and in what unit: by its own name, or as the user says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError, UsageError
from ator_lib.readers.base import Findings
from ator_lib.readers.samples.files import TableFile
from ator_lib.readers.samples.values import EPOCH_UNITS, UNITS, can_become

RUN_ID = "run_id"
"""Stands first in what ATOR exports, and tells nothing of a request."""

_MOST_LISTED = 5


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a file that becomes one of ``schema.SAMPLES``, given in a unit of time or in ours (``None``)."""

    field: pa.Field
    source: str
    unit: str | None = None


def columns_of(table: TableFile, given: Mapping[str, str], findings: Findings) -> list[Column]:
    """Find the columns of a file that are samples'.

    Parameters
    ----------
    given
        Ours → the file's, with ``:s``, ``:ms``, ``:us`` or ``:ns`` behind it for times in that unit. Without any,
        the file must have no columns but ours; with some, the others do not matter.

    Raises
    ------
    UsageError
        Samples have no such column.
    ResultsError
        The file has not the columns, or not in types that can become ours.
    """
    names = table.columns.names
    mapped = {ours: _column(ours, theirs, table) for ours, theirs in given.items()}
    own = [Column(field=field, source=field.name) for field in schema.SAMPLES if field.name in names]
    found = [*mapped.values(), *(column for column in own if column.field.name not in mapped)]
    used = {column.source for column in found}
    other = [name for name in names if name not in used]
    if not given and set(other) - {RUN_ID}:
        raise ResultsError(
            f"{table.source.name} has columns that samples do not have: {_listed(other)}. Name the ones to read "
            f"(columns=), or rename or drop them; there are {', '.join(schema.SAMPLES.names)}."
        )
    if given and other:
        findings.note(f"{table.source.name}: columns that were not read: {_listed(other)}")
    _check(table, found)
    return found


def _column(ours: str, theirs: str, table: TableFile) -> Column:
    if ours not in schema.SAMPLES.names:
        raise UsageError(f"samples have no column {ours!r}. They have: {', '.join(schema.SAMPLES.names)}.")
    field = schema.SAMPLES.field(ours)
    name, _, unit = theirs.rpartition(":")
    if theirs in table.columns.names or unit not in _units(field):
        name, unit = theirs, ""
    if name not in table.columns.names:
        raise ResultsError(
            f"{table.source.name} has no column {name!r} for {ours}. It has {_listed(table.columns.names)}."
        )
    return Column(field=field, source=name, unit=unit or None)


def _units(field: pa.Field) -> Sequence[str]:
    if pa.types.is_timestamp(field.type):
        return tuple(EPOCH_UNITS)
    return tuple(UNITS) if field.name.endswith("_ms") else ()


def _check(table: TableFile, found: Sequence[Column]) -> None:
    name, theirs, ours = table.source.name, table.columns.names, {column.field.name for column in found}
    if twice := sorted({column.source for column in found if theirs.count(column.source) > 1}):
        raise ResultsError(f"{name} has columns twice: {_listed(twice)}. Leave one of each.")
    if "duration_ms" not in ours:
        raise ResultsError(
            f"{name} has no column duration_ms: the milliseconds that each request took. "
            "If it has another name or unit, say so: columns={'duration_ms': 'latency:s'}."
        )
    if not ours & {"success", "status_code"}:
        raise ResultsError(f"{name} has neither success nor status_code: nobody knows which requests failed.")
    for column in found:
        given = table.columns.field(column.source).type
        if not can_become(given, column.field.type, column.unit):
            raise ResultsError(
                f"{name} has {column.source} as {given}, which cannot become {column.field.name} "
                f"({column.field.type}){_hint(column)}."
            )


def _hint(column: Column) -> str:
    if not pa.types.is_timestamp(column.field.type) or column.unit:
        return ""
    return f" before its unit is known: columns={{'started_at': '{column.source}:ms'}}, or s, us, ns"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(repr(name[:60]) for name in names[:_MOST_LISTED]) + more
