"""Frozen records and enums that the rooms hand to each other. No I/O, nothing heavy."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from uuid import UUID

TAGS = "tags"
"""Attribute of a run with the list of its tags."""

SUPERVISOR = "supervisor"
"""Attribute of an executed run, ATOR's own: the host and the lock file of the supervisor of its tool."""

STALE_AFTER = timedelta(hours=24)

MOST_ENDPOINTS, MOST_ERRORS = 50, 10
"""Rows that the progress of a run has for live tables."""


class RunStatus(StrEnum):
    """The life of a run: ``queued → running →`` one of the final ones, which never change."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"

    @property
    def is_final(self) -> bool:
        """Whether no transition leads out of this status."""
        return self not in (RunStatus.QUEUED, RunStatus.RUNNING)


class StatusReason(StrEnum):
    """Why a run has its final status; the column also takes a caller's own words."""

    REQUESTS_FAILED = "requests_failed"
    TESTS_FAILED = "tests_failed"
    HOST_UNREACHABLE = "host_unreachable"
    NO_REQUESTS = "no_requests"
    TASKS_FAILED = "tasks_failed"
    TOOL_ERROR = "tool_error"
    BAD_INPUT = "bad_input"
    TIMEOUT = "timeout"
    CAPTURE_FAILED = "capture_failed"
    INGEST_FAILED = "ingest_failed"
    EXCEPTION = "exception"
    LEASE_EXPIRED = "lease_expired"
    STOPPED_BY_USER = "stopped_by_user"
    QUEUE_TIMEOUT = "queue_timeout"
    NEVER_ADMISSIBLE = "never_admissible"


class LocationStatus(StrEnum):
    """What a location takes: running runs go on in each of them."""

    ONLINE = "online"
    """Admits."""
    DRAINING = "draining"
    """Lets those start that are waiting already, and takes nobody new: it empties."""
    OFFLINE = "offline"
    """Lets nobody start; runs may wait until it is online again."""


class Role(StrEnum):
    """What the holder of a token may do; each may do all that the ones before it may."""

    VIEWER = "viewer"
    """Look at everything."""
    RUNNER = "runner"
    """Register, complete, cancel, tag and pin runs, and upload results."""
    ADMIN = "admin"
    """Change locations, delete runs, manage tokens."""

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what ``needed`` may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


@dataclass(frozen=True, kw_only=True)
class LoadProfile:
    """What load was planned. ``None`` means that the tool was not told.

    ``model`` is ``closed`` (a fixed number of users, each waiting for its answer) or
    ``open`` (arrivals on a schedule that does not wait).
    """

    model: str = "closed"
    users: int | None = None
    spawn_rate: float | None = None
    run_time_s: float | None = None
    processes: int | None = None
    host: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What a caller asks the registry for. All text fields are free; ``None`` is unknown.

    ``factor`` is the share of the location that the run takes: ``None`` counts as 0.
    ``location`` ``None`` means the settings' default location. ``priority`` counts while it waits:
    the higher one goes first, ``None`` counts as 0.
    """

    repo: str | None = None
    lac: str | None = None
    stream: str | None = None
    test: str | None = None
    type: str | None = None
    environment: str | None = None
    triggered_by: str | None = None
    factor: Decimal | None = None
    dashboard_url: str | None = None
    location: str | None = None
    priority: int | None = None
    tool: str | None = None
    load_profile: LoadProfile | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One row of ``test_executions``, as read at one moment. Times are UTC and aware."""

    id: UUID
    run_id: int
    status: RunStatus
    repo: str | None = None
    lac: str | None = None
    stream: str | None = None
    test: str | None = None
    type: str | None = None
    environment: str | None = None
    triggered_by: str | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    factor: Decimal | None = None
    dashboard_url: str | None = None
    location: str | None = None
    queued_at: datetime | None = None
    priority: int | None = None
    lease_id: str | None = field(default=None, repr=False)
    lease_expires_at: datetime | None = None
    stop_requested_at: datetime | None = None
    status_reason: str | None = None
    tool: str | None = None
    load_profile: LoadProfile | None = None
    progress: Progress | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None

    @property
    def tags(self) -> tuple[str, ...]:
        """The run's tags; they are kept among its attributes."""
        return tuple(self.attributes.get(TAGS, ()))

    @property
    def duration_s(self) -> float | None:
        """Seconds from its start to its end; ``None`` where one of them is not known."""
        if self.start_time is None or self.end_time is None:
            return None
        return (self.end_time - self.start_time).total_seconds()

    def is_stale(self, now: datetime) -> bool:
        """Whether it runs without a lease for more than a day: somebody probably forgot to complete it."""
        if self.status is not RunStatus.RUNNING or self.lease_expires_at is not None or self.start_time is None:
            return False
        return now - self.start_time > STALE_AFTER


