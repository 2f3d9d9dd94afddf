"""A workspace whose registry and results are behind a server: for CI jobs that need no database password."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from ator_lib.errors import NeedsStoreError, UsageError
from ator_lib.model import IngestReport, Run
from ator_lib.registry.client import ServerClient
from ator_lib.registry.remote import RemoteRegistry
from ator_lib.registry.remote_tables import RemoteBaselines, RemoteLocations
from ator_lib.workspace.base import BaseWorkspace
from ator_lib.workspace.handle import BaseHandle, id_of
from ator_lib.workspace.ingest import AnyFiles, paths_of
from ator_lib.workspace.packing import as_one_file
from ator_lib.workspace.uploads import upload_name


class _AtAServer:
    """Says of what only a store can do where it can be done."""

    _NEEDS_STORE: ClassVar[frozenset[str]]
    server: str

    def __getattr__(self, name: str) -> Any:
        if name not in self._NEEDS_STORE:
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        raise NeedsStoreError(
            f"{name!r} needs the store itself, and {self.server} is only its server: do this where the database and "
            f"the results are (--data, --database-url), or look at the dashboard there. Result files are sent with "
            f"run.upload(path)."
        )


class RemoteRun(_AtAServer, BaseHandle):
    """One run as the server knows it; its figures are on the server's dashboard."""

    _NEEDS_STORE = frozenset(
        {
            *("summary", "summary_table", "timeline", "samples", "cases", "metrics", "errors", "rejected"),
            *("figure", "log", "artifacts", "has_results", "comparable", "comparable_run", "overlaps", "sparklines"),
        }
    )

    def __init__(self, record: Run, registry: RemoteRegistry, *, server: str, lease_s: float) -> None:
        super().__init__(record, registry, lease_s=lease_s)
        self._remote = registry
        self._report: IngestReport | None = None
        self.server = server
        """The server's address."""

    def upload(
        self,
        files: AnyFiles,
        format: str | None = None,
        *,
        columns: Mapping[str, str] | None = None,
        timezone: str | None = None,
        started_at: datetime | str | None = None,
        max_rejected_rate: float | None = None,
    ) -> Self:
        """Send what a tool wrote to the server, which keeps its results with this run, or nothing of it.

        The same content again changes nothing. The parameters are those of ``Workspace.ingest``; files are of any
        size, and several are sent as one archive.

        Raises
        ------
        ResultsError
            The files cannot be read, here or by any reader there.
        ConflictError
            The run has other results already.
        """
        with as_one_file(paths_of(files)) as file:
            run, self._report = self._remote.upload(
                self.run_id,
                file,
                file_name=upload_name(file),
                format=format,
                columns=columns and ",".join(f"{ours}={theirs}" for ours, theirs in columns.items()),
                timezone=timezone,
                started_at=started_at.isoformat() if isinstance(started_at, datetime) else started_at,
                max_rejected_rate=max_rejected_rate,
            )
        self._look_at(run)
        return self

    def ingest_report(self) -> IngestReport | None:
        """Say what was read of the files that this handle sent; null before."""
        return self._report


class RemoteWorkspace(_AtAServer, BaseWorkspace[RemoteRun]):
    """Runs, locations and baselines behind a server. Made by ``ator_lib.connect("http://…", token=…)``."""

    _NEEDS_STORE = frozenset(
        {
            *("execute", "submit", "compare", "side_by_side", "trend", "annotate", "annotations", "gate"),
            *("judge", "verdict", "verdicts"),
            *("notebook", "report", "sql", "export", "purge", "reap"),
            *("export_influx", "ingest_flux", "preview", "uploads", "tokens", "data", "database", "parts"),
        }
    )

    def __init__(self, server: ServerClient, *, lease_s: float) -> None:
        registry = RemoteRegistry(server)
        super().__init__(registry, RemoteLocations(server), RemoteBaselines(server), lease_s=lease_s)
        self._remote = registry
        self.server = server.url
        """The server's address."""

    def __repr__(self) -> str:
        return f"RemoteWorkspace({self.server!r})"

    def ingest(self, files: AnyFiles, *, run: int | RemoteRun | None = None, **how: Any) -> RemoteRun:
        """Send result files to a registered run; see ``RemoteRun.upload``."""
        if run is None:
            raise UsageError("results are sent to a run that the server knows: register one, and give it as run=")
        known = inspect.signature(RemoteRun.upload).parameters
        if foreign := sorted(how.keys() - known.keys()):
            raise UsageError(f"run {id_of(run)} has its {', '.join(foreign)} already: give only the files and the run")
        return self._one(run).upload(files, **how)

    def delete(self, run: int | RemoteRun) -> Run:
        """Forget a run that has ended, with its results; returns what was known of it. Needs the role admin.

        Raises
        ------
        ConflictError
            It has not ended, or is pinned as a baseline.
        """
        return self._remote.delete(id_of(run))

    def _handle(self, run: Run, *, lease_s: float | None = None) -> RemoteRun:
        lease_s = self._lease_s if lease_s is None else lease_s
        return RemoteRun(run, self._remote, server=self.server, lease_s=lease_s)

    def _one(self, run: int | RemoteRun) -> RemoteRun:
        return run if isinstance(run, RemoteRun) else self.get(run)


def open_remote(url: str, token: str | None, *, lease_s: float) -> RemoteWorkspace:
    """Connect to a server, and see that it is one and takes the token.

    Raises
    ------
    SettingsError
        The address or the token cannot be one.
    AccessError
        The server wants a token, or another one.
    StoreError
        There is no ATOR server at the address, or it cannot be reached.
    """
    server = ServerClient(url, token)
    server.get("/whoami")
    return RemoteWorkspace(server, lease_s=lease_s)
