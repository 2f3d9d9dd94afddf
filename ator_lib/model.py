"""Frozen records and enums that the rooms hand to each other. No I/O, nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID


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
    ``location`` ``None`` means the settings' default location.
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


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How a run is doing; figures are of the last seconds, counts of the whole run so far.

    ``None`` means that nothing was measured yet.
    """

    elapsed_s: float
    requests: int = 0
    failures: int = 0
    users: int | None = None
    throughput_rps: float | None = None
    p95_ms: float | None = None

    @property
    def error_rate(self) -> float | None:
        """Failures over requests of the whole run so far, 0 to 1; ``None`` before the first request."""
        return self.failures / self.requests if self.requests else None


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A running run that takes a part of a location."""

    run_id: int
    test: str | None
    factor: Decimal


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a run was not admitted: ``taken + requested`` is not below ``limit``."""

    location: str
    taken: Decimal
    requested: Decimal
    limit: Decimal
    holders: tuple[Holder, ...]

    def __str__(self) -> str:
        held = ", ".join(f"run {h.run_id} ({h.test or 'no test name'}) {h.factor}" for h in self.holders)
        return (
            f"location {self.location!r} is full: {self.taken} taken + {self.requested} requested "
            f"is not below {self.limit}. Held by {held or 'nobody'}. "
            f"Try again when one of them has ended, or use a smaller factor or another location."
        )


@dataclass(frozen=True, kw_only=True)
class LocationUse:
    """A location and what is taken of it: a run is admitted while ``taken`` + its factor < ``capacity``."""

    name: str
    capacity: Decimal
    taken: Decimal
    holders: tuple[Holder, ...]

    @property
    def free(self) -> Decimal:
        """What is left, never below 0; a factor must be below it."""
        return max(self.capacity - self.taken, Decimal(0))


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
