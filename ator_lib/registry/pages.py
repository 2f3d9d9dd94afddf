"""Pages of the history: how runs are ordered, where a page begins, and what is read with them.

A page begins after so many runs (``offset``: any page can be named, and may shift as runs are added), or after a run
(``cursor``: the next page has what the one before had not, whatever was added meanwhile).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, Select, and_, or_, select

from ator_lib.errors import UsageError
from ator_lib.model import HistoryPage, RunFigures
from ator_lib.registry.checks import MOST_RUN_ID, checked_text
from ator_lib.registry.history import TEXTS, as_utc, conditions
from ator_lib.registry.quantities import FIGURES, QUANTITIES, WITH_TOTALS, quantity, totals
from ator_lib.registry.records import run_of
from ator_lib.registry.statements import RUN, runs
from ator_lib.sql.tables import test_executions

_TIMES = ("start_time", "end_time", "queued_at")
ORDERS = ("run_id", *_TIMES, *TEXTS, *QUANTITIES)
"""What runs can be ordered by."""

_INDEXED = ("run_id", "start_time", "test", "location", "environment", "status")
"""By these the database reads runs in their order."""

MOST_RUNS = 1_000_000
"""In a page, and before it."""
_POSITION = "position"
"""What the page is ordered by: read with each run, as only the database knows it to the last digit."""


@dataclass(frozen=True, kw_only=True)
class Paging:
    """Which of the runs found make a page, and in which order.

    Attributes
    ----------
    limit
        At most so many.
    order
        One of ``ORDERS``; with ``-`` in front the highest first. Unknown values come last in either direction.
    cursor
        ``next_cursor`` of the page before.
    offset
        Leave out so many.
    figures
        Whether the figures of all requests are read, too.

    Raises
    ------
    UsageError
        One of them is not possible, or the cursor is of another order.
    """

    limit: int = 100
    order: str = "-run_id"
    cursor: str | None = None
    offset: int = 0
    figures: bool = False

    def __post_init__(self) -> None:
        for name, asked in (("limit", self.limit), ("offset", self.offset)):
            if type(asked) is not int or not 0 <= asked <= MOST_RUNS:
                raise UsageError(f"{name} {asked!r} is not possible; give a number of runs, up to {MOST_RUNS:,}")
        if self._column not in ORDERS:
            raise UsageError(
                f"runs cannot be ordered by {self.order!r}: there are {', '.join(ORDERS)}, with - in front descending"
            )
        if self.cursor is not None:
            _opened(self.cursor, self.order)

    @property
    def _column(self) -> str:
        return str(self.order).removeprefix("-")

    @property
    def _descends(self) -> bool:
        return self.order.startswith("-")

    def query(self, where: Mapping[str, Any] | None) -> Select[Any]:
        """Select one run more than the page has, so that ``page_of`` knows whether there is another one.

        Raises ``UsageError`` as ``history.checked_filter``.
        """
        value = quantity(self._column) if self._column in QUANTITIES else runs[self._column]
        named = value.label(_POSITION)
        found = conditions(where or {})
        if self.cursor is not None:
            found.append(_after(value, self._descends, *_opened(self.cursor, self.order)))
        if self._column in _INDEXED:
            return self._page(self._read(named, test_executions).where(*found), value)
        # what has to be sorted is sorted without the rest of the rows, which weighs ten times as much
        narrow = self._page(select(runs.run_id, named).where(*found), named).subquery()
        position = narrow.c[_POSITION]
        query = self._read(position, test_executions.join(narrow, narrow.c.run_id == runs.run_id))
        return query.order_by(*self._in_order(position))

    def _read(self, position: Any, source: FromClause) -> Select[Any]:
        """Select whole runs with their position."""
        figures = [totals.c[name].label(f"total_{name}") for name in FIGURES] if self.figures else []
        if self.figures:
            source = source.outerjoin(totals, WITH_TOTALS)
        return select(*RUN, position, *figures).select_from(source)

    def _page(self, query: Select[Any], value: Any) -> Select[Any]:
        return query.order_by(*self._in_order(value)).limit(self.limit + 1).offset(self.offset or None)

    def _in_order(self, value: Any) -> list[ColumnElement[Any]]:
        by_id = runs.run_id.desc() if self._descends else runs.run_id.asc()
        if self._column == "run_id":
            return [by_id]
        return [(value.desc() if self._descends else value.asc()).nulls_last(), by_id]

    def page_of(self, rows: Sequence[Row[Any]]) -> HistoryPage:
        """Make the page of what ``query`` found."""
        page = rows[: self.limit]
        more = len(rows) > self.limit and len(page) > 0
        return HistoryPage(
            runs=tuple(run_of(row) for row in page),
            figures=tuple(map(_figures_of, page)) if self.figures else (),
            next_cursor=_cursor(self.order, page[-1]) if more else None,
        )


def _figures_of(row: Row[Any]) -> RunFigures | None:
    figures = row[-len(FIGURES) :]
    return None if figures[0] is None else RunFigures(**dict(zip(FIGURES, figures, strict=True)))


def _after(value: Any, descends: bool, position: Any, run_id: int) -> ColumnElement[bool]:
    """Tell the rows behind a position, unknown values being last in either direction."""
    later_id = runs.run_id < run_id if descends else runs.run_id > run_id
    if value is runs.run_id:
        return later_id
    if position is None:
        return and_(value.is_(None), later_id)
    beyond = value < position if descends else value > position
    return or_(beyond, and_(value == position, later_id), value.is_(None))


def _cursor(order: str, last: Row[Any]) -> str:
    value = getattr(last, _POSITION)
    position = [order, value.isoformat() if isinstance(value, datetime) else value, last.run_id]
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _opened(cursor: str, order: str) -> tuple[Any, int]:
    try:
        made_for, value, run_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        is_whole = made_for == order and type(run_id) is int and abs(run_id) <= MOST_RUN_ID
        value = _position(order.removeprefix("-"), value)
    except (ValueError, TypeError, OverflowError, RecursionError, UsageError):
        is_whole, value, run_id = False, None, 0
    if not is_whole:
        raise UsageError("the cursor is not one of this search: take next_cursor of its page, with the same order")
    return value, run_id


def _position(column: str, value: Any) -> Any:
    if value is None or column == "run_id":
        return None
    if column in _TIMES:
        return as_utc("cursor", value)
    return float(value) if column in QUANTITIES else checked_text("cursor", value)
