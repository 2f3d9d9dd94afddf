"""Searching runs: filters as plain data become one statement.

A filter is a mapping, and everything in it must hold::

    {"test": ["checkout", "search"], "stream": "main%", "status": "failure", "since": "2026-11-01"}
    {"tag": "nightly", "attributes": {"git_commit": "0f3c"}, "any_of": [{"test": "a"}, {"stream": "b%"}]}

The names of ``TEXTS`` take a text or a list of them, any of which may match. ``%`` stands for any
text, and letters then match in either case; a stream always ignores case (on SQLite that of ASCII).
``since`` and ``until`` (the end is not included) look at the run's start, or at its queueing if it
has not started. All of several tags must be there. One of the filters in ``any_of`` must hold.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy import func as sql

from ator_lib.errors import UsageError
from ator_lib.model import HistoryPage, Run
from ator_lib.registry.checks import MOST_RUN_ID, checked_status, checked_text
from ator_lib.registry.statements import RUN, runs
from ator_lib.sql.types import JsonHolds

TEXTS = (
    *("test", "stream", "repo", "lac", "type", "environment", "triggered_by"),
    *("tool", "location", "status", "status_reason"),
)
"""Fields that are compared with a text, a pattern, or a list of these."""

ORDERS = (
    *("run_id", "start_time", "end_time", "queued_at"),
    *("test", "stream", "repo", "lac", "type", "environment", "triggered_by", "status", "location"),
)
"""What runs can be ordered by."""

_TIMES = frozenset({"start_time", "end_time", "queued_at"})
_MOST_RUNS = 1_000_000
_DEEPEST = 5
_BEYOND_NUMBERS = 2**63
_RUNS = select(*RUN)


def page_query(where: Mapping[str, Any] | None, *, limit: int, order: str, cursor: str | None) -> Select[Any]:
    """Select one run more than a page has, so that whoever reads it knows whether there is another page.

    Raises ``UsageError`` as ``checked_filter`` does.
    """
    checked = checked_filter(where, limit=limit, order=order, cursor=cursor)
    name, descends = _parsed(order)
    column = runs[name]
    query = _RUNS.where(*_conditions(checked)).limit(limit + 1)
    if cursor is not None:
        query = query.where(_after(column, descends, *_opened(cursor, order)))
    direction: Callable[[Any], Any] = (lambda c: c.desc()) if descends else (lambda c: c.asc())
    by_id = direction(runs.run_id)
    return query.order_by(by_id) if name == "run_id" else query.order_by(direction(column).nulls_last(), by_id)


def ids_query(where: Mapping[str, Any]) -> Select[tuple[int]]:
    """Select the ids of all runs that match; ``UsageError`` as ``checked_filter``."""
    return select(runs.run_id).where(*_conditions(_checked(where)))


def texts_query(name: str, where: Mapping[str, Any]) -> Select[tuple[str]]:
    """Select the different values that one of ``TEXTS`` has among the runs that match."""
    return select(runs[name]).where(runs[name].is_not(None), *_conditions(_checked(where))).distinct()


def page_of(found: Sequence[Run], *, limit: int, order: str) -> HistoryPage:
    """Make a page of what ``page_query`` found."""
    page = tuple(found[:limit])
    return HistoryPage(runs=page, next_cursor=_cursor(page[-1], order) if page and len(found) > limit else None)


def as_utc(name: str, moment: date | str) -> datetime:
    """Read a time; without a zone it is UTC, and a date is its midnight.

    Raises
    ------
    UsageError
        It is none.
    """
    try:
        time = datetime.fromisoformat(moment if isinstance(moment, str) else moment.isoformat())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError, AttributeError):
        raise UsageError(f"{name}={moment!r} is no time: use such as 2026-01-31 or 2026-01-31T12:00Z") from None


# --- what may be asked ---


def checked_filter(where: Mapping[str, Any] | None, *, limit: int, order: str, cursor: str | None) -> dict[str, Any]:
    """Check what is asked for; return the filter with every text and tag in a list, times in UTC, and plain values.

    Raises
    ------
    UsageError
        An unknown filter, status or order, a value of the wrong kind, or another order's cursor.
    """
    if type(limit) is not int or not 0 <= limit <= _MOST_RUNS:
        raise UsageError(f"limit {limit!r} is not possible; give how many runs to return, up to {_MOST_RUNS:,}")
    _parsed(order)
    if cursor is not None:
        _opened(cursor, order)
    return _checked(where or {})


def _checked(where: Any, depth: int = 0) -> dict[str, Any]:
    if not isinstance(where, Mapping) or depth > _DEEPEST:
        raise UsageError("a filter is a mapping of names to values, not nested more than five times")
    unknown = sorted(str(name) for name in set(where) - {*TEXTS, *_SPECIAL})
    if unknown:
        raise UsageError(f"there is no filter {', '.join(unknown)}: there are {', '.join((*TEXTS, *_SPECIAL))}")
    return {name: _checked_value(name, value, depth) for name, value in where.items() if value is not None}


def _checked_value(name: str, value: Any, depth: int) -> Any:
    if name in ("since", "until"):
        return as_utc(name, value)
    if name == "attributes":
        return _checked_attributes(value)
    if name == "any_of":
        return [_checked(one, depth + 1) for one in _listed(name, value)]
    texts = [_plain(checked_text(name, text) or "") for text in _listed(name, value)]
    return [checked_status(text).value for text in texts] if name == "status" else texts


def _checked_attributes(wanted: Any) -> dict[str, Any]:
    if not isinstance(wanted, Mapping) or not wanted:
        raise UsageError("attributes is a mapping of names to values that the run's must have")
    for name, value in wanted.items():
        if not isinstance(name, str) or not isinstance(value, str | int | float) or not _is_finite(value):
            raise UsageError(f"attributes can be searched for texts, numbers and booleans; {name!r} is none")
        checked_text("attribute", name + str(value))
    return {_plain(name): _plain(value) for name, value in wanted.items()}


def _plain(value: str | float) -> Any:
    """Give Python's own text, boolean or number for an enum's or NumPy's: databases go by the class."""
    if isinstance(value, str):
        return str.__str__(value)  # str() would give an enum's name
    return next(kind(value) for kind in (bool, int, float) if isinstance(value, kind))


