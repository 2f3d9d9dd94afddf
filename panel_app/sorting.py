"""Tables that are sorted by their headings, each of which is a link to the same view in that order.

An order is a column's key, with ``-`` in front the highest first, as for ``ws.history(order=…)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column: its key, what stands above it, and its kind: ``n`` is a number, ``fixed`` does not wrap."""

    key: str
    heading: str
    kind: str = ""
    is_sortable: bool = True


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What stands above a column; ``order`` is what a click on it asks for, null if the column sorts nothing."""

    column: Column
    order: str | None
    aria_sort: str | None


def headings(columns: Iterable[Column], order: str) -> list[Heading]:
    """Give the headings of a table in that order: a further click turns it round; numbers begin with the highest.

    Examples
    --------
    >>> [h.order for h in headings([Column(key="name", heading="Name"), Column(key="p", heading="P", kind="n")], "-p")]
    ['name', 'p']
    """
    return [_heading(column, order) for column in columns]


def _heading(column: Column, order: str) -> Heading:
    if not column.is_sortable:
        return Heading(column=column, order=None, aria_sort=None)
    if order.removeprefix("-") != column.key:
        return Heading(column=column, order=f"-{column.key}" if column.kind == "n" else column.key, aria_sort=None)
    descends = order.startswith("-")
    return Heading(
        column=column,
        order=column.key if descends else f"-{column.key}",
        aria_sort="descending" if descends else "ascending",
    )


def ordered(rows: Sequence[dict[str, Any]], order: str) -> list[dict[str, Any]]:
    """Sort rows; those without a value come last either way."""
    key = order.removeprefix("-")
    known = [row for row in rows if row[key] is not None]
    unknown = [row for row in rows if row[key] is None]
    return sorted(known, key=lambda row: row[key], reverse=order.startswith("-")) + unknown
