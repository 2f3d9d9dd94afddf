"""A run that has ended is forgotten, with all that belongs to it."""

from __future__ import annotations

import shutil
from contextlib import suppress

from ator_lib.errors import NotFoundError, StoreError
from ator_lib.model import Run
from ator_lib.registry.checks import checked_id
from ator_lib.results import index
from ator_lib.sql.engine import write
from ator_lib.sql.retry import persistently
from ator_lib.workspace.parts import Parts


def delete(parts: Parts, run_id: int) -> Run:
    """Delete a run, its results and the folder that its tool worked in; returns what the registry knew of it.

    Raises
    ------
    NotFoundError
        There is no such run.
    ConflictError
        It has not ended, is pinned as a baseline, or somebody marked it; nothing was changed.
    StoreUnavailableError
        The database stayed away. The message says if nothing was deleted, or that nobody knows.
    """
    run_id = checked_id(run_id)
    attempts: list[tuple[Run, str | None]] = []

    def forget(in_doubt: bool) -> None:
        try:
            with write(parts.engine) as connection:
                index.hold_run(connection, run_id)  # or an ingest could come between the two steps
                ingest_id = index.remove(connection, run_id)
                attempts.append((parts.registry.remove(run_id, connection=connection), ingest_id))
                if ingest_id is not None:
                    parts.store.release(ingest_id)  # from here on the sweep finishes what a crash leaves
        except NotFoundError:
            if not in_doubt:  # else the attempt before was committed
                raise

    persistently(forget, f"run {run_id}", "deleted")
    run, ingest_id = attempts[-1]
    if ingest_id is not None:
        with suppress(StoreError):  # the run is gone in any case; what is left is swept
            parts.store.discard(ingest_id)
    if parts.has_executed(run_id, run.attributes):
        shutil.rmtree(parts.run_folder(run_id), ignore_errors=True)
    return run