def _is_finite(value: str | float) -> bool:
    """Whether JSON and the databases have the number; a text always is."""
    return isinstance(value, str) or abs(value) < _BEYOND_NUMBERS


def _listed(name: str, value: Any) -> Sequence[Any]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list | tuple):
        raise UsageError(f"{name}={value!r} cannot be searched for: give a {'list' if name == 'any_of' else 'text'}")
    return value


# --- conditions, of what was checked ---


def _conditions(where: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    return [_SPECIAL[name](value) if name in _SPECIAL else _text_matches(name, value) for name, value in where.items()]


def _text_matches(name: str, texts: Sequence[str]) -> ColumnElement[bool]:
    exact = [text for text in texts if "%" not in text]
    matches: list[ColumnElement[bool]] = [
        runs[name].ilike(_only_percent(text), escape="\\") for text in texts if "%" in text
    ]
    if exact and name == "stream":
        matches += [sql.lower(runs.stream) == sql.lower(text) for text in exact]
    elif exact:
        matches.append(runs[name].in_(exact) if len(exact) > 1 else runs[name] == exact[0])
    return or_(false(), *matches)


def _only_percent(pattern: str) -> str:
    """Keep only ``%`` as a wildcard of LIKE."""
    return pattern.replace("\\", "\\\\").replace("_", "\\_")


def _since(time: datetime) -> ColumnElement[bool]:
    return or_(runs.start_time >= time, and_(runs.start_time.is_(None), runs.queued_at >= time))


def _until(time: datetime) -> ColumnElement[bool]:
    return or_(runs.start_time < time, and_(runs.start_time.is_(None), runs.queued_at < time))


def _tag(tags: Sequence[str]) -> ColumnElement[bool]:
    return and_(*(JsonHolds.tag(runs.attributes, tag) for tag in tags))


def _attributes(wanted: Mapping[str, Any]) -> ColumnElement[bool]:
    return and_(*(JsonHolds.attribute(runs.attributes, name, value) for name, value in wanted.items()))


def _any_of(filters: Sequence[Mapping[str, Any]]) -> ColumnElement[bool]:
    return or_(false(), *(and_(*_conditions(one)) for one in filters))


_SPECIAL: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "since": _since,
    "until": _until,
    "tag": _tag,
    "attributes": _attributes,
    "any_of": _any_of,
}


# --- pages ---


def _parsed(order: str) -> tuple[str, bool]:
    name = order.removeprefix("-")
    if name not in ORDERS:
        raise UsageError(
            f"runs cannot be ordered by {order!r}: there are {', '.join(ORDERS)}, with - in front descending"
        )
    return name, order.startswith("-")


def _after(column: Any, descends: bool, value: Any, run_id: int) -> ColumnElement[bool]:
    """Tell the rows behind a position, unknown values being last in either direction."""
    later_id = runs.run_id < run_id if descends else runs.run_id > run_id
    if column is runs.run_id:
        return later_id
    if value is None:
        return and_(column.is_(None), later_id)
    beyond = column < value if descends else column > value
    return or_(beyond, and_(column == value, later_id), column.is_(None))


def _cursor(last: Run, order: str) -> str:
    value = getattr(last, _parsed(order)[0])
    position = [order, value.isoformat() if isinstance(value, datetime) else value, last.run_id]
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _opened(cursor: str, order: str) -> tuple[Any, int]:
    try:
        made_for, value, run_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if _parsed(order)[0] in _TIMES and value is not None:
            value = as_utc("cursor", value)
        elif _parsed(order)[0] != "run_id":
            value = checked_text("cursor", value)
        is_whole = isinstance(run_id, int) and abs(run_id) <= MOST_RUN_ID
    except (ValueError, TypeError, RecursionError, UsageError):
        made_for, value, run_id, is_whole = None, None, 0, False
    if made_for != order or not is_whole:
        raise UsageError("the cursor is not one of this search: take next_cursor of its page, with the same order")
    return value, run_id
