"""Taking in files that a tool left somewhere else: all of them or nothing, and the same ones only once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy import Connection, Engine

from ator_lib.errors import AtorError, ConflictError, NotFoundError, ResultsError, UsageError
from ator_lib.execution.files import Content, Files, check_unchanged, content_of, listed
from ator_lib.execution.outcome import judge, judge_cases
from ator_lib.execution.totals import totals_of
from ator_lib.model import Run, RunOutcome, RunRequest, RunStatus
from ator_lib.readers.base import Findings, Reader, Reading, ReadOptions, Source
from ator_lib.readers.formats import reader_for, unusable
from ator_lib.readers.sources import opened
from ator_lib.registry.registry import Registry
from ator_lib.results import index
from ator_lib.results.base import Ingest, StagedResults
from ator_lib.results.faults import reason
from ator_lib.results.store import Store
from ator_lib.sql.engine import read, write
from ator_lib.sql.retry import persistently

_MOST_LISTED = 10


class Ingester:
    """Reads a file or folder of results into the store and makes them a run's own.

    Whoever is killed at any point leaves either everything visible or nothing; what is then left in the store is
    swept. Every method raises ``StoreError`` when the database or the store cannot be used.
    """

    def __init__(self, *, registry: Registry, engine: Engine, store: Store, max_error_rate: float) -> None:
        self._registry = registry
        self._engine = engine
        self._store = store
        self._max_error_rate = max_error_rate

    def attach(self, files: Files, run_id: int) -> Ingest:
        """Give a run these results; it may run still, and its status stays. The same content again changes nothing.

        Raises
        ------
        NotFoundError
            There is no such run, or nothing at the path.
        ConflictError
            It has other results, has not started, or is being executed and gets its results by that.
        ResultsError
            The files cannot be read, or changed meanwhile.
        UsageError
            There is no such format.
        StoreUnavailableError
            The database stayed away. The message says if nothing was kept, or that nobody knows.
        """
        run = self._registry.get(run_id)
        _check_takes_results(run)
        content = content_of(files)
        return self._once(files, content, _RegisteredRun(run_id=run.run_id, content_hash=content.hash))

    def add(self, files: Files, request: RunRequest) -> Ingest:
        """Make a run of these results, as it ended elsewhere: its times are the file's, its factor is none.

        The same content of the same test, stream and location is the run that there is already. More failed requests
        than are allowed make it a failure, like an executed run.

        Raises
        ------
        ResultsError
            The files cannot be read, or changed meanwhile.
        NotFoundError
            Nothing is at the path.
        UsageError
            There is no such format, or the request is off.
        StoreUnavailableError
            The database stayed away. The message says if nothing was kept, or that nobody knows.
        """
        content = content_of(files)
        owner = _RunToMake(registry=self._registry, request=request, content_hash=content.hash)
        return self._once(files, content, owner)

    def _once(self, files: Files, content: Content, owner: _Owner) -> Ingest:
        with read(self._engine) as connection:
            ingest = owner.find(connection)
        if ingest is None:
            ingest = self._take_in(files, content, owner)
        self._store.keep(ingest.ingest_id)  # also of an earlier one, whose process may have been killed before
        return ingest

    def _take_in(self, files: Files, content: Content, owner: _Owner) -> Ingest:
        """Write first what nobody sees, then make it visible in one transaction, unless others were quicker."""
        staged = self.stage(files, content)
        outcome = self._judge(staged)

        def record(_: bool) -> Ingest:  # an attempt before that was committed after all is found like anybody's
            with write(self._engine) as connection:
                owner.hold(connection)
                ingest = owner.find(connection)
                if ingest is None:
                    run_id = owner.make(connection, staged, outcome)
                    ingest = index.record(connection, run_id, staged, content_hash=content.hash)
            return ingest

        try:
            ingest = persistently(record, listed(files.paths), "ingested")
        except UsageError:  # after any other error nobody knows whether there was a commit: the sweep will
            self._store.discard(staged.ingest_id)
            raise
        if ingest.ingest_id != staged.ingest_id:
            self._store.discard(staged.ingest_id)
        return ingest

    def stage(self, files: Files, content: Content | None = None) -> StagedResults:
        """Write the results into the store, where no run points at them yet, and nobody sees them.

        Raises what ``add`` does; then nothing is left in the store.
        """
        content = content or content_of(files)
        with opened(files.paths) as sources:
            found, read = reader_for(sources, files.format, files.options)
            with _naming(read):
                reading = _begun(found, read, files.options)
                _tell(reading.findings, sources, read)
                staged = self._store.write(reading)
        try:
            _check_kept(staged, files)
            check_unchanged(content)
        except ResultsError:
            self._store.discard(staged.ingest_id)
            raise
        origin = replace(staged.report, files=tuple(source.name for source in read), format=found.about.name)
        return replace(staged, report=origin)

    def _judge(self, staged: StagedResults) -> RunOutcome:
        totals = totals_of(staged)
        if totals is None:  # nothing of requests: cases, or measurements, which nobody judges
            return judge_cases(Counter(staged.cases.column("status").to_pylist()))
        return judge(
            stopped=False,
            tool_failure=None,
            totals=replace(totals, answered=totals.requests),  # files without status codes do not say
            ingest_error=None,
            max_error_rate=self._max_error_rate,
            host=None,
        )


def _begun(found: Reader, sources: Sequence[Source], options: ReadOptions) -> Reading:
    """Let a reader begin; what it stumbles over here is told like what it stumbles over while rows are consumed."""
    try:
        return found.read(sources, options)
    except AtorError:
        raise
    except Exception as error:  # readers are also other packages'
        raise ResultsError(f"the results cannot be read: {reason(error)}; nothing of them was kept") from error


def _tell(findings: Findings, sources: Sequence[Source], read: Sequence[Source]) -> None:
    """Say what no reader sees: what was left aside, and what was cut short before it was unpacked."""
    if any(source.truncated for source in read):
        findings.truncated = True
    if left := [source.name for source in sources if source not in read]:
        more = f" and {len(left) - _MOST_LISTED} more" if len(left) > _MOST_LISTED else ""
        findings.note(f"not read: {', '.join(left[:_MOST_LISTED])}{more}")
    for sentence in unusable():
        findings.note(sentence)


@contextmanager
def _naming(sources: Sequence[Source]) -> Iterator[None]:
    """Name the files in an error of somebody who did not."""
    try:
        yield
    except ResultsError as error:
        if any(source.name in str(error) for source in sources):
            raise
        names = ", ".join(source.name for source in sources[:_MOST_LISTED])
        raise ResultsError(f"{names}: {error}") from error


# --- whose results they become ---


class _Owner(Protocol):
    """The run that gets the results."""

    def hold(self, connection: Connection) -> None:
        """Keep others from giving it the same until the transaction ends."""
        ...

    def find(self, connection: Connection) -> Ingest | None:
        """Return this content if it has that already; ConflictError if it has other content."""
        ...

    def make(self, connection: Connection, staged: StagedResults, outcome: RunOutcome) -> int:
        """Return its run_id, once it is certain that it gets the results."""
        ...


@dataclass(frozen=True, kw_only=True)
class _RegisteredRun:
    run_id: int
    content_hash: str

    def hold(self, connection: Connection) -> None:
        if not index.hold_run(connection, self.run_id):
            raise NotFoundError(f"run {self.run_id} was deleted while its results were read; nothing was kept")

    def find(self, connection: Connection) -> Ingest | None:
        earlier = index.details_of(connection, self.run_id)
        if earlier is None or earlier.content_hash == self.content_hash:
            return earlier
        raise ConflictError(
            f"run {self.run_id} has results of other content already: nothing was changed. "
            "Delete that run, or ingest these as a run of their own."
        )

    def make(self, connection: Connection, staged: StagedResults, outcome: RunOutcome) -> int:
        return self.run_id


@dataclass(frozen=True, kw_only=True)
class _RunToMake:
    registry: Registry
    request: RunRequest
    content_hash: str

    def hold(self, connection: Connection) -> None:
        index.hold_content(connection, self.content_hash)

    def find(self, connection: Connection) -> Ingest | None:
        asked = self.request
        return index.details_by_content(
            connection, self.content_hash, test=asked.test, stream=asked.stream, location=asked.location
        )

    def make(self, connection: Connection, staged: StagedResults, outcome: RunOutcome) -> int:
        run = self.registry.record(
            replace(self.request, factor=None, tool=self.request.tool or staged.report.tool),
            status=outcome.status,
            reason=outcome.reason,
            error=outcome.error,
            start_time=staged.report.started_at,
            end_time=staged.report.ended_at,
            connection=connection,
        )
        return run.run_id


def _check_takes_results(run: Run) -> None:
    if run.status is RunStatus.QUEUED:
        raise ConflictError(f"run {run.run_id} is queued and has not started: it can have no results yet")
    if run.status is RunStatus.RUNNING and run.tool is not None and run.lease_id is not None:
        raise ConflictError(f"run {run.run_id} is being executed and gets its results by that: wait until it has ended")


def _check_kept(staged: StagedResults, files: Files) -> None:
    report, allowed = staged.report, files.max_rejected_rate
    if report.rows_rejected <= allowed * report.rows_read:
        if not report.rows_kept:
            raise ResultsError(
                f"{listed(files.paths)} holds no results: there is no request, case or measurement in it."
            )
        return
    first = "; ".join(_told(row) for row in staged.rejected.slice(0, 3).to_pylist())
    raise ResultsError(
        f"{report.rows_rejected} of {report.rows_read} rows cannot be read, more than {100 * allowed:.3g}%: "
        f"nothing was kept. {first}. Name the right format (format=), or allow it (max_rejected_rate=)."
    )


def _told(row: Mapping[str, Any]) -> str:
    line = "" if row["line"] is None else f", line {row['line']}"
    return f"{row['source']}{line}: {row['reason']}"
