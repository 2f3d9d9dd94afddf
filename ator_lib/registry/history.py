"""Searching runs: filters as plain data become one statement.

A filter is a mapping, and everything in it must hold::

    {"test": ["checkout", "search"], "stream": "main%", "status": "failure", "since": "2026-11-01"}
    {"tag": "nightly", "attributes": {"git_commit": "0f3c"}, "any_of": [{"test": "a"}, {"stream": "b%"}]}

The names of ``TEXTS`` take a text or a list of them, any of which may match. ``%`` stands for any
text, and letters then match in either case; a stream always ignores case (on SQLite that of ASCII).
``run_id`` takes a number or a list of them. Those of ``QUANTITIES`` take the least and the highest value, either of
which may be null. ``since`` and ``until`` (the end is not included) look at the run's start, or at its queueing if it
has not started. All of several tags must be there. One of the filters in ``any_of`` must hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite, nan
from numbers import Real
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy import func as sql

from ator_lib.errors import NotFoundError, UsageError
from ator_lib.registry.checks import checked_id, checked_status, checked_text
from ator_lib.registry.quantities import QUANTITIES, lies_between
from ator_lib.registry.statements import runs
from ator_lib.sql.types import JsonHolds

TEXTS = (
    *("test", "stream", "repo", "lac", "type", "environment", "triggered_by"),
    *("tool", "location", "status", "status_reason"),
)
"""Fields that are compared with a text, a pattern, or a list of these."""

MOST_IDS = 10_000
"""Ids that one statement holds: both databases take more."""

_DEEPEST = 5
_BEYOND_NUMBERS = 2**63


def ids_query(where: Mapping[str, Any]) -> Select[tuple[int]]:
    """Select the ids of all runs that match; ``UsageError`` as ``checked_filter``."""
    return select(runs.run_id).where(*conditions(where))


def count_query(where: Mapping[str, Any]) -> Select[Any]:
    """Select how many runs match; ``UsageError`` as ``checked_filter``."""
    return select(sql.count(runs.run_id)).where(*conditions(where))


def texts_query(name: str, where: Mapping[str, Any]) -> Select[Any]:
    """Select the different values that one of ``TEXTS`` has among the runs that match."""
    if name not in TEXTS:
        raise UsageError(f"there are no values of {name!r} to choose from, only of {', '.join(TEXTS)}")
    return select(runs[name]).where(runs[name].is_not(None), *conditions(where)).distinct()


def conditions(where: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """Give SQL for all that must hold; ``UsageError`` as ``checked_filter``."""
    return _conditions(checked_filter(where))


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


def checked_filter(where: Mapping[str, Any]) -> dict[str, Any]:
    """Check what is searched for; return the filter with every text, tag and id in a list, times in UTC, plain values.

    Raises
    ------
    UsageError
        An unknown filter or status, or a value of the wrong kind.
    """
    return _checked(where)


def _checked(where: Any, depth: int = 0) -> dict[str, Any]:
    if not isinstance(where, Mapping) or depth > _DEEPEST:
        raise UsageError("a filter is a mapping of names to values, not nested more than five times")
    known = (*TEXTS, *_SPECIAL, *QUANTITIES)
    unknown = sorted(str(name) for name in set(where).difference(known))
    if unknown:
        raise UsageError(f"there is no filter {', '.join(unknown)}: there are {', '.join(known)}")
    return {name: _checked_value(name, value, depth) for name, value in where.items() if value is not None}


def _checked_value(name: str, value: Any, depth: int) -> Any:
    if name in ("since", "until"):
        return as_utc(name, value)
    if name == "attributes":
        return _checked_attributes(value)
    if name == "run_id":
        return _checked_ids(value)
    if name in QUANTITIES:
        return _checked_range(name, value)
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


def _checked_ids(value: Any) -> list[int]:
    ids = list(value) if isinstance(value, list | tuple) else [value]
    if len(ids) > MOST_IDS:
        raise UsageError(f"run_id has {len(ids):,} numbers: at most {MOST_IDS:,} are searched for at once")
    found = []
    for run_id in ids:
        with suppress(NotFoundError):  # a number that no run could have finds none
            found.append(checked_id(run_id))
    return found


def _checked_range(name: str, value: Any) -> list[float | None]:
    bounds = [_checked_bound(bound) for bound in value] if isinstance(value, list | tuple) else []
    if len(bounds) != 2 or bounds == [None, None] or not all(bound is None or isfinite(bound) for bound in bounds):
        raise UsageError(f"{name}={value!r} cannot be searched for: give the least and the most, such as (0.5, None)")
    return bounds


def _checked_bound(bound: Any) -> float | None:
    """Return a number as the databases have it; nan for what is none, or larger than they know."""
    if bound is None:
        return None
    with suppress(OverflowError, ValueError):  # a huge whole number, a Decimal that says it is none
        return float(bound) if isinstance(bound, Real | Decimal) else nan
    return nan


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
    return [_condition(name, value) for name, value in where.items()]


def _condition(name: str, value: Any) -> ColumnElement[bool]:
    if name in QUANTITIES:
        return lies_between(name, *value)
    return _SPECIAL[name](value) if name in _SPECIAL else _text_matches(name, value)


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


def _run_id(ids: Sequence[int]) -> ColumnElement[bool]:
    return runs.run_id.in_(ids)


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
    "run_id": _run_id,
    "since": _since,
    "until": _until,
    "tag": _tag,
    "attributes": _attributes,
    "any_of": _any_of,
}
