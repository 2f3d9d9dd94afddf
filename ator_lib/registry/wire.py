"""The registry's records as JSON and back: what the server says and what a remote client reads.

Times are ISO 8601 in UTC. A decimal is a JSON number where that says the same decimal, else text; both
are read. What JSON or UTF-8 cannot say (NaN, half a character) never gets out of here as such.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from math import isfinite
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from ator_lib.errors import StoreError, UsageError
from ator_lib.model import (
    SUPERVISOR,
    Admission,
    Baseline,
    EndpointProgress,
    ErrorProgress,
    HistoryPage,
    Holder,
    LoadProfile,
    LocationStatus,
    LocationUse,
    Progress,
    ProgressPoint,
    QueuePlace,
    Refusal,
    Run,
    RunFigures,
    RunRequest,
    RunStatus,
)

Document: TypeAlias = dict[str, Any]
"""A JSON object."""

MOST_PER_PAGE = 1000
"""Runs that the server answers at once, at most."""

_Record = TypeVar("_Record")

_REFUSAL_NAMES = {"taken": "sum", "status": "location_status"}
"""What a refusal's fields are called among the details of an answer."""

_MOST_EXACT = 2**53
"""Whole numbers up to here are the same in every JSON reader."""


# --- records to JSON ---


def run_to_json(run: Run, *, now: datetime | None = None, with_lease: bool = False) -> Document:
    """Turn a run into JSON: its fields by name, and ``stale``.

    Parameters
    ----------
    now
        When ``stale`` is asked; the present by default. Aware.
    with_lease
        Whether to give ``lease_id``, which is the key to the run: only to the one who registered it.
    """
    document = _fields_to_json(run)
    document["attributes"].pop(SUPERVISOR, None)  # a path of the machine that executes it
    if not with_lease:
        del document["lease_id"]
    return document | {"stale": run.is_stale(now or datetime.now(UTC))}


def admission_to_json(admission: Admission, *, now: datetime | None = None) -> Document:
    """Turn an admission into its run, with its lease, and ``refusal`` if it is queued."""
    document = run_to_json(admission.run, now=now, with_lease=True)
    if admission.refusal is not None:
        document["refusal"] = refusal_to_json(admission.refusal)
    return document


def request_to_json(request: RunRequest) -> Document:
    """Turn a request into the body that ``/register`` takes, without what was not said."""
    document = _fields_to_json(request)
    return {name: value for name, value in document.items() if value is not None and value != {}}


def refusal_to_json(refusal: Refusal) -> Document:
    """Turn a refusal into the details of a ``no_capacity`` answer."""
    return {_REFUSAL_NAMES.get(name, name): value for name, value in _fields_to_json(refusal).items()}


def place_to_json(place: QueuePlace, *, now: datetime | None = None) -> Document:
    """Turn a place in the queue into JSON."""
    return _fields_to_json(place) | {"run": run_to_json(place.run, now=now)}


def location_to_json(location: LocationUse) -> Document:
    """Turn a location and its use into JSON."""
    return _fields_to_json(location) | {"free": to_json(location.free)}


def baseline_to_json(baseline: Baseline) -> Document:
    """Turn a pinned baseline into JSON."""
    return _fields_to_json(baseline)


def page_to_json(page: HistoryPage, *, now: datetime | None = None) -> Document:
    """Turn a page of the history into JSON."""
    executions = [run_to_json(run, now=now) for run in page.runs]
    for execution, figures in zip(executions, page.figures, strict=False):  # there are none if nobody asked for them
        execution["figures"] = to_json(figures)
    return {"executions": executions, "next_cursor": page.next_cursor}


def to_json(value: Any) -> Any:
    """Turn a value of a record into what JSON has.

    Examples
    --------
    >>> to_json(Decimal("0.40")), to_json(Decimal("0.1234567890123456789")), to_json(float("nan"))
    (0.4, '0.1234567890123456789', None)
    """
    turn = _TURNS.get(type(value)) or _turn_by_base(value)
    return turn(value)


def _turn_by_base(value: Any) -> Callable[[Any], Any]:
    """Find how an enum or record is turned, or a text, number or time of NumPy's or pandas' own class."""
    if is_dataclass(value):
        return _fields_to_json
    for base, turn in _TURNS.items():
        if isinstance(value, base):
            return turn
    kind = type(value).__name__
    raise UsageError(f"a value of type {kind} cannot be sent: give a text, a number, a time, or a list of these")


def _decimal_to_json(number: Decimal) -> float | int | str:
    if not number.is_finite():
        return str(number)
    if number == number.to_integral_value() and abs(number) <= _MOST_EXACT:
        return int(number)
    near = float(number)
    return near if isfinite(near) and Decimal(repr(near)) == number else str(number)


def _fields_to_json(record: Any) -> Document:
    return {name: to_json(value) for name, value in vars(record).items()}


