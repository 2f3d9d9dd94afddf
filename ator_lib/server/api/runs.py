"""Runs: registered, kept alive, completed, cancelled, changed and deleted."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header
from starlette.background import BackgroundTask

from ator_lib.model import Admission, Role, Run
from ator_lib.registry.checks import LONGEST_NAME
from ator_lib.registry.wire import admission_to_json, run_to_json
from ator_lib.server.access import needs
from ator_lib.server.answers import OwnRunAnswer, QueuedRunAnswer, RunAnswer
from ator_lib.server.api.base import NO_CAPACITY, RunIdInPath, WorkspaceParts, problems, router_of
from ator_lib.server.bodies import CancelBody, ChangeRunBody, CompleteBody, HeartbeatBody, LeaseBody, RegisterBody
from ator_lib.server.problems import Answer
from ator_lib.workspace import deletion
from ator_lib.workspace.parts import Parts

router = router_of("runs")

_IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=LONGEST_NAME,
        description="Any text of yours. The same one again, with the same request, gives the same run.",
    ),
]


@router.post(
    "/register",
    summary="Register a run",
    response_model=OwnRunAnswer,
    responses={
        200: {"description": "The run has started and holds its factor of the location."},
        202: {"model": QueuedRunAnswer, "description": "The run waits in the queue."},
        **NO_CAPACITY,
        **problems(404, 413),
    },
)
def register(body: RegisterBody, parts: WorkspaceParts, key: _IdempotencyKey = None) -> Answer:
    """Admit a run if its location has room: the sum of the running factors stays below the capacity.

    With `queue` it waits for its turn in place of a 409: ask `POST /runs/{run_id}/start` until it runs.
    """
    if body.queue:
        admission = parts.registry.enqueue(
            body.request(), queue_lease_s=parts.lease_s, lease_s=body.lease_s, idempotency_key=key
        )
    else:
        admission = Admission(run=parts.registry.register(body.request(), lease_s=body.lease_s, idempotency_key=key))
    return answer_admission(admission)


def answer_admission(admission: Admission) -> Answer:
    """Answer 200 to a run that runs, 202 to one that waits; with its lease, as its registrant asks."""
    return Answer(admission_to_json(admission), status_code=200 if admission.refusal is None else 202)


@router.post("/complete", summary="Complete a run", response_model=RunAnswer, responses=problems(404, 409, 413))
def complete(body: CompleteBody, parts: WorkspaceParts) -> Answer:
    """Give a running run its final status, which frees its factor. The same one again changes nothing."""
    run = parts.registry.complete(
        body.run_id, body.status, reason=body.reason, error=body.error, lease_id=body.lease_id
    )
    return _answer_ended(run, parts)


def _answer_ended(run: Run, parts: Parts) -> Answer:
    """Answer first: what else is done with an ended run may take longer than clients wait."""
    return Answer(run_to_json(run), background=BackgroundTask(parts.ended, run))


@router.post("/cancel", summary="Cancel a run", response_model=RunAnswer, responses=problems(404, 409, 413))
def cancel(body: CancelBody, parts: WorkspaceParts) -> Answer:
    """End a run. One under a lease is asked to stop (`stop_requested_at`) and runs until its executor has."""
    return _answer_ended(parts.registry.cancel(body.run_id), parts)


@router.post("/heartbeat", summary="Keep a run alive", response_model=RunAnswer, responses=problems(404, 409, 413))
def heartbeat(body: HeartbeatBody, parts: WorkspaceParts) -> Answer:
    """Renew a run's lease and tell how it is doing. `stop_requested_at` says that somebody wants it stopped."""
    lease_s = parts.lease_s if body.lease_s is None else body.lease_s
    run = parts.registry.renew(body.run_id, body.lease_id, lease_s=lease_s, progress=body.record())
    return Answer(run_to_json(run))


@router.get("/runs/{run_id}", summary="Get a run", response_model=RunAnswer, responses=problems(404))
def get(run_id: RunIdInPath, parts: WorkspaceParts) -> Answer:
    """Tell everything about one run but its lease."""
    return Answer(run_to_json(parts.registry.get(run_id)))


@router.patch("/runs/{run_id}", summary="Change a run", response_model=RunAnswer, responses=problems(404, 413))
def change(run_id: RunIdInPath, body: ChangeRunBody, parts: WorkspaceParts) -> Answer:
    """Set the dashboard's address, merge attributes, add and remove tags; ended runs take them, too."""
    return Answer(run_to_json(parts.registry.update(run_id, **body.changes())))


@router.delete(
    "/runs/{run_id}",
    summary="Delete a run",
    response_model=RunAnswer,
    responses=problems(404, 409),
    dependencies=[Depends(needs(Role.ADMIN))],
)
def delete(run_id: RunIdInPath, parts: WorkspaceParts) -> Answer:
    """Delete an ended run with its results, for good; answers what it was. Needs the role admin."""
    return Answer(run_to_json(deletion.delete(parts, run_id)))


@router.post(
    "/runs/{run_id}/lease",
    summary="Put a run under a lease",
    response_model=OwnRunAnswer,
    responses=problems(404, 409, 413),
)
def lease(run_id: RunIdInPath, body: LeaseBody, parts: WorkspaceParts) -> Answer:
    """Let a running run without a lease hold its place only as long as its heartbeats come."""
    lease_s = parts.lease_s if body.lease_s is None else body.lease_s
    return Answer(run_to_json(parts.registry.lease(run_id, lease_s=lease_s), with_lease=True))
