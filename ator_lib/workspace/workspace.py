"""The Workspace: the one place where the rooms meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from ator_lib.execution.execution import Execution
from ator_lib.execution.progress import display_for
from ator_lib.model import Admission, Run, RunRequest
from ator_lib.results import index
from ator_lib.results.export import export, format_of
from ator_lib.results.query import query
from ator_lib.runners.base import Runner
from ator_lib.sql.translate import shown
from ator_lib.workspace.analyses import AnyRun
from ator_lib.workspace.base import run_request
from ator_lib.workspace.deletion import delete
from ator_lib.workspace.durations import seconds_of
from ator_lib.workspace.frames import runs_frame
from ator_lib.workspace.handle import id_of
from ator_lib.workspace.influx import influx_of
from ator_lib.workspace.intake import Intake
from ator_lib.workspace.live import LiveRun
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.purge import expired_frame, purge
from ator_lib.workspace.run import RunHandle
from ator_lib.workspace.tables import TokenTable


class Workspace(Intake):
    """Runs, their results and everything that can be asked of them. Made by ``ator_lib.connect``."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.tokens = TokenTable(parts.tokens)
        """Who may use the server: ``list``, ``create``, ``revoke``."""

    def __repr__(self) -> str:
        return f"Workspace({str(self.data)!r}: {self.database})"

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.parts.data

    @property
    def database(self) -> str:
        """Where the registry is, for people: without password and options."""
        return shown(self.parts.engine.url)

    # --- execution ---

    def execute(
        self,
        runner: Runner,
        *,
        progress: bool = True,
        on_started: Callable[[Run], None] = lambda _: None,
        **registration: Any,
    ) -> RunHandle:
        """Register a run, execute it, ingest its results, complete it; blocks until then.

        ``registration`` takes what ``register`` takes, ``wait`` included, but ``lease``: an executed run always
        holds one. ``on_started`` is told the run once it has its place, before the load.
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
        with self._admit(runner, registration) as execution:
            on_started(execution.run)
            display = display_for(f"run {execution.run.run_id}", runner.load_profile.run_time_s) if progress else None
            try:
                execution.execute(display.show if display else None)
            finally:
                if display:
                    display.close()
        return self._foreign(execution.run)

    def submit(
        self, runner: Runner, *, on_queued: Callable[[Admission], None] = lambda _: None, **registration: Any
    ) -> LiveRun:
        """Like ``execute``, but returns at once with a handle on the run, which runs or, with ``wait``, waits."""

        def admit(note_queued: Callable[[Admission], None]) -> Execution:
            def tell(admission: Admission) -> None:
                note_queued(admission)
                on_queued(admission)

            return self._admit(runner, {**registration, "on_queued": tell})

        return LiveRun(admit, finished=self._foreign)

    def _admit(self, runner: Runner, registration: Mapping[str, Any]) -> Execution:
        runner.check()
        parts = self.parts
        parts.store.sweep(index.known_ingests(parts.engine))
        entry = {name: registration[name] for name in ("wait", "on_queued") if name in registration}
        asked = run_request(**{name: value for name, value in registration.items() if name not in entry})
        request = self._request_for(runner, asked)
        run = self._admitted(request, lease_s=parts.lease_s, **{"wait": None} | entry)
        execution = Execution(
            runner,
            run,
            registry=parts.registry,
            engine=parts.engine,
            store=parts.store,
            folder=parts.run_folder(run.run_id),
            lease_s=parts.lease_s,
            max_error_rate=parts.max_error_rate,
            on_results=parts.ended,
        )
        with execution:
            parts.registry.supervise(run.run_id, parts.supervisor(run.run_id))
        return execution

    def _request_for(self, runner: Runner, asked: RunRequest) -> RunRequest:
        return replace(
            asked,
            type=asked.type or "load",
            tool=runner.tool,
            load_profile=runner.load_profile,
            attributes={"host": self.parts.host, **asked.attributes},
        )

    def export_influx(
        self,
        run: AnyRun,
        *,
        url: str | None = None,
        bucket: str | None = None,
        org: str | None = None,
        token: str | None = None,
    ) -> int:
        """Write a run's summaries, timeline and metrics to InfluxDB 2, and say how many points they are.

        What is not given is that of the settings (``ATOR_INFLUX_URL`` …). The same run again changes nothing.

        Raises
        ------
        StoreError
            A batch was refused or lost, or the server cannot be reached.
        """
        target = influx_of(self.parts.influx, url=url, bucket=bucket, org=org, token=token)
        return self.parts.mirror(target).send(self._one(run).run_id)

    def delete(self, run: int | RunHandle) -> Run:
        """Forget a run that has ended, with its results and its folder; returns what was known of it.

        Raises
        ------
        ConflictError
            It has not ended, or is pinned as a baseline.
        """
        return delete(self.parts, id_of(run))

    def export(
        self,
        path: str | Path,
        runs: AnyRun | Sequence[AnyRun] | None = None,
        format: str | None = None,
        *,
        overwrite: bool = False,
    ) -> Path:
        """Write all runs, or some, with all that is kept of them, for other programs; returns the path.

        A DuckDB file, or a folder with a Parquet or CSV file a table: runs, summaries, cases, samples, timeline,
        metrics, errors and distributions (of runs without samples). Without ``format`` a name like ``out.duckdb``
        is a DuckDB file, and one without suffix a folder of Parquet files.
        """
        target, run_ids = Path(path), None if runs is None else [run.run_id for run in self._several(runs)]
        parts = self.parts
        chosen = format_of(target, format)
        export(target, chosen, engine=parts.engine, store=parts.store, run_ids=run_ids, overwrite=overwrite)
        return target

    def purge(
        self, older_than: str | float | timedelta, keep_baselines: bool = True, dry_run: bool = False
    ) -> pd.DataFrame:
        """Remove the samples of runs that ended so long ago ("30d"); returns those runs, with the bytes of each.

        Summaries, timeline, errors, distributions (to 1 %), metrics and cases stay, and runs can be compared as before.

        Parameters
        ----------
        keep_baselines
            Leave runs alone that are pinned as baselines.
        dry_run
            Remove nothing: only say what would go.
        """
        older_than_s = seconds_of(older_than, "older_than")
        return expired_frame(purge(self.parts, older_than_s, keep_baselines=keep_baselines, dry_run=dry_run))

    def reap(self) -> pd.DataFrame:
        """Abandon the runs whose lease is over, and list them. Each admission does it for its location, too."""
        return runs_frame(self.parts.registry.reap())

    def sql(self, text: str) -> pd.DataFrame:
        """DuckDB SQL over the views runs, summaries, cases, samples, timeline and metrics."""
        return query(text, engine=self.parts.engine, store=self.parts.store)