_TURNS: dict[type, Callable[[Any], Any]] = {
    Enum: lambda word: str(word.value),  # before str, as words are texts, too
    str: str,
    bool: bool,  # before int, which it is one of
    int: int,
    type(None): lambda nothing: nothing,
    float: lambda number: float(number) if isfinite(number) else None,
    Decimal: _decimal_to_json,
    datetime: lambda moment: moment.astimezone(UTC).isoformat(),
    UUID: str,
    Mapping: lambda mapping: {str(key): to_json(value) for key, value in mapping.items()},
    list: lambda values: [to_json(value) for value in values],
    tuple: lambda values: [to_json(value) for value in values],
}


# --- JSON to records ---


def run_from_json(document: Mapping[str, Any]) -> Run:
    """Read a run; ``lease_id`` is ``None`` where the server did not tell it.

    Raises
    ------
    StoreError
        It is no run that this version understands. The same holds for the other readers here.
    """
    return _read(Run, document)


def admission_from_json(document: Mapping[str, Any]) -> Admission:
    """Read a run and why it is queued, if it is."""
    run, refusal = run_from_json(document), document.get("refusal")
    return Admission(run=run, refusal=None if refusal is None else refusal_from_json(refusal))


def refusal_from_json(document: Mapping[str, Any]) -> Refusal:
    """Read the details of a ``no_capacity`` answer."""
    return _read(Refusal, document, **_REFUSAL_NAMES)


def place_from_json(document: Mapping[str, Any]) -> QueuePlace:
    """Read a place in the queue."""
    return _read(QueuePlace, document)


def location_from_json(document: Mapping[str, Any]) -> LocationUse:
    """Read a location and its use."""
    return _read(LocationUse, document)


def baseline_from_json(document: Mapping[str, Any]) -> Baseline:
    """Read a pinned baseline."""
    return _read(Baseline, document)


def point_from_json(document: Mapping[str, Any]) -> ProgressPoint:
    """Read a point of a run's progress."""
    return _read(ProgressPoint, document)


def list_from_json(document: Mapping[str, Any], name: str, read: Callable[[Document], _Record]) -> list[_Record]:
    """Read the records that stand under a name."""
    listed = document.get(name)
    if not isinstance(listed, list):
        raise StoreError(f"the server's answer has no list of {name}: is it an ATOR server, and of this version?")
    return [read(one) for one in listed]


def page_from_json(document: Mapping[str, Any]) -> HistoryPage:
    """Read a page of the history."""
    return _read(HistoryPage, document, runs="executions", figures="executions")


def count_from_json(document: Mapping[str, Any]) -> int:
    """Read how many runs there are."""
    count = document.get("count")
    if type(count) is not int:
        raise StoreError("the server's answer has no count: is it an ATOR server, and of this version?")
    return count


def _read(kind: type[_Record], document: Any, **named: str) -> _Record:
    """Make a record of its fields in the document (``named``: under another name); others are ignored."""
    try:
        keys = {field.name: named.get(field.name, field.name) for field in fields(kind)}  # type: ignore[arg-type]
        given = {name: document[key] for name, key in keys.items() if key in document}
        return kind(**{name: _value_of(kind, name, value) for name, value in given.items()})
    except (TypeError, ValueError, AttributeError, ArithmeticError, LookupError) as error:
        raise StoreError(
            f"the server's answer holds no {kind.__name__} that this version of ATOR understands "
            f"({type(error).__name__}: {error}). Is it an ATOR server, and of this version?"
        ) from None


def _figures_of(executions: list[Document]) -> tuple[RunFigures | None, ...]:
    said = [execution["figures"] for execution in executions if "figures" in execution]
    return tuple(None if figures is None else _read(RunFigures, figures) for figures in said)


def _value_of(kind: type, name: str, value: Any) -> Any:
    if value is None:
        return None
    read = _READERS.get((kind, name)) or _READERS_BY_NAME.get(name)
    return value if read is None else read(value)


def _decimal(value: float | str) -> Decimal:
    return Decimal(str(value))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _each(kind: type[_Record], documents: list[Document]) -> tuple[_Record, ...]:
    return tuple(_read(kind, document) for document in documents)


_TIMES = (
    *("start_time", "end_time", "queued_at", "lease_expires_at"),
    *("stop_requested_at", "estimated_start", "pinned_at", "at"),
)
_READERS_BY_NAME: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_TIMES, _moment),
    **dict.fromkeys(("factor", "capacity", "taken", "requested", "limit"), _decimal),
    **dict.fromkeys(("holders", "ahead", "waiting", "waits_for"), partial(_each, Holder)),
    "id": UUID,
    "run": run_from_json,
    "runs": lambda documents: tuple(map(run_from_json, documents)),
    "load_profile": partial(_read, LoadProfile),
    "progress": partial(_read, Progress),
    "endpoints": partial(_each, EndpointProgress),
    "errors": partial(_each, ErrorProgress),
    "attributes": dict,
}
_READERS: dict[tuple[type, str], Callable[[Any], Any]] = {
    (HistoryPage, "figures"): _figures_of,
    (Run, "status"): RunStatus,
    (Refusal, "status"): LocationStatus,
    (LocationUse, "status"): LocationStatus,
}
"""``status`` is another word in each record; the other names mean one thing everywhere."""
