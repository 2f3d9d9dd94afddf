"""What requests may say. Anything else is refused, so that a misspelt name is not silently ignored."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from ator_lib.model import MOST_ENDPOINTS, MOST_ERRORS, TAGS, EndpointProgress, ErrorProgress, Progress, RunRequest
from ator_lib.registry.admission import parse_factor
from ator_lib.registry.checks import HIGHEST_PRIORITY, LONGEST_LEASE_S, LONGEST_NAME, LONGEST_TAG, LONGEST_TEXT

_LONGEST_NUMBER = 100
_MOST_COUNT = 2**53


def _number(value: Any) -> Any:
    """Take a number or text and nothing else; whether it is a decimal, and one that may be, is asked later."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > _LONGEST_NUMBER:
        raise ValueError("give a number, or a decimal as text")
    return value


_NUMBER_SCHEMA = {"anyOf": [{"type": "number"}, {"type": "string", "maxLength": _LONGEST_NUMBER}]}

Number: TypeAlias = Annotated[Any, BeforeValidator(_number), WithJsonSchema(_NUMBER_SCHEMA)]
Name: TypeAlias = Annotated[str, Field(max_length=LONGEST_NAME)]
Text: TypeAlias = Annotated[str, Field(max_length=LONGEST_TEXT)]
Tags: TypeAlias = Annotated[list[Annotated[str, Field(min_length=1, max_length=LONGEST_TAG)]], Field(max_length=100)]
Count: TypeAlias = Annotated[int, Field(ge=0, le=_MOST_COUNT)]
Measure: TypeAlias = Annotated[float, Field(ge=0)]
RunId: TypeAlias = Annotated[int, Field(description="The number that `/register` gave.")]
LeaseId: TypeAlias = Annotated[str, Field(max_length=100, description="What the registration answered as `lease_id`.")]
LeaseS: TypeAlias = Annotated[
    float, Field(gt=0, le=LONGEST_LEASE_S, description="Seconds that the run outlives its last heartbeat.")
]
Attributes: TypeAlias = Annotated[dict[str, Any], Field(description="Any JSON of yours: git commit, tool version …")]


class Body(BaseModel):
    """A JSON object that is read to the letter: no text for a number, no unknown names."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=True)


class IdentityBody(Body):
    """What may be said of any run."""

    repo: Name | None = None
    lac: Name | None = Field(None, description="Location Application Component, such as LAC.0001.")
    stream: Name | None = Field(None, description="Branch or line of development.")
    test: Name | None = None
    type: Name | None = None
    environment: Name | None = None
    triggered_by: Name | None = None
    dashboard_url: Text | None = None
    location: Name | None = Field(None, description="Where it runs; the server has a default.")
    attributes: Attributes = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)


class RegisterBody(IdentityBody):
    """A run that wants to start."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "repo": "performance-tests",
                    "lac": "LAC.0001",
                    "stream": "main",
                    "test": "checkout",
                    "type": "load",
                    "environment": "staging",
                    "triggered_by": "ci",
                    "factor": 0.5,
                    "dashboard_url": "https://example.org/d/1",
                    "location": "azure-k8s",
                }
            ]
        }
    )

    factor: Number | None = Field(None, description="Share of the location that the run takes; none counts as 0.")
    priority: int | None = Field(
        None, ge=-HIGHEST_PRIORITY, le=HIGHEST_PRIORITY, description="In the queue, the higher one goes first."
    )
    lease_s: LeaseS | None = Field(None, description="Without one, the run holds its place until it is completed.")
    queue: bool = Field(
        False, description="Wait in the queue if there is no room: 202, then `POST /runs/{run_id}/start`."
    )

    def request(self) -> RunRequest:
        """Make the registry's request."""
        said = self.model_dump(exclude={"tags", "lease_s", "queue", "factor", "attributes"})
        attributes = self.attributes | ({TAGS: self.tags} if self.tags else {})
        return RunRequest(**said, factor=parse_factor(self.factor), attributes=attributes)


class CommitBody(IdentityBody):
    """What is said of the run that an upload becomes, or which run it is of."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"test": "checkout", "stream": "main"}]})

    location: Name | None = Field(None, description="Where it ran; a run of a file takes no part of it.")
    run_id: int | None = Field(None, description="A run that there is; then nothing else is given.")

    def said(self) -> dict[str, Any]:
        """Give what ``Workspace.ingest`` takes of a run to be made."""
        return {name: value for name, value in self.model_dump(exclude={"run_id"}).items() if value}


class CompleteBody(Body):
    """How a run ended."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"run_id": 1, "status": "success"}]})

    run_id: RunId
    status: Literal["success", "failure", "cancelled"]
    reason: Text | None = Field(None, description="Why, in a word.")
    error: Text | None = Field(None, description="The tool's own words.")
    lease_id: LeaseId | None = None


