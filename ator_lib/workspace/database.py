"""The database behind a workspace: opened and upgraded, and emptied."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Connection, Engine, delete, select, text

from ator_lib.errors import ConflictError, StoreError, StoreUnavailableError
from ator_lib.model import RunStatus
from ator_lib.sql.engine import check_version, open_engine, upgrade, write
from ator_lib.sql.tables import ingests, metadata, test_executions, tokens
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.uploads import left_behind

DATABASE_FILE = "ator.db"
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
    engine = _opened(data, database_url)
    return Upgraded(engine=engine, report=upgrade(engine))


def open_database(data: Path, database_url: SecretStr | None) -> Engine:
    """Open a database, making it if need be; the embedded one is upgraded.

    Raises
    ------
    StoreVersionError
        A team's database is of another version: others use it, so nobody upgrades it by just looking.
    StoreError
        As for ``upgraded_database``.
    """
    engine = _opened(data, database_url)
    if database_url is not None:
        check_version(engine)
    upgrade(engine)
    return engine


def _opened(data: Path, database_url: SecretStr | None) -> Engine:
    file = usable_folder(data) / DATABASE_FILE
    return open_engine(file if database_url is None else database_url.get_secret_value())


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

    Of the data folder go the results of these runs, the folders of those that were executed here, and what
    uploads left behind; nothing else, as other registries may use it, too. Run ids go on, so that an old
    link never shows another run.

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
    emptied = [table for table in metadata.sorted_tables if with_tokens or table is not tokens]
    with _telling_of_doubt(parts), write(parts.engine) as connection:
        _keep_others_out(connection)
        if not force:
            _refuse_live_runs(connection)
        ingest_ids = connection.scalars(select(ingests.c.ingest_id)).all()
        folders = [*_run_folders(connection, parts), *left_behind(parts.data)]
        for ingest_id in ingest_ids:
            parts.store.release(ingest_id)  # from here on the sweep finishes what a crash leaves
        rows = {table.name: connection.execute(delete(table)).rowcount for table in reversed(emptied)}
    for ingest_id in ingest_ids:
        with suppress(StoreError):  # what is left is swept
            parts.store.discard(ingest_id)
    _remove(folders)
    return Reset(rows=rows, folders=len(ingest_ids) + len(folders))


@contextmanager
def _telling_of_doubt(parts: Parts) -> Iterator[None]:
    try:
        yield
    except StoreUnavailableError as error:
        if error.in_doubt:
            error.add_note(
                "whether the runs were deleted is not known: `ator history` shows it once the database is back; "
                f"if they were, the folders that their tools worked in are left in {parts.run_folder(0).parent}"
            )
        raise


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


def _run_folders(connection: Connection, parts: Parts) -> list[Path]:
    """Find the folders of the runs that were executed here."""
    runs = test_executions.c
    rows = connection.execute(select(runs.run_id, runs.attributes).order_by(runs.run_id))
    executed = [parts.run_folder(row.run_id) for row in rows if parts.has_executed(row.run_id, row.attributes or {})]
    return [folder for folder in executed if folder.is_dir()]


def _remove(folders: Sequence[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    left = [str(folder) for folder in folders if folder.exists()]
    if left:
        raise StoreError(f"all rows were deleted, but not all of {', '.join(left)}: remove what is there by hand")
