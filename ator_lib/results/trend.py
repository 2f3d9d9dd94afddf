"""What a trend reads: the runs of a history, and one figure of each of their summaries.

A row here is a tuple of the database's driver and becomes part of a column; a history may have many thousand runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Engine, Select, String, Subquery, case, cast, func, select

from ator_lib.analysis.trend.data import History
from ator_lib.analysis.trend.query import NAMES, TOTAL
from ator_lib.sql.engine import read
from ator_lib.sql.tables import ingests, summaries, test_executions

_TIME = pa.timestamp("us", tz="UTC")
_RUNS = pa.schema(
    [
        pa.field("run_id", pa.int64(), nullable=False),
        pa.field("started_at", _TIME),
        pa.field("tool", pa.string()),
        pa.field("tool_version", pa.string()),
        pa.field("stream", pa.string()),
        pa.field("environment", pa.string()),
        pa.field("location", pa.string()),
        pa.field("series", pa.string()),
    ]
)
_VALUES = pa.schema(
    [
        pa.field("run_id", pa.int64(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("method", pa.string()),
        pa.field("value", pa.float64()),
    ]
)


def history(
    engine: Engine, matching: Select[tuple[int]], metric: str, *, by: str, is_attribute: bool = False, last: int | None
) -> History:
    """Read a history at one moment: a query for the runs, and one for the figures.

    Parameters
    ----------
    matching
        Ids of the runs; those without results are left out.
    by, is_attribute
        ``name`` (a series per endpoint), ``total`` (one); or a text column, or an attribute, of the runs.
    last
        Only so many, the latest.
    """
    scope = "name" if by == NAMES else "total"
    chosen = _chosen(matching, last)
    series = _series(by, is_attribute=is_attribute, is_sqlite=engine.dialect.name == "sqlite")
    with read(engine) as connection:
        runs = _table(connection, _runs(chosen, series), _RUNS)
        return History(runs=runs, values=_table(connection, _values(chosen, scope, metric), _VALUES))


def _chosen(matching: Select[tuple[int]], last: int | None) -> Subquery:
    """Select the runs with results, and when they began; who does not know that is put where it was ingested."""
    runs, kept = test_executions.c, ingests.c
    began = func.coalesce(runs.start_time, kept.created_at, type_=runs.start_time.type).label("began")
    statement = select(runs.run_id, began).join(ingests, kept.run_id == runs.run_id).where(runs.run_id.in_(matching))
    if last is not None:
        statement = statement.order_by(began.desc(), runs.run_id.desc()).limit(last)
    return statement.subquery("chosen")


def _runs(chosen: Subquery, series: ColumnElement[Any]) -> Select[Any]:
    runs, kept = test_executions.c, ingests.c
    return (
        select(
            *(runs.run_id, runs.start_time, func.coalesce(runs.tool, kept.tool), kept.tool_version),
            *(runs.stream, runs.environment, runs.location, series),
        )
        .join(chosen, chosen.c.run_id == runs.run_id)
        .join(ingests, kept.run_id == runs.run_id)
        .order_by(chosen.c.began, runs.run_id)
    )


def _series(by: str, *, is_attribute: bool, is_sqlite: bool) -> ColumnElement[Any]:
    runs = test_executions.c
    if by in (NAMES, TOTAL):
        return cast(None, String)
    if not is_attribute:
        return runs[by]
    if not is_sqlite:
        text: ColumnElement[Any] = runs.attributes[by].as_string()
        return text
    path = f'$."{by}"'
    kind = func.json_type(runs.attributes, path)
    return case((kind.in_(["true", "false"]), kind), else_=cast(func.json_extract(runs.attributes, path), String))


def _values(chosen: Subquery, scope: str, metric: str) -> Select[Any]:
    rows = summaries.c
    return select(rows.run_id, rows.name, rows.method, rows[metric]).where(
        rows.run_id.in_(select(chosen.c.run_id)), rows.scope == scope
    )


def _table(connection: Connection, statement: Select[Any], schema: pa.Schema) -> pa.Table:
    columns: list[Sequence[Any]] = list(zip(*connection.execute(statement).all(), strict=True)) or [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)
