"""How answers are printed: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from numbers import Number
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from ator_lib.cli.options import harmless
from ator_lib.written import duration, is_missing

if TYPE_CHECKING:
    import pandas as pd

    from ator_lib.workspace.run import RunHandle


_LOG_WIDTH = 10_000
"""A log has no width to fit."""

_LONGEST_CELL = 60
"""Longer ones end in an ellipsis: one of thousands of characters would spoil every row. JSON has all of it."""

_NEVER_CUT = 10
"""So long a text is shown whole in narrow tables, too."""

_LONGEST_NARROW = 30
"""Longer ones are wrapped there, and words that are still longer cut."""


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


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the rows of a table as Python's own values; what is missing is null."""
    whole: pd.DataFrame = frame.astype(object)
    rows = whole.where(whole.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def print_table(
    rows: Iterable[Mapping[Any, Any]], columns: Sequence[str], *, empty: str, if_wide: Sequence[str] = ()
) -> None:
    """Print a table; ``empty`` says what to do without rows.

    Elsewhere than on a terminal all columns are there, as wide as their content. Texts are cut at 60
    characters. On a terminal columns without a value are left out, today's times have no date, and
    where there is no room for all, those of ``if_wide`` are left out from its end.
    """
    rows = list(rows)
    if not rows:
        typer.echo(empty)
        return
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _LOG_WIDTH
        console.print(_table(_cells(rows, columns, is_short=False)))
        return
    filled = {name: column for name, column in _cells(rows, columns, is_short=True).items() if any(column.cells)}
    table, left_out = _table(filled), list(if_wide)
    while not _fits(table, console):
        table = _table(filled, is_narrow=True)
        if not left_out:
            break
        filled.pop(left_out.pop(), None)
    console.print(table)


@dataclass(frozen=True, kw_only=True)
class _Column:
    """The cells of a column as they are printed, and how."""

    cells: Sequence[str]
    is_number: bool
    is_text: bool


def _cells(rows: Sequence[Mapping[Any, Any]], columns: Sequence[str], *, is_short: bool) -> dict[str, _Column]:
    by_name = {name: [row.get(name) for row in rows] for name in columns}
    return {
        name: _Column(
            cells=[_cut(_cell(value, is_short=is_short)) for value in values],
            is_number=all(isinstance(value, Number | None) for value in values),
            is_text=any(isinstance(value, str | list | tuple) for value in values),
        )
        for name, values in by_name.items()
    }


def _table(columns: Mapping[str, _Column], *, is_narrow: bool = False) -> Table:
    """Draw columns; in a narrow table headings are stacked, and long texts are cut."""
    table = Table(box=None, header_style="bold", pad_edge=False, collapse_padding=is_narrow)
    for name, column in columns.items():
        is_cut = is_narrow and column.is_text and max(map(len, column.cells)) > _NEVER_CUT
        table.add_column(
            name.replace("_", "\n") if is_narrow else name,
            justify="right" if column.is_number else "left",
            no_wrap=not is_cut,
            max_width=_LONGEST_NARROW if is_cut else None,
        )
    for line in zip(*(column.cells for column in columns.values()), strict=True):
        table.add_row(*line)
    return table


def _fits(table: Table, console: Console) -> bool:
    unlimited = console.options.update(width=_LOG_WIDTH)
    return Measurement.get(console, unlimited, table).maximum <= console.width


def _cut(cell: str) -> str:
    return cell if len(cell) <= _LONGEST_CELL else f"{cell[: _LONGEST_CELL - 1]}…"


def _cell(value: Any, *, is_short: bool) -> str:
    if is_missing(value):
        return ""
    if isinstance(value, datetime):
        return short_time(value) if is_short else f"{_local(value):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, timedelta):
        return duration(value.total_seconds())
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item, is_short=is_short) for item in value)
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return _short_float(value)
    return format(value, "f") if isinstance(value, Decimal) else " ".join(harmless(str(value)).splitlines())


def short_time(moment: datetime | None) -> str:
    """Give a time as this machine's clock shows it, without today's date or this year; empty if there is none."""
    if moment is None or is_missing(moment):
        return ""
    local = _local(moment)
    today = datetime.now().astimezone()
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d %H:%M}"


def _local(moment: datetime) -> datetime:
    utc = datetime.fromtimestamp(moment.timestamp(), UTC)  # pandas' own kind of time reads astimezone() otherwise
    try:
        return utc.astimezone()
    except OverflowError:  # the last hours of the year 9999
        return utc


def _short_float(value: float) -> str:
    if value.is_integer():
        return f"{value:.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
