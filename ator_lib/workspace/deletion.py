"""A run that has ended is forgotten, with all that belongs to it."""

from __future__ import annotations

import shutil
from contextlib import suppress

from ator_lib.errors import StoreError
from ator_lib.model import SUPERVISOR, Run
from ator_lib.results import index
from ator_lib.sql.engine import write
from ator_lib.workspace.parts import Parts


def delete(parts: Parts, run_id: int) -> Run:
    """Delete a run, its results and the folder that its tool worked in; returns what the registry knew of it.

    Raises
    ------
    NotFoundError
        There is no such run.
    ConflictError
        It has not ended, or is pinned as a baseline; nothing was changed.
    """
    with write(parts.engine) as connection:
        index.hold_run(connection, run_id)  # or an ingest could come between the two steps
        ingest_id = index.remove(connection, run_id)
        run = parts.registry.remove(run_id, connection=connection)
        if ingest_id is not None:
            parts.store.release(ingest_id)  # from here on the sweep finishes what a crash leaves
    if ingest_id is not None:
        with suppress(StoreError):  # the run is gone in any case; what is left is swept
            parts.store.discard(ingest_id)
    if _was_executed_here(parts, run):
        shutil.rmtree(parts.run_folder(run_id), ignore_errors=True)
    return run


def _was_executed_here(parts: Parts, run: Run) -> bool:
    """Whether the folder of that number is this run's: several registries may share a data folder."""
    supervisor = run.attributes.get(SUPERVISOR)
    return isinstance(supervisor, dict) and supervisor.get("host") == parts.host