class CancelBody(Body):
    """Which run is to end."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"run_id": 1}]})

    run_id: RunId


class EndpointProgressBody(Body):
    """How an endpoint is doing; figures are of the last seconds, counts of the whole run so far."""

    name: Name
    method: Name | None = None
    requests: Count
    failures: Count = 0
    throughput_rps: Measure | None = None
    p95_ms: Measure | None = None


class ErrorProgressBody(Body):
    """Requests that failed in the same way so far."""

    name: Name
    method: Name | None = None
    error: Name
    requests: Count


class ProgressBody(Body):
    """How a run is doing; figures are of the last seconds, counts of the whole run so far."""

    elapsed_s: Measure
    requests: Count = 0
    failures: Count = 0
    users: Count | None = None
    throughput_rps: Measure | None = None
    p95_ms: Measure | None = None
    endpoints: list[EndpointProgressBody] = Field(
        default_factory=list, max_length=MOST_ENDPOINTS, description="For live tables, those with most requests first."
    )
    errors: list[ErrorProgressBody] = Field(
        default_factory=list, max_length=MOST_ERRORS, description="The most frequent failures first."
    )

    def record(self) -> Progress:
        """Make the registry's record."""
        said = self.model_dump()
        endpoints = tuple(EndpointProgress(**endpoint) for endpoint in said["endpoints"])
        errors = tuple(ErrorProgress(**error) for error in said["errors"])
        return Progress(**{**said, "endpoints": endpoints, "errors": errors})


_LEASE = "0f8fad5bd9cb469fa16570867728950e"


class HeartbeatBody(Body):
    """A sign of life of a run under a lease."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"run_id": 1, "lease_id": _LEASE, "progress": {"elapsed_s": 12.5, "requests": 1200, "users": 50}}
            ]
        }
    )

    run_id: RunId
    lease_id: LeaseId
    lease_s: LeaseS | None = None
    progress: ProgressBody | None = None

    def record(self) -> Progress | None:
        """Make the registry's record of the progress."""
        return None if self.progress is None else self.progress.record()


class StartBody(Body):
    """A queued run that asks whether it may start now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lease_id": _LEASE}]})

    lease_id: LeaseId
    lease_s: LeaseS | None = Field(None, description="The lease that it runs under; without one it drops its lease.")


class LeaveBody(Body):
    """A queued run that gives up."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lease_id": _LEASE, "reason": "queue_timeout"}]})

    lease_id: LeaseId
    reason: Text = Field("stopped_by_user", description="Why, in a word.")


class LeaseBody(Body):
    """A running run that asks for a lease."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lease_s": 30}]})

    lease_s: LeaseS | None = None


class ChangeRunBody(Body):
    """What may be changed of a run at any time."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"add_tags": ["nightly"], "attributes": {"git_commit": "0f3c"}}]}
    )

    dashboard_url: Text | None = None
    attributes: Attributes | None = Field(None, description="Merged into those it has.")
    add_tags: Tags = Field(default_factory=list)
    remove_tags: Tags = Field(default_factory=list)

    def changes(self) -> dict[str, Any]:
        """Give what the registry is to change."""
        return self.model_dump()


LocationState: TypeAlias = Literal["online", "draining", "offline"]


class AddLocationBody(Body):
    """A place that tests share."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "azure-k8s", "capacity": 1}]})

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    capacity: Number = 1
    description: Text | None = None
    status: LocationState = "online"


class ChangeLocationBody(Body):
    """What is to be another way at a location."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"capacity": "1.5", "status": "draining"}]})

    capacity: Number | None = None
    description: Text | None = None
    status: LocationState | None = None


class PinBody(Body):
    """The run that others are to be compared with."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"run_id": 1}]})

    run_id: RunId


class AnnotateBody(Body):
    """What somebody says of a run."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "new database server", "resets": True}]})

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
    resets: bool = Field(True, description="A new level begins with this run, which is no change to look into.")
    metric: Name | None = Field(None, description="What it is about; without it all metrics.")
    name: Name | None = Field(None, description="The endpoint that it is about; without it all.")
