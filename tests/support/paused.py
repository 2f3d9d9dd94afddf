"""Takes in or deletes results in a process of its own that says where it is and waits there.

``python -m tests.support.paused POINT FOLDER ACTION ARGUMENT…`` with ``attach PATH RUN_ID``, ``add PATH``,
``delete RUN_ID`` or ``reset``. It prints the point when it has come there and goes on when it is sent a line; whoever
started it may as well kill it. At its end it prints the id of the run, or the error. The database is that of the
environment.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Connection, event

from ator_lib import schema
from ator_lib.errors import AtorError
from ator_lib.execution.ingest import Files
from ator_lib.readers.base import Reading
from ator_lib.results.base import StagedResults
from ator_lib.results.parquet import ParquetStore
from ator_lib.settings import load_settings
from ator_lib.sql.translate import shown
from ator_lib.workspace.connect import open_workspace
from ator_lib.workspace.database import reset
from ator_lib.workspace.deletion import delete
from ator_lib.workspace.ingest import ingest
from ator_lib.workspace.parts import Parts

INGEST_POINTS = ("reading", "staged", "committing", "committed", "kept")
DELETE_POINTS = ("released", "committing", "committed", "discarded")

stop_at = ""


def say(text: str) -> None:
    """Tell whoever started this."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def pause(point: str) -> None:
    """Wait to be killed or sent on, once, if this is the point."""
    global stop_at
    if point == stop_at:
        stop_at = ""
        say(point)
        sys.stdin.readline()


class PausingStore(ParquetStore):
    """The real store, with pauses around what it does."""

    def write(self, reading: Reading) -> StagedResults:
        def batches() -> Iterator[pa.RecordBatch]:
            for batch in reading.samples:
                yield batch
                pause("reading")

        samples = pa.RecordBatchReader.from_batches(schema.SAMPLES, batches())
        staged = super().write(replace(reading, samples=samples))
        pause("staged")
        return staged

    def keep(self, ingest_id: str) -> None:
        pause("committed")
        super().keep(ingest_id)
        pause("kept")

    def release(self, ingest_id: str) -> None:
        super().release(ingest_id)
        pause("released")

    def discard(self, ingest_id: str) -> None:
        pause("committed")
        super().discard(ingest_id)
        pause("discarded")


def pausing_parts(folder: Path) -> Parts:
    """Open the workspace with that store and a pause before each commit."""
    parts = open_workspace(load_settings(data=folder)).parts

    def before_commit(_: Connection) -> None:
        pause("committing")

    event.listen(parts.engine, "commit", before_commit)
    return replace(parts, store=PausingStore(parts.store.root, registry=shown(parts.engine.url)))


def act(parts: Parts, action: str, *arguments: str) -> int:
    """Do what was asked for; returns the id of the run, or the number of folders that a reset removed."""
    if action == "reset":
        return reset(parts).folders
    if action == "attach":
        path, run_id = arguments
        return ingest(parts, Files(paths=(Path(path),)), int(run_id), {}).run_id
    if action == "add":
        return ingest(parts, Files(paths=(Path(arguments[0]),)), None, {"test": "synthetic"}).run_id
    return delete(parts, int(arguments[0])).run_id


if __name__ == "__main__":
    point, folder, *asked = sys.argv[1:]
    opened = pausing_parts(Path(folder))
    stop_at = point
    try:
        say(str(act(opened, *asked)))
    except AtorError as error:
        say(f"{type(error).__name__}: {error}")
