"""``connect()``: settings become a Workspace. The only place that wires the rooms together."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, overload

from sqlalchemy import Engine

from ator_lib.errors import SettingsError
from ator_lib.model import SUPERVISOR, Run
from ator_lib.registry.address import is_http
from ator_lib.registry.baselines import Baselines
from ator_lib.registry.locations import Locations
from ator_lib.registry.places import Rules
from ator_lib.registry.registry import Registry
from ator_lib.registry.tokens import Tokens
from ator_lib.results import adbc
from ator_lib.results.base import PARQUET, POSTGRES
from ator_lib.results.influx import Influx
from ator_lib.results.parquet import ParquetStore
from ator_lib.results.postgres import PostgresStore
from ator_lib.results.store import Store
from ator_lib.results.stores import Stores
from ator_lib.runners.process import is_supervised
from ator_lib.settings import Settings, load_settings
from ator_lib.sql.translate import shown
from ator_lib.workspace.database import open_database, usable_folder
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.workspace import Workspace

if TYPE_CHECKING:
    from ator_lib.workspace.remote import RemoteWorkspace


@overload
def connect(target: str | None = None, *, token: str) -> RemoteWorkspace: ...


@overload  # without a token a server's workspace is seldom meant; it says itself what it has not
def connect(target: str | Path | None = None, *, database_url: str | None = None, token: None = None) -> Workspace: ...


def connect(
    target: str | Path | None = None, *, database_url: str | None = None, token: str | None = None
) -> Workspace | RemoteWorkspace:
    """Open a workspace, making or upgrading its database where needed, or the one of a server.

    Parameters
    ----------
    target
        A folder for everything, or a ``postgresql://`` URL of a team's registry (bulk results and run
        folders then stay in the data folder), or the ``http(s)://`` address of a server, which gives a
        ``RemoteWorkspace``. Default: ``ATOR_SERVER``, else ``ATOR_DATA`` (``./data``) and ``ATOR_DATABASE_URL``.
    database_url
        The registry's URL when ``target`` is a folder; without it a folder means its embedded registry.
    token
        The API token for a server; default: ``ATOR_TOKEN``.

    Raises
    ------
    SettingsError
        A setting is invalid.
    AccessError
        The server wants a token, or another one.
    StoreError
        The folder cannot be written, or the database or the server cannot be reached.

    Examples
    --------
    >>> import ator_lib as ator
    >>> ws = ator.connect(tmp_path)
    >>> run = ws.register(test="checkout", location="lab-1", factor="0.4")
    >>> run.status
    <RunStatus.RUNNING: 'running'>
    """
    if isinstance(target, str) and is_http(target):
        return open_chosen(load_settings(server=target, token=token))
    if isinstance(target, str) and "://" in target:
        if not target.startswith(("postgresql", "postgres:")):
            scheme = target.split("://", 1)[0]
            raise SettingsError(
                f"{scheme}:// is no store that ATOR knows: give a folder, a postgresql:// URL, "
                f"or the http(s):// address of a server"
            )
        target, database_url = None, target
    if target is None and database_url is None:
        return open_chosen(load_settings(token=token))
    if token is not None:
        raise SettingsError("a token is for a server: give its http(s):// address, or leave the token out")
    settings = load_settings(data=target, database_url=database_url)
    if database_url is None:  # a folder by name is that folder, whatever the environment says
        settings = settings.model_copy(update={"database_url": None, "results": PARQUET})
    return open_workspace(settings)


def open_chosen(settings: Settings) -> Workspace | RemoteWorkspace:
    """Open what the settings choose: a server if they name one, else the store."""
    if settings.server is None:
        return open_workspace(settings)
    from ator_lib.workspace.remote import open_remote

    token = None if settings.token is None else settings.token.get_secret_value()
    return open_remote(settings.server, token, lease_s=settings.lease_s)


def open_workspace(settings: Settings) -> Workspace:
    """Wire the rooms for these settings."""
    _check_has_database(settings)
    data = usable_folder(settings.data)
    engine = open_database(data, settings.database_url)
    rules = Rules(
        default_location=settings.default_location,
        declared=settings.locations == "declared",
        is_supervised=_loads_here,
    )
    registry = Registry(engine, rules)
    return Workspace(
        Parts(
            engine=engine,
            registry=registry,
            locations=Locations(engine, reap=registry.reap),
            baselines=Baselines(engine),
            tokens=Tokens(engine),
            store=_open_store(data / "results", engine, settings.results),
            data=data,
            results=settings.results,
            database_url=settings.database_url,
            lease_s=settings.lease_s,
            max_error_rate=settings.max_error_rate,
            max_rejected_rate=settings.max_rejected_rate,
            influx=_influx(settings),
            is_mirrored=settings.influx_mirror,
            chromium=settings.chromium,
            host=socket.gethostname(),
        )
    )


def _check_has_database(settings: Settings) -> None:
    url = "" if settings.database_url is None else settings.database_url.get_secret_value()
    if settings.results == POSTGRES and not url.startswith("postgres"):
        raise SettingsError(
            "results (ATOR_RESULTS) is 'postgres', and the registry is not in PostgreSQL: name its database "
            "(database_url, ATOR_DATABASE_URL), or keep the results in 'parquet'"
        )


def _open_store(root: Path, engine: Engine, chosen: str) -> Store:
    files = ParquetStore(root, registry=shown(engine.url))
    if engine.dialect.name == "sqlite":
        return files
    if chosen == POSTGRES:
        adbc.driver()  # if it is missing, that is better known now than after the load
    return Stores(engine, {PARQUET: files, POSTGRES: PostgresStore(engine, root)}, chosen)


def _influx(settings: Settings) -> Influx | None:
    if settings.influx_url is None:
        if settings.influx_mirror:
            raise SettingsError(
                "runs are to be mirrored (ATOR_INFLUX_MIRROR), and to where is not said (ATOR_INFLUX_URL)"
            )
        return None
    token = "" if settings.influx_token is None else settings.influx_token.get_secret_value()
    return Influx(url=settings.influx_url, bucket=settings.influx_bucket or "", org=settings.influx_org, token=token)


def _loads_here(run: Run) -> bool:
    """Whether the run's tool is still supervised on this host, whatever its lease says."""
    supervisor = run.attributes.get(SUPERVISOR)
    if not isinstance(supervisor, dict) or supervisor.get("host") != socket.gethostname():
        return False
    return is_supervised(Path(str(supervisor.get("lock"))))
