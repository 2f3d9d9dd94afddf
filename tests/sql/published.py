"""Makes tables of the published kind, odd ones too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from ator_lib.model import Run
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import write

PUBLISHED = {
    "id": "UUID PRIMARY KEY",
    "run_id": "INTEGER",
    **dict.fromkeys(("repo", "lac", "stream", "test", "type", "environment", "triggered_by", "status"), "VARCHAR"),
    "start_time": "TIMESTAMPTZ",
    "end_time": "TIMESTAMPTZ",
    "factor": "NUMERIC",
    "dashboard_url": "VARCHAR",
    "location": "VARCHAR",
}
USUAL: dict[str, Any] = {
    "status": "success",
    "start_time": "2024-05-01 10:00:00+00",
    "end_time": "2024-05-01 11:00:00+00",
    "factor": "0.4",
    "location": "lab-1",
}
Adopt = Callable[..., str]
"""``make`` and then upgrade; gives the report, a sentence a line."""


def uuid(number: int) -> str:
    """Give the UUID of a row, as text."""
    return str(UUID(int=number))


def make(
    engine: Engine,
    *rows: dict[str, Any],
    columns: dict[str, str | None] | None = None,
    also: tuple[str, ...] = (),
) -> None:
    """Make the table with rows, of which only what is not usual is said; a column of type ``None`` is left out."""
    layout = {name: type_ for name, type_ in {**PUBLISHED, **(columns or {})}.items() if type_}
    with write(engine) as connection:
        connection.exec_driver_sql(f"CREATE TABLE test_executions ({', '.join(f'{n} {t}' for n, t in layout.items())})")
        for number, row in enumerate(rows, 1):
            values = {"id": uuid(number), "run_id": number, **USUAL, **row}
            values = {name: value for name, value in values.items() if name in layout}
            places = ", ".join(f"'{value}'" if value is not None else "NULL" for value in values.values())
            connection.exec_driver_sql(f"INSERT INTO test_executions ({', '.join(values)}) VALUES ({places})")
        for statement in also:
            connection.exec_driver_sql(statement)


def runs(engine: Engine) -> dict[int, Run]:
    """Give all runs by their ids."""
    return {run.run_id: run for run in Registry(engine).history(limit=1000).runs}
