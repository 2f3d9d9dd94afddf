"""Ended runs are sent to InfluxDB, too; what happens there never costs a run."""

from __future__ import annotations

import warnings
from contextlib import suppress

from sqlalchemy import Engine

from ator_lib.errors import AtorError, NotFoundError
from ator_lib.registry.registry import Registry
from ator_lib.results import index, influx
from ator_lib.results.store import Store

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
        ingest_id = index.ingest_of(self._engine, run_id)
        if ingest_id is None:
            raise NotFoundError(f"run {run_id} has no results that could be sent")
        return influx.send(
            self._target,
            run,
            summaries=index.summaries(self._engine, [run_id]),
            timeline=self._store.timeline(ingest_id),
            metrics=self._store.metrics(ingest_id),
        )

    def send_anyway(self, run_id: int) -> None:
        """Send a run that has just ended; a failure is a warning, and stands among the run's attributes."""
        try:
            self.send(run_id)
        except AtorError as error:
            warnings.warn(f"run {run_id} is whole, and was not mirrored: {error}", MirrorWarning, stacklevel=2)
            with suppress(AtorError):
                self._registry.update(run_id, attributes={MIRROR_ERROR: str(error)})
