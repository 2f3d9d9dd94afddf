"""The database behind a workspace: opened and upgraded, and emptied."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Connection, Engine, delete, select, text

from ator_lib.errors import ConflictError, StoreError
from ator_lib.model import RunStatus
from ator_lib.sql.engine import open_engine, upgrade, write
from ator_lib.sql.tables import ingests, metadata, test_executions, tokens
from ator_lib.workspace.parts import Parts

DATABASE_FILE = "ator.db"
UPLOADS = "uploads"
SYNTHETIC = "synthetic"
"""Attribute and tag of runs that were made up to try things out: nothing really runs."""

_LIVE = (RunStatus.QUEUED.value, RunStatus.RUNNING.value)
_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Upgraded:
    """A database at this version: its engine, and what the upgrade has to say on rows that were there."""

    engine: Engine
    report: tuple[str, ...]


def upgraded_database(data: Path, database_url: SecretStr | None) -> Upgraded:
    """Open a team's database, or the embedded one in the data folder, and bring it to this version.

    Raises
    ------
    StoreError
        The folder cannot be made, or the database cannot be opened or upgraded.
    """
    file = usable_folder(data) / DATABASE_FILE
    engine = open_engine(file if database_url is None else database_url.get_secret_value())
    return Upgraded(engine=engine, report=upgrade(engine))


def open_database(data: Path, database_url: SecretStr | None) -> Engine:
    """Like ``upgraded_database``, with the report in the log."""
    upgraded = upgraded_database(data, database_url)
    for sentence in upgraded.report:
        logging.getLogger("ator_lib").warning("database upgrade: %s", sentence)
    return upgraded.engine


def usable_folder(data: Path) -> Path:
    """Make the data folder if it is not there; gives its whole path.

    Raises
    ------
    StoreError
        It cannot be made.
    """
    data = data.expanduser().absolute()
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the data folder {data} cannot be made ({error.strerror}): choose another with --data or ATOR_DATA"
        ) from error
    return data


@dataclass(frozen=True, kw_only=True)
class Reset:
    """What a reset deleted: rows by table, and folders of results and runs."""

    rows: Mapping[str, int]
    folders: int


def reset(parts: Parts, *, force: bool = False, with_tokens: bool = False) -> Reset:
    """Delete all runs of the registry, and all that belongs to them; the tables stay.

    Of the data folder go the results and run folders of these runs and what was uploaded, and nothing
    else. Run ids go on, so that an old link never shows another run.

    Parameters
    ----------
    force
        Also while runs are running or queued.
    with_tokens
        Delete the API tokens, too; without it those who have one keep their access.

    Raises
    ------
    ConflictError
        Runs are running or queued; nothing was deleted.
    StoreError
        The database or a folder cannot be changed.
    """
    parts.registry.reap()
    aside: list[Path] = []
    try:
        with write(parts.engine) as connection:
            _keep_others_out(connection)
            if not force:
                _refuse_live_runs(connection)
            for path in _folders_of(connection, parts):
                _set_aside(path)
                aside.append(path)
            emptied = [table for table in metadata.sorted_tables if with_tokens or table is not tokens]
            rows = {table.name: connection.execute(delete(table)).rowcount for table in reversed(emptied)}
    except BaseException:
        for path in aside:
            _put_back(path)
        raise
    for path in aside:
        _remove(path)
    return Reset(rows=rows, folders=len(aside))


def _keep_others_out(connection: Connection) -> None:
    """Wait for admissions under way, and let no new run in; on SQLite the write lock does that."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE locations, test_executions IN EXCLUSIVE MODE"))


def _refuse_live_runs(connection: Connection) -> None:
    runs = test_executions.c
    live = select(runs.run_id, runs.status, runs.attributes).where(runs.status.in_(_LIVE)).order_by(runs.run_id)
    rows = [row for row in connection.execute(live) if not (row.attributes or {}).get(SYNTHETIC)]
    if rows:
        more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        raise ConflictError(
            f"nothing was deleted, as {', '.join(f'run {row.run_id} is {row.status}' for row in rows[:_SHOWN])}{more}: "
            f"wait until they have ended, cancel them, or use --force"
        )


def _folders_of(connection: Connection, parts: Parts) -> list[Path]:
    """Find what this registry's runs have in the data folder, which other registries may use, too."""
    known = [parts.store.root / ingest_id for ingest_id in connection.scalars(select(ingests.c.ingest_id))]
    known += [parts.run_folder(run_id) for run_id in connection.scalars(select(test_executions.c.run_id))]
    uploaded = (parts.data / UPLOADS).glob("*")
    return [path for path in (*known, *uploaded) if path.exists()]


def _set_aside(path: Path) -> None:
    """Hide a folder in one step, so that it can be put back; a sweep of results knows the hidden name, too."""
    try:
        _delete(_hidden(path))  # of a reset that was killed
        path.rename(_hidden(path))
    except OSError as error:
        raise StoreError(f"{path} cannot be removed ({error.strerror}): nothing was deleted") from error


def _put_back(path: Path) -> None:
    with suppress(OSError):
        _hidden(path).rename(path)


def _remove(path: Path) -> None:
    try:
        _delete(_hidden(path))
    except OSError as error:
        raise StoreError(
            f"all rows were deleted, but {_hidden(path)} cannot be removed ({error.strerror}): remove it by hand"
        ) from error


def _hidden(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
