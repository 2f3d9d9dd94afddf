"""Between rows of ``test_executions`` and the records of ``model``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from math import isfinite
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import Connection, Row

from ator_lib.model import EndpointProgress, ErrorProgress, LoadProfile, Progress, Run, RunRequest, RunStatus
from ator_lib.registry import statements
from ator_lib.registry.checks import (
    check_texts,
    checked_attributes,
    checked_id,
    checked_name,
    checked_priority,
    not_found,
)

_Record = TypeVar("_Record", LoadProfile, Progress, EndpointProgress, ErrorProgress)

_NAMES = [column.name for column in statements.RUN]


def run_of(row: Row[Any]) -> Run:
    """Turn a row of ``statements.RUN``, whatever else is behind that, into a ``Run``."""
    values = dict(zip(_NAMES, row, strict=False))
    values["status"] = RunStatus(values["status"])
    values["load_profile"] = _profile_of(values["load_profile"])
    values["progress"] = _progress_of(values["progress"])
    values["attributes"] = values["attributes"] or {}
    run = object.__new__(Run)  # a frozen record's own __init__ takes as long as reading the row
    vars(run).update(values)
    return run


def get_run(connection: Connection, run_id: int, statement: Any = statements.GET) -> Run:
    """Read one run.

    Raises
    ------
    NotFoundError
        There is no such run.
    """
    row = connection.execute(statement, {"this_run": checked_id(run_id)}).one_or_none()
    if row is None:
        raise not_found(run_id)
    return run_of(row)


def inserted_run(request: RunRequest, values: Mapping[str, Any], row: Row[Any]) -> Run:
    """Make the ``Run`` of what was inserted and of what the database decided."""
    told = {name: value for name, value in values.items() if name != "idempotency_key"}
    told["status"] = RunStatus(told["status"])
    told["load_profile"] = request.load_profile
    told["attributes"] = told["attributes"] or {}
    return Run(**told, **row._mapping)


def values_of(
    request: RunRequest, *, location: str | None, factor: Decimal | None, status: RunStatus = RunStatus.RUNNING
) -> dict[str, Any]:
    """Turn a request into the values of a row, but for its times and lease.

    Raises
    ------
    UsageError
        A text is too long or holds what cannot be kept, or the attributes are no JSON.
    """
    check_texts(request)
    if location is not None:
        checked_name("a location", location)
    return {
        "id": uuid4(),
        "status": status.value,
        "repo": request.repo,
        "lac": request.lac,
        "stream": request.stream,
        "test": request.test,
        "type": request.type,
        "environment": request.environment,
        "triggered_by": request.triggered_by,
        "factor": factor,
        "dashboard_url": request.dashboard_url,
        "location": location,
        "priority": checked_priority(request.priority),
        "tool": request.tool,
        "load_profile": None if request.load_profile is None else vars(request.load_profile),
        "attributes": checked_attributes(request.attributes) if request.attributes else None,
    }


def document_of(progress: Progress | None) -> dict[str, Any] | None:
    """Turn progress into JSON that every database keeps; a figure that is not finite was not measured.

    ``None`` if nothing is told, or nothing of a time that anybody knows.
    """
    return _document_of(progress) if progress is not None and isfinite(progress.elapsed_s) else None


def _document_of(record: Any) -> dict[str, Any]:
    return {name: _kept(value) for name, value in vars(record).items()}


def _kept(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_document_of(one) for one in value]
    if isinstance(value, float):
        return value if isfinite(value) else None
    return printable(value) if isinstance(value, str) else value


def printable(text: str | None) -> str | None:
    """Take out what PostgreSQL cannot keep: tools write odd bytes into their last words."""
    return None if text is None else text.replace("\0", "").encode(errors="replace").decode()


def _profile_of(document: Mapping[str, Any] | None) -> LoadProfile | None:
    return None if document is None else _record_of(LoadProfile, document)


def _progress_of(document: Mapping[str, Any] | None) -> Progress | None:
    if document is None:
        return None
    endpoints = tuple(_record_of(EndpointProgress, one) for one in document.get("endpoints", ()))
    errors = tuple(_record_of(ErrorProgress, one) for one in document.get("errors", ()))
    return _record_of(Progress, {**document, "endpoints": endpoints, "errors": errors})


def _record_of(record: type[_Record], document: Mapping[str, Any]) -> _Record:
    names = {field.name for field in fields(record)}
    return record(**{name: value for name, value in document.items() if name in names})
