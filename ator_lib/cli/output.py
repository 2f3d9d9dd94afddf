"""How answers are printed: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from ator_lib.workspace.run import RunHandle


def print_json(answer: Any) -> None:
    """One JSON document on stdout; times as ISO 8601 UTC, decimals as text, NaN as null."""
    typer.echo(json.dumps(_plain(answer), ensure_ascii=False, indent=2, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return None if value != value else value.isoformat()  # NaT is not equal to itself
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Decimal):
        return str(value)
    if hasattr(value, "item"):  # numpy scalars
        return _plain(value.item())
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def run_answer(run: RunHandle) -> dict[str, Any]:
    """Give what ``register``, ``run``, ``complete`` and ``cancel`` answer."""
    record = run.record
    return {
        "run_id": record.run_id,
        "status": record.status.value,
        "status_reason": record.status_reason,
        "error": record.error,
        "test": record.test,
        "stream": record.stream,
        "location": record.location,
        "factor": record.factor,
    }


def describe_run(run: RunHandle) -> str:
    """One sentence on a run's state."""
    record = run.record
    reason = f" ({record.status_reason})" if record.status_reason else ""
    error = f": {record.error}" if record.error else ""
    return f"run {record.run_id} {record.test or ''} is {record.status.value}{reason}{error}".replace("  ", " ")


def print_table(rows: Iterable[Mapping[Any, Any]], columns: Sequence[str], *, empty: str) -> None:
    """Print a table as wide as its content where the terminal allows; ``empty`` says what to do without rows."""
    rows = list(rows)
    if not rows:
        typer.echo(empty)
        return
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = 10_000  # a log has no width to fit
        table.expand = False
    console.print(table)


def _cell(value: Any) -> str:
    value = _plain(value)
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
    return str(value)