@dataclass(frozen=True, kw_only=True)
class EndpointProgress:
    """How an endpoint of a run is doing; figures are of the last seconds, counts of the whole run so far.

    ``None`` means that nobody asked for it in the last seconds, or that it has no method.
    """

    name: str
    method: str | None = None
    requests: int
    failures: int = 0
    throughput_rps: float | None = None
    p95_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class ErrorProgress:
    """Requests of a run that failed in the same way so far."""

    name: str
    method: str | None = None
    error: str
    requests: int


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How a run is doing; figures are of the last seconds, counts of the whole run so far.

    ``None`` means that nothing was measured yet.

    Attributes
    ----------
    endpoints
        Those with most requests first, at most ``MOST_ENDPOINTS``; none where the tool is not followed so closely.
    errors
        The most frequent first, at most ``MOST_ERRORS``.
    """

    elapsed_s: float
    requests: int = 0
    failures: int = 0
    users: int | None = None
    throughput_rps: float | None = None
    p95_ms: float | None = None
    endpoints: tuple[EndpointProgress, ...] = ()
    errors: tuple[ErrorProgress, ...] = ()

    @property
    def error_rate(self) -> float | None:
        """Failures over requests of the whole run so far, 0 to 1; ``None`` before the first request."""
        return self.failures / self.requests if self.requests else None


@dataclass(frozen=True, kw_only=True)
class ProgressPoint:
    """How a run was doing at one moment, as ``Progress`` says."""

    elapsed_s: float
    at: datetime
    users: int | None
    requests: int
    failures: int
    throughput_rps: float | None
    p95_ms: float | None


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A run that takes a part of a location, or waits for it."""

    run_id: int
    test: str | None
    factor: Decimal

    def __str__(self) -> str:
        return f"run {self.run_id} ({self.test or 'no test name'}) {self.factor}"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a run was not admitted.

    Mostly because ``taken + requested`` is not below ``limit``; also because others wait
    ``ahead`` of it, whose turn it is first, or because the location is not online.
    """

    location: str
    taken: Decimal
    requested: Decimal
    limit: Decimal
    holders: tuple[Holder, ...]
    ahead: tuple[Holder, ...] = ()
    status: LocationStatus = LocationStatus.ONLINE

    def __str__(self) -> str:
        held = f"Held by {_listed(self.holders)}."
        if self.status is not LocationStatus.ONLINE:
            return (
                f"location {self.location!r} is {self.status} and lets no new run start. {held} "
                f"Use another location, or try again when it is online."
            )
        if self.ahead and self.taken + self.requested < self.limit:
            return (
                f"location {self.location!r} has others waiting first: {_listed(self.ahead)}. {held} "
                f"Wait in the queue too (wait=, --wait), or use another location."
            )
        waiting = f" Waiting first: {_listed(self.ahead)}." if self.ahead else ""
        return (
            f"location {self.location!r} is full: {self.taken} taken + {self.requested} requested "
            f"is not below {self.limit}. {held}{waiting} "
            f"Try again when one of them has ended, wait in the queue (wait=, --wait), "
            f"or use a smaller factor or another location."
        )


def _listed(holders: tuple[Holder, ...]) -> str:
    return ", ".join(map(str, holders)) or "nobody"


@dataclass(frozen=True, kw_only=True)
class Admission:
    """What came of asking for a place: the run, running or queued; queued ones are told why."""

    run: Run
    refusal: Refusal | None = None


@dataclass(frozen=True, kw_only=True)
class LocationUse:
    """A location and what is taken of it: a run is admitted while ``taken`` + its factor < ``capacity``."""

    name: str
    capacity: Decimal
    taken: Decimal
    holders: tuple[Holder, ...]
    waiting: tuple[Holder, ...] = ()
    status: LocationStatus = LocationStatus.ONLINE
    description: str | None = None

    @property
    def free(self) -> Decimal:
        """What is left, never below 0; a factor must be below it."""
        return max(self.capacity - self.taken, Decimal(0))


@dataclass(frozen=True, kw_only=True)
class QueuePlace:
    """Where a queued run stands at its location.

    Attributes
    ----------
    position
        1 is next.
    waits_for
        Those who run there now and those ahead of it, in the order of the queue.
    estimated_start
        From the usual durations of the tests ahead; ``None`` when one of them has no history.
    estimate_note
        What the estimate rests on, or why there is none.
    """

    run: Run
    position: int
    waits_for: tuple[Holder, ...]
    estimated_start: datetime | None
    estimate_note: str


@dataclass(frozen=True, kw_only=True)
class RunFigures:
    """The figures of all requests of a run; ``None`` is what its tool did not report."""

    requests: int
    failures: int
    throughput_rps: float | None
    error_rate: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, kw_only=True)
class HistoryPage:
    """Some runs in the order asked for; ``next_cursor`` asks for those after them, ``None`` when there are none.

    ``figures`` are those of each run, if they were asked for; ``None`` for one without results.
    """

    runs: tuple[Run, ...]
    figures: tuple[RunFigures | None, ...] = ()
    next_cursor: str | None = None


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A run that others are compared with, pinned under a name."""

    name: str
    run_id: int
    pinned_at: datetime


