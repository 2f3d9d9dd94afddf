"""Files that a tool left somewhere else become the results of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ator_lib.errors import UsageError
from ator_lib.execution.ingest import Ingester
from ator_lib.model import Run
from ator_lib.readers.base import named
from ator_lib.results import index
from ator_lib.workspace.base import run_request
from ator_lib.workspace.parts import Parts

INGESTED_FROM = "ingested_from"
"""Attribute of a run that was made of a file: the file's name."""


def ingest(parts: Parts, path: Path, run_id: int | None, format: str | None, identity: Mapping[str, Any]) -> Run:
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
        return parts.registry.get(ingester.attach(path, run_id, format=format).run_id)
    asked = run_request(**given)
    request = replace(asked, attributes={INGESTED_FROM: named(Path(path.name)), **asked.attributes})
    return parts.registry.get(ingester.add(path, request, format=format).run_id)
