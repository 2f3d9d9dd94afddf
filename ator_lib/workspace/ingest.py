"""Files that a tool left somewhere else become the results of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from ator_lib.errors import UsageError
from ator_lib.execution.files import Files
from ator_lib.execution.ingest import Ingester
from ator_lib.model import Run
from ator_lib.readers.base import ReadOptions, named
from ator_lib.results import index
from ator_lib.workspace.base import run_request
from ator_lib.workspace.parts import Parts

AnyFiles: TypeAlias = str | Path | Sequence[str | Path]
"""A file or folder, or several."""

INGESTED_FROM = "ingested_from"
"""Attribute of a run that was made of a file: the file's name."""


def ingest(parts: Parts, files: Files, run_id: int | None, identity: Mapping[str, Any]) -> Run:
    """Attach results to a run, or make a finished run of them; returns it as it is then.

    Parameters
    ----------
    identity
        What ``register`` takes, for a run that is made. It takes no place: it has no factor.

    Raises
    ------
    UsageError
        Both a run and an identity were given, or the identity is off.
    ResultsError, ConflictError, NotFoundError
        As ``Ingester`` says.
    """
    given = {name: value for name, value in identity.items() if value is not None}
    if run_id is not None and given:
        raise UsageError(f"run {run_id} has its {', '.join(sorted(given))} already: give either run= or those")
    if "factor" in given:
        raise UsageError("results of an ended run take no part of a location: leave factor out")
    parts.store.sweep(index.known_ingests(parts.engine))
    ingester = Ingester(
        registry=parts.registry, engine=parts.engine, store=parts.store, max_error_rate=parts.max_error_rate
    )
    if run_id is not None:
        return parts.ended(parts.registry.get(ingester.attach(files, run_id).run_id))
    asked = run_request(**given)
    given_files = ", ".join(named(Path(path.name)) for path in files.paths)
    request = replace(asked, attributes={INGESTED_FROM: given_files, **asked.attributes})
    return parts.ended(parts.registry.get(ingester.add(files, request).run_id))


def paths_of(files: AnyFiles) -> tuple[Path, ...]:
    """Give the paths of one file or several.

    Raises
    ------
    UsageError
        There is none.
    """
    given = [files] if isinstance(files, str | Path) else files
    if not given:
        raise UsageError("give at least one file or folder of results")
    return tuple(Path(path) for path in given)


def read_options(
    columns: Mapping[str, str] | None, timezone: str | tzinfo | None, started_at: datetime | str | None
) -> ReadOptions:
    """Check what the user says about files that do not say it themselves.

    Raises
    ------
    UsageError
        There is no such time zone, or the start is no time, or none of UTC's years 1 to 9999.
    """
    zone = _zone(timezone) if isinstance(timezone, str) else timezone
    start = _moment(started_at) if isinstance(started_at, str) else started_at
    return ReadOptions(zone=zone, started_at=start and _in_utc(start, zone or UTC), columns=columns or {})


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # unknown, no name at all, a folder of the zone files
        raise UsageError(f"there is no time zone {name!r}: use such as 'UTC' or 'Europe/Berlin'") from error


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"started_at {text!r} is no time: use such as '2026-11-21T09:30:00+01:00'") from error


def _in_utc(moment: datetime, zone: tzinfo) -> datetime:
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise UsageError(f"started_at {moment.isoformat()!r} is no time of the years 1 to 9999 in UTC") from error


def column_map(text: str) -> dict[str, str]:
    """Read which of a table's columns is which of ours: ``duration_ms=latency:s,name=endpoint``.

    Raises
    ------
    UsageError
        A part is not ``ours=theirs``.

    Examples
    --------
    >>> column_map("duration_ms=latency:s, name=endpoint")
    {'duration_ms': 'latency:s', 'name': 'endpoint'}
    """
    parts = [part.partition("=") for part in text.split(",")]
    if unclear := [ours for ours, equals, theirs in parts if not (ours.strip() and equals and theirs.strip())]:
        raise UsageError(f"{unclear[0]!r} is not of the form ours=theirs, such as duration_ms=latency:s")
    return {ours.strip(): theirs.strip() for ours, _, theirs in parts}