@dataclass(frozen=True, kw_only=True)
class RunVerdict:
    """What a run was judged to be against its baseline.

    Attributes
    ----------
    baseline_run_ids
        What it was compared with; none if there was nothing to compare with, or the comparison failed.
    verdict
        ``regressed``, ``improved``, ``no change``, ``not enough evidence`` or ``not comparable``; ``None`` where there
        was no earlier run to compare with.
    headline
        The same in one sentence.
    name, metric
        What changed most clearly: ``GET /search``, ``total`` or ``all endpoints``, and its metric; ``None`` unless the
        run regressed or improved.
    change, low, high
        By how much, with its interval: relative, 0.05 is 5 % more; for ``error_rate`` the difference.
    """

    run_id: int
    baseline_run_ids: tuple[int, ...]
    verdict: str | None
    headline: str
    name: str | None = None
    metric: str | None = None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    judged_at: datetime


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """What somebody says of a run.

    Attributes
    ----------
    resets
        In trends a new level begins with this run, for a reason that the text gives: it is no change to look into.
    metric, name
        What it is about: a metric, an endpoint's name or label; ``None`` is all of them.
    """

    annotation_id: int
    run_id: int
    text: str
    resets: bool
    metric: str | None
    name: str | None
    created_by: str | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Token:
    """What is known of an API token; its secret is not kept."""

    token_id: str
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class RunOutcome:
    """How a run ended: what the registry is told when it completes."""

    status: RunStatus
    reason: str | None = None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunArtifacts:
    """What a tool left behind in its run's folder."""

    folder: Path
    log: Path | None
    files: tuple[Path, ...]


_WINDOW = ("started_at", "ended_at")


@dataclass(frozen=True, kw_only=True)
class IngestReport:
    """What an ingest read, kept and left out; kept with the run.

    Parameters
    ----------
    files
        Names of the files that were read.
    format
        Name of the reader.
    tool, tool_version
        Who made the files; ``None`` when they do not say.
    rows_read
        Rows, records or elements of the source; those kept and those rejected at least.
    rows_kept
        Rows of the finest table that came of them.
    rows_rejected
        Rows that could not be taken in; ``run.rejected()`` lists them with their lines and reasons.
    truncated
        The files end before their writer ended.
    started_at, ended_at
        The load window in UTC; ``None`` when nothing says when it was.
    computed
        Tables that were computed here from the samples.
    taken
        Tables that were taken from the files as they stand there.
    notes
        What was taken for granted or left out, in sentences.
    """

    files: tuple[str, ...] = ()
    format: str | None = None
    tool: str | None
    tool_version: str | None
    precision: str
    rows_read: int
    rows_kept: int
    rows_rejected: int
    truncated: bool
    started_at: datetime | None
    ended_at: datetime | None
    computed: tuple[str, ...]
    taken: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Tell it in sentences, the most important first."""
        tool = " ".join(filter(None, (self.tool, self.tool_version)))
        made_by = f", written by {tool}" if tool else ""
        rejected = f", {self.rows_rejected} rejected" if self.rows_rejected else ""
        told = [f"{self.rows_read} rows read as {self.format or 'capture'}{made_by}: {self.rows_kept} kept{rejected}"]
        if self.truncated:
            told.append("the end is missing: its writer was cut short")
        if self.started_at and self.ended_at:
            told.append(f"load from {self.started_at:%Y-%m-%d %H:%M:%S} to {self.ended_at:%Y-%m-%d %H:%M:%S} UTC")
        told.append(f"precision of durations: {self.precision}")
        told.append(f"taken from the files: {', '.join(self.taken) or 'nothing'}")
        if self.computed:
            told.append(f"computed here: {', '.join(self.computed)}")
        return [*told, *self.notes]

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON has it: times as ISO 8601."""
        whole = dataclasses.asdict(self)
        return whole | {name: whole[name] and whole[name].isoformat() for name in _WINDOW}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what ``to_json`` gave."""
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}
        times = {name: document[name] and datetime.fromisoformat(document[name]) for name in _WINDOW}
        return cls(**given | times)

    def _repr_html_(self) -> str:
        return f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in self.lines())}</ul>"
