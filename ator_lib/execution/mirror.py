"""Ended runs are sent to InfluxDB, too; what happens there never costs a run."""

from __future__ import annotations

import warnings
from contextlib import suppress

from sqlalchemy import Engine

from ator_lib.errors import AtorError, NotFoundError
from ator_lib.model import Run
from ator_lib.registry.registry import Registry
from ator_lib.results import index, influx
from ator_lib.results.base import Ingest
from ator_lib.results.store import Store
from ator_lib.sql.engine import read

MIRROR_ERROR = "influx_error"
"""Attribute of a run that could not be mirrored: why."""


class MirrorWarning(UserWarning):
    """A run is whole here and could not be sent to InfluxDB."""


class Mirror:
    """Sends runs that have results to InfluxDB."""

    def __init__(self, target: influx.Influx, *, registry: Registry, engine: Engine, store: Store) -> None:
        self._target = target
        self._registry = registry
        self._engine = engine
        self._store = store

    def send(self, run_id: int) -> int:
        """Send a run, and say how many points it has become.

        Raises
        ------
        StoreError
            InfluxDB refused or lost some of it, or cannot be reached.
        NotFoundError
            The run has no results.
        """
        run = self._registry.get(run_id)
        if (ingest := self._ingest_of(run_id)) is None:
            raise NotFoundError(f"run {run_id} has no results that could be sent")
        return self._send(run, ingest)

    def send_ended(self, run: Run) -> Run:
        """Send a run if it has ended with results, and return it; a failure is a warning and an attribute of it."""
        if not run.status.is_final:
            return run
        try:
            if (ingest := self._ingest_of(run.run_id)) is not None:
                self._send(run, ingest)
        except AtorError as error:
            warnings.warn(f"run {run.run_id} is whole, and was not mirrored: {error}", MirrorWarning, stacklevel=2)
            with suppress(AtorError):
                return self._registry.update(run.run_id, attributes={MIRROR_ERROR: str(error)})
        return run

    def _ingest_of(self, run_id: int) -> Ingest | None:
        with read(self._engine) as connection:
            return index.details_of(connection, run_id)

    def _send(self, run: Run, ingest: Ingest) -> int:
        return influx.send(
            self._target,
            run,
            ended_at=run.end_time or run.start_time or ingest.created_at,  # with none, each export has its own
            summaries=index.summaries(self._engine, [run.run_id]),
            timeline=self._store.timeline(ingest.ingest_id),
            metrics=self._store.metrics(ingest.ingest_id),
        )
