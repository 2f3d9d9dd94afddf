"""The Workspace: the one place where the rooms meet."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from ator_lib.errors import UsageError
from ator_lib.execution.execution import Execution
from ator_lib.execution.progress import display_for
from ator_lib.model import Run, RunRequest, RunStatus
from ator_lib.registry.admission import parse_factor
from ator_lib.results import index
from ator_lib.results.query import query
from ator_lib.runners.base import Runner
from ator_lib.runners.process import lock_path
from ator_lib.sql.translate import shown
from ator_lib.workspace.comparison import Comparison, compare_runs
from ator_lib.workspace.frames import locations_frame, runs_frame
from ator_lib.workspace.live import LiveRun
from ator_lib.workspace.parts import SUPERVISOR, Parts
from ator_lib.workspace.reporting import execute_notebook, write_report
from ator_lib.workspace.run import RunHandle


class Workspace:
    """Runs, their results and everything that can be asked of them. Made by ``ator_lib.connect``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __repr__(self) -> str:
        return f"Workspace({str(self.data)!r}: {self.database})"

    @property
    def data(self) -> Path:
        """The data folder."""
        return self._parts.data

    @property
    def database(self) -> str:
        """Where the registry is, for people: without password and options."""
        return shown(self._parts.engine.url)

    # --- the registry ---

    def register(
        self,
        *,
        test: str | None = None,
        stream: str | None = None,
        location: str | None = None,
        factor: str | float | Decimal | None = None,
        lease: float | None = None,
        repo: str | None = None,
        lac: str | None = None,
        type: str | None = None,
        environment: str | None = None,
        triggered_by: str | None = None,
        dashboard_url: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> RunHandle:
        """Register a run that something else executes, if its location has room.

        Parameters
        ----------
        factor
            Share of the location; floats count by their decimal text, ``None`` as 0.
        lease
            Seconds that the run holds its place without a heartbeat; ``None``: until it is completed.
            In the ``with`` form the handle holds a lease in any case and renews it.

        Raises
        ------
        CapacityError
            The location is full now; its ``refusal`` names sum, request, limit and holders.
        NeverAdmissibleError, FactorError
            The factor could never be admitted, or is no number.
        """
        request = _request(
            test=test,
            stream=stream,
            location=location,
            factor=factor,
            repo=repo,
            lac=lac,
            type=type,
            environment=environment,
            triggered_by=triggered_by,
            dashboard_url=dashboard_url,
            attributes=attributes,
        )
        return RunHandle(self._parts.registry.register(request, lease_s=lease), self._parts, lease_s=lease)

    def complete(self, run_id: int, status: RunStatus | str, *, reason: str | None = None) -> RunHandle:
        """Give a running run its final status: success, failure or cancelled."""
        return self._handle(self._parts.registry.complete(run_id, status, reason=reason))

    def cancel(self, run_id: int) -> RunHandle:
        """Cancel a run. One that is being executed is asked to stop, and stays running until it has."""
        return self._handle(self._parts.registry.cancel(run_id))

    def get(self, run_id: int) -> RunHandle:
        """One run by its id; NotFoundError if there is none."""
        return self._handle(self._parts.registry.get(run_id))

    def running(self) -> pd.DataFrame:
        """List running runs with what their heartbeats last said."""
        return runs_frame(self._parts.registry.running())

    def history(
        self,
        *,
        limit: int = 100,
        test: str | None = None,
        stream: str | None = None,
        status: str | None = None,
        location: str | None = None,
        since: datetime | str | None = None,
        before_run_id: int | None = None,
    ) -> pd.DataFrame:
        """List runs, newest first.

        ``stream`` takes ``%`` wildcards and ignores case; ``since`` without a zone is UTC; ``before_run_id`` pages on.
        """
        runs = self._parts.registry.history(
            limit=limit,
            test=test,
            stream=stream,
            status=status,
            location=location,
            since=None if since is None else _as_utc(since),
            before_run_id=before_run_id,
        )
        return runs_frame(runs)

    def locations(self) -> pd.DataFrame:
        """Locations: name, capacity, taken, free (Decimals) and the number running."""
        return locations_frame(self._parts.registry.locations())

    # --- execution ---

    def execute(self, runner: Runner, *, progress: bool = True, **registration: Any) -> RunHandle:
        """Register a run, execute it, ingest its results, complete it; blocks until then.

        ``registration`` takes what ``register`` takes, but ``lease``: an executed run always holds one.
        The run's status says how it went: a run with failed requests is returned as ``failure``, not raised.

        Raises
        ------
        UsageError
            The runner's options are off; nothing was registered.
        CapacityError
            The location is full now.
        KeyboardInterrupt
            After an interrupt; the load was stopped, its results kept, the run is ``cancelled``.
        """
        execution = self._admit(runner, registration)
        display = display_for(f"run {execution.run.run_id}", runner.load_profile.run_time_s) if progress else None
        try:
            execution.execute(display.show if display else None)
        finally:
            if display:
                display.close()
        return self._handle(execution.run)

    def submit(self, runner: Runner, **registration: Any) -> LiveRun:
        """Like ``execute``, but returns at once with a handle on the running run."""
        execution = self._admit(runner, registration)
        return LiveRun(execution, finished=self._handle)

    def _admit(self, runner: Runner, registration: Mapping[str, Any]) -> Execution:
        runner.check()
        parts = self._parts
        parts.store.sweep(index.known_ingests(parts.engine))
        asked = _request(**registration)
        request = replace(
            asked,
            type=asked.type or "load",
            tool=runner.tool,
            load_profile=runner.load_profile,
            attributes={"host": parts.host, **asked.attributes},
        )
        run = parts.registry.register(request, lease_s=parts.lease_s)
        folder = parts.run_folder(run.run_id)
        supervisor = {"host": parts.host, "lock": str(lock_path(folder))}
        parts.registry.update(run.run_id, attributes={SUPERVISOR: supervisor})
        return Execution(
            runner,
            run,
            registry=parts.registry,
            engine=parts.engine,
            store=parts.store,
            folder=folder,
            lease_s=parts.lease_s,
            max_error_rate=parts.max_error_rate,
        )

    # --- analysis and reports ---

    def compare(
        self,
        contender: int | RunHandle | Sequence[int | RunHandle],
        baseline: int | RunHandle | Sequence[int | RunHandle],
        **options: Any,
    ) -> Comparison:
        """Compare runs; either side is one run or several. ``options`` are those of ``CompareOptions``."""
        return compare_runs(self._several(contender), self._several(baseline), options)

    def notebook(
        self,
        name: str | Path,
        output: Path | str | None = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        report: Path | str | None = None,
    ) -> Path:
        """Execute a bundled notebook by name, or your own by path, on this workspace.

        Returns the executed notebook (``output``, by default beside the caller, named after the notebook).
        With ``report`` it is also written as one HTML file.
        """
        return execute_notebook(self._parts, name, output, parameters or {}, report)

    def report(
        self, run: int | RunHandle, path: Path | str = "report.html", *, baseline: int | RunHandle | None = None
    ) -> Path:
        """Write the report of a run, compared with ``baseline`` if given, as one HTML file."""
        against = None if baseline is None else self._one(baseline).run_id
        return write_report(self._parts, self._one(run).run_id, against, Path(path))

    def sql(self, text: str) -> pd.DataFrame:
        """DuckDB SQL over the views runs, summaries, cases, samples, timeline and metrics."""
        return query(text, engine=self._parts.engine, store=self._parts.store)

    # --- handles ---

    def _handle(self, run: Run) -> RunHandle:
        # a handle on somebody else's run: its lease is not ours to show
        return RunHandle(replace(run, lease_id=None), self._parts)

    def _one(self, run: int | RunHandle) -> RunHandle:
        return run if isinstance(run, RunHandle) else self.get(run)

    def _several(self, runs: int | RunHandle | Sequence[int | RunHandle]) -> list[RunHandle]:
        return [self._one(run) for run in (runs if isinstance(runs, Sequence) else [runs])]


def _request(
    *,
    factor: str | float | Decimal | None = None,
    triggered_by: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    **words: Any,
) -> RunRequest:
    """Make a request of what users may say of a run."""
    if SUPERVISOR in (attributes or {}):
        raise UsageError(f"the attribute {SUPERVISOR!r} is ATOR's own: choose another name")
    known = {field.name for field in fields(RunRequest)}
    if unknown := sorted(set(words) - known):
        raise UsageError(f"a run has no {', '.join(unknown)}: it has {', '.join(sorted(known))}")
    odd = [name for name, value in words.items() if not isinstance(value, str | None)]
    if odd or not isinstance(attributes, Mapping | None):
        raise UsageError(f"{', '.join(odd) or 'attributes'} of a run must be {'text' if odd else 'a mapping'}")
    return RunRequest(
        factor=parse_factor(factor),
        triggered_by=triggered_by or _user(),
        attributes=dict(attributes or {}),
        **words,
    )


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return None


def _as_utc(moment: datetime | str) -> datetime:
    try:
        stamp = pd.Timestamp(moment)
        aware = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    except (ValueError, TypeError):
        raise UsageError(f"since={moment!r} is no time: use such as 2026-01-31 or 2026-01-31T12:00Z") from None
    return aware.to_pydatetime()
