"""Takes in or deletes results in a process of its own that says where it is and waits there.

The actions are ``attach PATH RUN_ID``, ``add PATH``, ``delete RUN_ID``, ``export PATH``, ``purge`` and ``reset``. The
process tells the point when it has come there and goes on when it is told anything; whoever started it may as well
kill it. At its end it tells the id of the run (of a purge: how many runs), or the error. The database is that of the
environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from multiprocessing.connection import Connection as Line
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, event

from ator_lib import schema
from ator_lib.errors import AtorError
from ator_lib.execution.files import Files
from ator_lib.readers.base import Reading
from ator_lib.readers.duck import Query
from ator_lib.results.base import StagedResults
from ator_lib.results.store import Store
from ator_lib.settings import load_settings
from ator_lib.workspace.connect import open_workspace
from ator_lib.workspace.database import reset
from ator_lib.workspace.deletion import delete
from ator_lib.workspace.ingest import ingest
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.purge import purge
from ator_lib.workspace.workspace import Workspace

INGEST_POINTS = ("reading", "staged", "committing", "committed", "kept")
PURGE_POINTS = ("condensed", "marked", "expired")
DELETE_POINTS = ("released", "committing", "committed", "discarded")

stop_at = ""
line: Line


def pause(point: str) -> None:
    """Wait to be killed or sent on, once, if this is the point."""
    global stop_at
    if point == stop_at:
        stop_at = ""
        line.send(point)
        line.recv()


class PausingStore:
    """The real store, with pauses around what it does."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, reading: Reading) -> StagedResults:
        def batches() -> Iterator[pa.RecordBatch]:
            for batch in read_samples(reading):
                yield batch
                pause("reading")

        samples = pa.RecordBatchReader.from_batches(schema.SAMPLES, batches())
        staged = self._store.write(replace(reading, samples=samples))
        pause("staged")
        return staged

    def keep(self, ingest_id: str) -> None:
        pause("committed")
        self._store.keep(ingest_id)
        pause("kept")

    def release(self, ingest_id: str) -> None:
        self._store.release(ingest_id)
        pause("released")

    def discard(self, ingest_id: str) -> None:
        pause("committed")
        self._store.discard(ingest_id)
        pause("discarded")

    def borrowed(self, ingest_id: str, *tables: str, **how: Any) -> Any:
        pause("lending")
        return self._store.borrowed(ingest_id, *tables, **how)

    def condense(self, ingest_id: str, block_s: float) -> None:
        self._store.condense(ingest_id, block_s)
        pause("condensed")

    def expire(self, ingest_id: str) -> None:
        pause("marked")
        self._store.expire(ingest_id)
        pause("expired")


def read_samples(reading: Reading) -> pa.RecordBatchReader:
    """Give the samples of a reading batch by batch, also those that DuckDB would read in bulk."""
    samples = reading.samples
    return samples.connection.sql(samples.sql).to_arrow_reader() if isinstance(samples, Query) else samples


def pausing_parts(folder: Path) -> Parts:
    """Open the workspace with that store and a pause before each commit."""
    parts = open_workspace(load_settings(data=folder)).parts

    def before_commit(_: Connection) -> None:
        pause("committing")

    event.listen(parts.engine, "commit", before_commit)
    return replace(parts, store=PausingStore(parts.store))


def act(parts: Parts, action: str, *arguments: str) -> int:
    """Do what was asked for; returns the id of the run, or the number of folders that a reset removed."""
    if action == "reset":
        return reset(parts).folders
    if action == "purge":
        return len(purge(parts, 0.001))
    if action == "export":
        Workspace(parts).export(arguments[0])
        return 0
    if action == "attach":
        path, run_id = arguments
        return ingest(parts, Files(paths=(Path(path),)), int(run_id), {}).run_id
    if action == "add":
        return ingest(parts, Files(paths=(Path(arguments[0]),)), None, {"test": "synthetic"}).run_id
    return delete(parts, int(arguments[0])).run_id


def main(to_starter: Line, environment: Mapping[str, str], point: str, folder: Path, *asked: str) -> None:
    """Do what was asked for, with a pause at the point."""
    global line, stop_at
    line = to_starter
    os.environ.clear()
    os.environ.update(environment)
    opened = pausing_parts(folder)
    stop_at = point
    try:
        line.send(str(act(opened, *asked)))
    except AtorError as error:
        line.send(f"{type(error).__name__}: {error}")
