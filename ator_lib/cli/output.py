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
    """Print a table; ``empty`` says what to do without rows.

    On a terminal, which is narrow, columns without a value are left out and today's times have no date.
    Elsewhere the columns are always the same, and as wide as their content.
    """
    rows = list(rows)
    if not rows:
        typer.echo(empty)
        return
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = 10_000  # a log has no width to fit
    table = Table(box=None, header_style="bold", pad_edge=False)
    filled = []
    for column in columns:
        values = [row.get(column) for row in rows]
        cells = [_cell(value, is_short=console.is_terminal) for value in values]
        if any(cells) or not console.is_terminal:
            is_number = all(isinstance(value, Number | None) for value in map(_unboxed, values))
            is_text = any(isinstance(value, str) for value in values)
            table.add_column(column, justify="right" if is_number else "left", no_wrap=not is_text, overflow="fold")
            filled.append(cells)
    for cells in zip(*filled, strict=True):
        table.add_row(*cells)
    console.print(table)


def _cell(value: Any, *, is_short: bool) -> str:
    value = _unboxed(value)
    if _is_missing(value):
        return ""
    if isinstance(value, datetime):
        return short_time(value) if is_short else f"{value.astimezone():%Y-%m-%d %H:%M:%S}"
    if isinstance(value, timedelta):
        return _short_duration(value)
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item, is_short=is_short) for item in value)
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return _short_float(value)
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def short_time(moment: datetime | None) -> str:
    """Give a time as this machine's clock shows it, without today's date; empty if there is none."""
    if moment is None or _is_missing(moment):
        return ""
    local = _unboxed(moment).astimezone()
    is_today = local.date() == datetime.now().astimezone().date()
    return f"{local:%H:%M}" if is_today else f"{local:%Y-%m-%d %H:%M}"


def _short_duration(duration: timedelta) -> str:
    minutes, seconds = divmod(round(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {seconds:02}s" if minutes else f"{seconds}s"


def _short_float(value: float) -> str:
    if value.is_integer():
        return f"{value:.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _unboxed(value: Any) -> Any:
    """Give Python's own value for one of pandas or NumPy."""
    if isinstance(value, datetime | timedelta):
        unboxed = value if _is_missing(value) else getattr(value, f"to_py{_plain_name(value)}", lambda: value)()
        return unboxed
    return value.item() if hasattr(value, "item") else value


def _is_missing(value: Any) -> bool:
    """Whether it is null, NaN or NaT."""
    return value is None or (isinstance(value, float | datetime | timedelta) and value != value)
