"""The Workspace: the one place where the rooms meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, TypeAlias, cast

import pandas as pd

from ator_lib.errors import UsageError
from ator_lib.execution.execution import Execution
from ator_lib.execution.files import Files
from ator_lib.execution.progress import display_for
from ator_lib.model import Admission, Annotation, Run, RunRequest
from ator_lib.results import index
from ator_lib.results.export import export, format_of
from ator_lib.results.query import query
from ator_lib.runners.base import Runner
from ator_lib.sql.translate import shown
from ator_lib.workspace.annotations import AnnotationTable
from ator_lib.workspace.base import BaseWorkspace, run_request
from ator_lib.workspace.baselines import Search, found_by, search_of
from ator_lib.workspace.comparison import Comparison, compare_runs
from ator_lib.workspace.deletion import delete
from ator_lib.workspace.durations import seconds_of
from ator_lib.workspace.frames import runs_frame
from ator_lib.workspace.gate import AnyGates, Gate, evaluate_gates
from ator_lib.workspace.handle import id_of
from ator_lib.workspace.influx import answered, influx_of
from ator_lib.workspace.ingest import AnyFiles, ingest, paths_of, read_options
from ator_lib.workspace.live import LiveRun
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.purge import expired_frame, purge
from ator_lib.workspace.reporting import check_place, execute_notebook, write_report
from ator_lib.workspace.run import RunHandle
from ator_lib.workspace.side_by_side import SideBySide, compare_each
from ator_lib.workspace.tables import TokenTable
from ator_lib.workspace.trend import Trend, trend_of

AnyRun: TypeAlias = int | str | RunHandle
"""A run by its id, by the name that it is pinned under, or by a handle."""


class Workspace(BaseWorkspace[RunHandle]):
    """Runs, their results and everything that can be asked of them. Made by ``ator_lib.connect``."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.registry, parts.locations, parts.baselines, lease_s=parts.lease_s)
        self.parts = parts
        """The rooms, for those who build on them, such as the server."""
        self.tokens = TokenTable(parts.tokens)
        """Who may use the server: ``list``, ``create``, ``revoke``."""
        self.annotations = AnnotationTable(parts)
        """Marks on runs: ``list``, ``remove``; ``annotate`` makes one."""

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

    def ingest(
        self,
        files: AnyFiles,
        *,
        run: int | RunHandle | None = None,
        format: str | None = None,
        columns: Mapping[str, str] | None = None,
        timezone: str | tzinfo | None = None,
        started_at: datetime | str | None = None,
        max_rejected_rate: float | None = None,
        **identity: Any,
    ) -> RunHandle:
        """Read result files into a registered run, or into a finished run of their own.

        All of it or nothing; the same content again changes nothing. ``run.ingest_report()`` says what was read.

        Parameters
        ----------
        files
            A file, a folder or several of the same run; ``.zip`` and ``.gz`` are looked into.
        run
            The run that the results are of. Without one a finished run is made of what ``identity`` says (what
            ``register`` takes) and of the times in the files.
        format
            Name of the reader; without it the content tells. ``ator_lib.formats()`` lists them.
        columns
            For a table of samples with names of its own: ours → its, ``{"duration_ms": "latency:s"}``.
        timezone
            Zone of times that have none ("Europe/Berlin"); without it they are read as UTC, and a note says so.
        started_at
            When the run started, for files that hold only offsets from there.
        max_rejected_rate
            Share of rows that may be left out because they cannot be read; default: the setting, 0.01.

        Raises
        ------
        ResultsError
            The files cannot be read, or too many of their rows; nothing was kept.
        ConflictError
            The run has other results already.
        """
        run_id = None if run is None else self._one(run).run_id
        options = read_options(columns, timezone, started_at)
        allowed = self.parts.max_rejected_rate if max_rejected_rate is None else max_rejected_rate
        given = Files(paths=paths_of(files), format=format, options=options, max_rejected_rate=allowed)
        return self._foreign(ingest(self.parts, given, run_id, identity))

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

    def ingest_flux(
        self,
        flux: str,
        *,
        url: str | None = None,
        bucket: str | None = None,
        org: str | None = None,
        token: str | None = None,
        **options: Any,
    ) -> RunHandle:
        """Ask InfluxDB with a Flux query, and ingest the answer: measurements, or a timeline if it has its columns.

        ``options`` are those of ``ingest``: ``run=``, or the test, stream … of a new run.

        Raises
        ------
        StoreError
            InfluxDB cannot be reached, or does not take the query.
        ResultsError
            The answer holds no measurement.
        """
        target = influx_of(self.parts.influx, url=url, bucket=bucket, org=org, token=token)
        with answered(target, flux) as file:
            return self.ingest(file, format="influx", **options)

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

    # --- analysis and reports ---

    def compare(
        self,
        contender: AnyRun | Sequence[AnyRun],
        baseline: AnyRun | Sequence[AnyRun] | Search = "previous",
        **options: Any,
    ) -> Comparison:
        """Compare runs; either side is one run or several.

        Parameters
        ----------
        baseline
            Runs, or names that they are pinned under. ``"previous"`` and ``"last-success"`` are the last earlier run
            of the same test, stream, environment and location, ``"previous:5"`` the last five; a mapping is a search
            of the history: ``{"stream": "main", "last": 5}``.
        options
            Those of ``CompareOptions``: ``minimum_effect``, ``waive``, ``mapping``, ``warm_up`` and more.

        Raises
        ------
        NoBaselineError
            No earlier run is like that.
        """
        runs = self._several(contender)
        return compare_runs(runs, self._baseline(baseline, runs), options)

    def side_by_side(
        self,
        runs: AnyRun | Sequence[AnyRun],
        baseline: AnyRun | Sequence[AnyRun] | Search | None = None,
        **options: Any,
    ) -> SideBySide:
        """Compare each of several runs with the same baseline, by default the first of them; as ``compare`` does."""
        chosen = self._several(runs)
        if baseline is None:
            return compare_each(chosen[1:], chosen[:1], options)
        return compare_each(chosen, self._baseline(baseline, chosen), options)

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
        return execute_notebook(self.parts, name, output, parameters or {}, report)

    def report(
        self,
        subject: AnyRun | Comparison | Trend,
        path: Path | str = "report.html",
        *,
        baseline: AnyRun | Sequence[AnyRun] | Search | None = None,
    ) -> Path:
        """Write the report of a run, a comparison or a trend; a run is compared with ``baseline`` if one is given.

        The path's end says what it is: ``.html`` a page in one file, that needs no network and has pictures for viewers
        without scripts where there is a Chromium; ``.json``, ``.xml`` (JUnit), ``.md`` (Markdown). No secret of
        the environment, of attributes that are named like one, or of a URL is in any. Returns the path.

        Raises
        ------
        UsageError
            Another end, or a folder that does not exist.
        NotebookError
            The page's notebook failed; it is kept beside the page.
        """
        check_place(Path(path))
        if isinstance(subject, Comparison | Trend):
            if baseline is not None:
                raise UsageError("a comparison has its baseline, and a trend needs none: only a run's report takes one")
            return write_report(self.parts, subject, Path(path))
        against = None if baseline is None else self.compare(subject, baseline)
        return write_report(self.parts, self._one(subject), Path(path), against=against)

    def gate(
        self,
        run: AnyRun,
        gates: AnyGates = "gates.yaml",
        baseline: AnyRun | Sequence[AnyRun] | Search | None = None,
        *,
        strict: bool = False,
        allow_no_baseline: bool = False,
    ) -> Gate:
        """Say whether a run holds what a gate file asks for: its path, or what would stand in it.

        ``baseline``, as for ``compare``, goes before the file's. ``strict``: not enough evidence stops a pipeline, too;
        ``allow_no_baseline``: nothing to compare with does not.
        """
        return evaluate_gates(
            self._one(run),
            gates,
            baseline,
            parts=self.parts,
            find=self._baseline,
            compare=self.compare,
            strict=strict,
            allow_no_baseline=allow_no_baseline,
        )

    def trend(self, test: str | Sequence[str], metric: str = "p95_ms", by: str = "name", **options: Any) -> Trend:
        """Follow a metric over a test's runs that succeeded or failed: where its level changed, and what differs there.

        ``by``: a series per endpoint (``name``), one of whole runs (``total``), or one per value of a text column of
        the registry or of an attribute. ``options``: ``stream``, ``environment``, ``location``, ``since``, ``until`` as
        for ``history``; ``last``: only so many runs; ``minimum_effect``: the smallest change that counts (0.05 is 5 %).
        """
        return trend_of(self.parts, {"test": test, "metric": metric, "by": by, **options})

    def annotate(
        self, run: AnyRun, text: str, *, resets: bool = True, metric: str | None = None, name: str | None = None
    ) -> Annotation:
        """Mark a run with what is known of it, for trends; of one ``metric`` or endpoint (``name``), or all.

        With ``resets`` a new level begins there: the change is shown with the text, and not judged.
        """
        return self.annotations.add(self._one(run).run_id, text, resets=resets, metric=metric, name=name)

    def sql(self, text: str) -> pd.DataFrame:
        """DuckDB SQL over the views runs, summaries, cases, samples, timeline and metrics."""
        return query(text, engine=self.parts.engine, store=self.parts.store)

    # --- handles ---

    def _handle(self, run: Run, *, lease_s: float | None = None) -> RunHandle:
        return RunHandle(run, self.parts, lease_s=lease_s)

    def _baseline(
        self, baseline: AnyRun | Sequence[AnyRun] | Search, contender: Sequence[RunHandle]
    ) -> list[RunHandle]:
        search = search_of(baseline)
        if search is None:
            return self._several(cast("AnyRun | Sequence[AnyRun]", baseline))
        return [self._foreign(run) for run in found_by(self.parts, search, [run.record for run in contender])]

    def _one(self, run: AnyRun) -> RunHandle:
        if isinstance(run, str):
            run = self.baselines.get(run).run_id
        return run if isinstance(run, RunHandle) else self.get(run)

    def _several(self, runs: AnyRun | Sequence[AnyRun]) -> list[RunHandle]:
        return [self._one(run) for run in ([runs] if isinstance(runs, int | str | RunHandle) else runs)]
