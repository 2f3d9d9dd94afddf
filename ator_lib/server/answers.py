"""What answers look like, for the OpenAPI document; the answers themselves are made by ``registry.wire``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, Field

from ator_lib.model import LocationStatus, Role, RunStatus

Number: TypeAlias = Annotated[float | str, Field(description="A number where that says the same decimal, else text.")]


class LoadProfileAnswer(BaseModel):
    """What load was planned."""

    model: str
    users: int | None
    spawn_rate: float | None
    run_time_s: float | None
    processes: int | None
    host: str | None


class EndpointProgressAnswer(BaseModel):
    """How an endpoint is doing: figures of the last seconds, counts of the whole run so far."""

    name: str
    method: str | None
    requests: int
    failures: int
    throughput_rps: float | None
    p95_ms: float | None


class ErrorProgressAnswer(BaseModel):
    """Requests that failed in the same way so far."""

    name: str
    method: str | None
    error: str
    requests: int


class ProgressAnswer(BaseModel):
    """How a run is doing: figures of the last seconds, counts of the whole run so far."""

    elapsed_s: float
    requests: int
    failures: int
    users: int | None
    throughput_rps: float | None
    p95_ms: float | None
    endpoints: list[EndpointProgressAnswer]
    errors: list[ErrorProgressAnswer]


class ProgressPointAnswer(BaseModel):
    """How a run was doing at one moment."""

    elapsed_s: float
    at: datetime
    users: int | None
    requests: int
    failures: int
    throughput_rps: float | None
    p95_ms: float | None


class ProgressPointsAnswer(BaseModel):
    """How a run did so far, the oldest first."""

    progress: list[ProgressPointAnswer]


class RunAnswer(BaseModel):
    """A run; times are UTC. ``stale``: it runs without a lease for more than a day."""

    id: UUID
    run_id: int
    status: RunStatus
    repo: str | None
    lac: str | None
    stream: str | None
    test: str | None
    type: str | None
    environment: str | None
    triggered_by: str | None
    start_time: datetime | None
    end_time: datetime | None
    factor: Number | None
    dashboard_url: str | None
    location: str | None
    queued_at: datetime | None
    priority: int | None
    lease_expires_at: datetime | None
    stop_requested_at: datetime | None
    status_reason: str | None
    tool: str | None
    load_profile: LoadProfileAnswer | None
    progress: ProgressAnswer | None
    attributes: dict[str, Any]
    error: str | None
    stale: bool


class HolderAnswer(BaseModel):
    """A run that takes a part of a location, or waits for it."""

    run_id: int
    test: str | None
    factor: Number


class RefusalAnswer(BaseModel):
    """Why there is no room: ``sum`` + ``requested`` is not below ``limit``, or others wait ``ahead``."""

    location: str
    sum: Number
    requested: Number
    limit: Number
    holders: list[HolderAnswer]
    ahead: list[HolderAnswer]
    location_status: LocationStatus


class OwnRunAnswer(RunAnswer):
    """A run as its registrant sees it: with the key to it, if it holds a lease."""

    lease_id: str | None


class QueuedRunAnswer(OwnRunAnswer):
    """A run that waits, and why."""

    refusal: RefusalAnswer


class StatusAnswer(BaseModel):
    """What is running."""

    running: list[RunAnswer]


class PlaceAnswer(BaseModel):
    """Where a run stands in the queue of its location; 1 is next."""

    run: RunAnswer
    position: int
    waits_for: list[HolderAnswer]
    estimated_start: datetime | None
    estimate_note: str


class QueueAnswer(BaseModel):
    """Who waits, in the order in which they will start."""

    queue: list[PlaceAnswer]


class FiguresAnswer(BaseModel):
    """The figures of all requests of a run."""

    requests: int
    failures: int
    throughput_rps: float | None
    error_rate: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class FoundRunAnswer(RunAnswer):
    """A run of the history. ``figures`` are there if they were asked for; null without results."""

    figures: FiguresAnswer | None = None


class HistoryAnswer(BaseModel):
    """A page of runs; ``next_cursor`` asks for the next one."""

    executions: list[FoundRunAnswer]
    next_cursor: str | None


class CountAnswer(BaseModel):
    """How many runs there are."""

    count: int


class ValuesAnswer(BaseModel):
    """The different values of a field, in order."""

    values: list[str]


class LocationAnswer(BaseModel):
    """A location: a run is admitted while ``taken`` + its factor < ``capacity``."""

    name: str
    capacity: Number
    taken: Number
    free: Number
    status: LocationStatus
    description: str | None
    holders: list[HolderAnswer]
    waiting: list[HolderAnswer]


class LocationsAnswer(BaseModel):
    """All locations by name."""

    locations: list[LocationAnswer]


class BaselineAnswer(BaseModel):
    """A run that others are compared with."""

    name: str
    run_id: int
    pinned_at: datetime


class BaselinesAnswer(BaseModel):
    """All baselines by name."""

    baselines: list[BaselineAnswer]


class AnnotationAnswer(BaseModel):
    """What somebody said of a run; null metric and name: of all of them."""

    annotation_id: int
    run_id: int
    text: str
    resets: bool
    metric: str | None
    name: str | None
    created_by: str | None
    created_at: datetime


class WhoAnswer(BaseModel):
    """Who asks."""

    name: str
    role: Role


class HealthAnswer(BaseModel):
    """That the server answers."""

    status: Literal["ok"]
    version: str
    time: datetime


class FieldProblem(BaseModel):
    """What is wrong with a field; its value is not repeated."""

    field: str
    problem: str


class ProblemAnswer(BaseModel):
    """What went wrong: a code for programs, a sentence for people, and details of some codes."""

    error: str = Field(description="The code.", examples=["not_found"])
    message: str


class InvalidAnswer(ProblemAnswer):
    """The request is invalid, never admissible, or brings no results; ``fields`` says what is off in its form."""

    error: Literal["invalid", "never_admissible", "unreadable_results"]
    fields: list[FieldProblem] | None = None


class NoCapacityAnswer(ProblemAnswer, RefusalAnswer):
    """The location is full now."""

    error: Literal["no_capacity"]


class InternalAnswer(ProblemAnswer):
    """Something broke in the server, whose log has more under ``id``."""

    id: str


class UnavailableAnswer(ProblemAnswer):
    """The database cannot be reached; ``in_doubt``: what was asked may have been done all the same."""

    in_doubt: bool = False
