"""DuckDB SQL over everything that is kept: one text in, a DataFrame out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from sqlalchemy import Column, Engine, Integer, select
from sqlalchemy.types import TypeEngine

from ator_lib.errors import StoreError, UsageError
from ator_lib.results import duck, files, index
from ator_lib.results.lending import UNFETCHED
from ator_lib.results.store import Store
from ator_lib.sql.engine import read
from ator_lib.sql.tables import test_executions
from ator_lib.sql.types import DecimalText, UtcDateTime

_ARROW_TYPES: list[tuple[type[TypeEngine[Any]], pa.DataType]] = [
    (Integer, pa.int64()),
    (UtcDateTime, pa.timestamp("us", tz="UTC")),
    (DecimalText, pa.float64()),
]
"""What the registry's columns become; all others are text."""


def _arrow_type(column: Column[Any]) -> pa.DataType:
    return next((arrow for kind, arrow in _ARROW_TYPES if isinstance(column.type, kind)), pa.string())


_RUN_COLUMNS = [column for column in test_executions.columns if column.name != "lease_id"]  # who has it may act

RUNS = pa.schema([pa.field(column.name, _arrow_type(column)) for column in _RUN_COLUMNS])
"""``test_executions`` without lease_id.

``factor`` is a double, as DuckDB has no decimal without a fixed scale; admission never reads it from here.
JSON columns are text, for ``attributes ->> 'commit'``.
"""

VIEWS: dict[str, pa.Schema] = {
    "runs": RUNS,
    "summaries": index.SUMMARIES,
    "cases": index.CASES,
    **{table: files.with_run_id(files.TABLES[table]) for table in ("samples", "timeline", "metrics")},
}
"""Every view with its columns; ``run_id`` comes first in all but ``runs``."""

_READING = {"SELECT", "EXPLAIN", "MULTI"}
"""Statements that only read: MULTI is what a PIVOT becomes, SELECT includes WITH, FROM, DESCRIBE and SHOW."""


def query(text: str, *, engine: Engine, store: Store) -> pd.DataFrame:
    """Answer one DuckDB query over ``VIEWS``; times are UTC.

    Only what the query names is read. A filter like ``run_id = 7`` or ``run_id IN (7, 8)`` on samples,
    timeline or metrics leaves the files of other runs closed; ``run_id = (SELECT …)`` does not. Of runs whose
    results are kept in PostgreSQL these views have only those that such a filter names.

    Raises
    ------
    UsageError
        Not one reading statement, DuckDB does not take it, or it would read runs in PostgreSQL that it does not name.
    StoreError
        The database or the files of a run cannot be read.
    """
    try:
        _check_reads(text)
        with ExitStack() as stack:
            tables = {name: _load(name, engine, store, text, stack) for name in _named_views(text)}
            connection = stack.enter_context(duck.open_sandbox(tables))
            return _as_frame(duck.answer(connection, text))
    except duck.DuckError as error:
        if UNFETCHED in str(error):
            raise UsageError(
                "results that are kept in PostgreSQL are read run by run: say which, by run_id = 7 or "
                "run_id IN (7, 8), for each of the views samples, timeline and metrics"
            ) from error
        if duck.is_read_failure(error):
            raise StoreError(
                f"the results of a run cannot be read: {duck.first_line(error)}; name other runs by run_id, "
                "or restore the file"
            ) from error
        raise UsageError(f"the query cannot be answered: {duck.first_line(error)}. {_HINT}") from error


def _check_reads(text: str) -> None:
    kinds = duck.statement_types(text)
    if len(kinds) != 1 or kinds[0] not in _READING:
        raise UsageError(
            f"one statement that reads is wanted, such as SELECT, WITH, DESCRIBE, SHOW or EXPLAIN, and this is "
            f"{' and '.join(kinds) or 'empty'}. {_HINT}"
        )


def _named_views(text: str) -> list[str]:
    """Return the views whose name stands anywhere in the text, or all (SHOW TABLES names none).

    DuckDB's own answer, ``get_table_names``, fails on every JOIN … USING. A name too many, say of a column or of a
    CTE that hides the view, costs a little time and changes no result.
    """
    return [name for name in VIEWS if re.search(rf"\b{name}\b", text, re.IGNORECASE)] or list(VIEWS)


def _load(name: str, engine: Engine, store: Store, text: str, stack: ExitStack) -> pa.Table | ds.Dataset:
    if name == "runs":
        return runs(engine)
    if name == "summaries":
        return index.summaries(engine)
    if name == "cases":
        return index.cases(engine)
    sets = index.file_sets(engine, with_samples=name == "samples")
    return files.open_runs(stack.enter_context(store.lend_all(name, sets, _named_runs(text))), name, for_sql=True)


_RUN_FILTER = re.compile(r"\brun_id\"?\s*(?:=\s*(\d+)\b|IN\s*\(([\d\s,]+)\))", re.IGNORECASE)


def _named_runs(text: str) -> set[int]:
    """Return the runs that the text filters for somewhere.

    If it reads others all the same, as by an OR, DuckDB finds no file of theirs, and the query fails: none is silently
    left out.
    """
    return {int(number) for filters in _RUN_FILTER.findall(text) for number in re.findall(r"\d+", " ".join(filters))}


def runs(engine: Engine, run_ids: Collection[int] | None = None) -> pa.Table:
    """Return ``RUNS`` of some or all runs, by run_id."""
    statement = select(*_RUN_COLUMNS).order_by(test_executions.c.run_id)
    if run_ids is not None:
        statement = statement.where(test_executions.c.run_id.in_(run_ids))
    with read(engine) as connection:
        rows = connection.execute(statement).all()
    columns = zip(*rows, strict=True) if rows else [()] * len(RUNS)
    arrays = [pa.array(map(_plain, values), type=field.type) for field, values in zip(RUNS, columns, strict=True)]
    return pa.Table.from_arrays(arrays, schema=RUNS)


def _plain(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value)
    if isinstance(value, UUID):
        return str(value)
    return float(value) if isinstance(value, Decimal) else value


def _as_frame(table: pa.Table) -> pd.DataFrame:
    for position, field in enumerate(table.schema):
        convert = _conversion(field.type)
        if convert is not None:
            table = table.set_column(position, field.name, convert(table.column(position)))
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame


def _conversion(type_: pa.DataType) -> Callable[[pa.ChunkedArray], pa.ChunkedArray] | None:
    """For types that pandas would show as Python objects: what makes them columns to calculate with."""
    if pa.types.is_decimal(type_):  # also every sum of integers
        return _numbers
    if pa.types.is_interval(type_):
        return _durations
    return None


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if column.type.scale == 0:
        try:
            return pc.cast(column, pa.int64())
        except pa.ArrowInvalid:  # beyond 64 bits
            pass
    return pc.cast(column, pa.float64())


def _durations(column: pa.ChunkedArray) -> pa.ChunkedArray:
    values = column.to_pylist()
    if any(value is not None and value.months for value in values):  # of no certain length
        return column
    spans = [None if v is None else timedelta(days=v.days, microseconds=v.nanoseconds // 1000) for v in values]
    return pa.chunked_array([pa.array(spans, pa.duration("us"))])


_HINT = f"Views: {', '.join(VIEWS)}; DESCRIBE one to see its columns"
