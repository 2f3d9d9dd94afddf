"""The queue of each location."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from ator_lib.registry.wire import place_to_json, run_to_json
from ator_lib.server.answers import OwnRunAnswer, QueueAnswer, QueuedRunAnswer, RunAnswer
from ator_lib.server.api.base import RunIdInPath, WorkspaceParts, problems, router_of
from ator_lib.server.api.runs import answer_admission
from ator_lib.server.bodies import LeaveBody, StartBody, Text
from ator_lib.server.problems import Answer

router = router_of("queue")


@router.get("/queue", summary="List the queue", response_model=QueueAnswer)
def queue(
    parts: WorkspaceParts, location: Annotated[Text | None, Query(description="Only this location's.")] = None
) -> Answer:
    """List who waits, in the order in which they will start, for whom, and until about when."""
    return Answer({"queue": [place_to_json(place) for place in parts.registry.queue(location)]})


@router.post(
    "/runs/{run_id}/start",
    summary="Start a queued run",
    response_model=OwnRunAnswer,
    responses={
        200: {"description": "It runs now."},
        202: {"model": QueuedRunAnswer, "description": "It waits on; ask again within the lease."},
        **problems(404, 409, 413),
    },
)
def start(run_id: RunIdInPath, body: StartBody, parts: WorkspaceParts) -> Answer:
    """Ask whether a queued run may start now. Asking also renews its place, which a dead client loses."""
    return answer_admission(
        parts.registry.start(run_id, body.lease_id, queue_lease_s=parts.lease_s, lease_s=body.lease_s)
    )


@router.post(
    "/runs/{run_id}/leave", summary="Leave the queue", response_model=RunAnswer, responses=problems(404, 409, 413)
)
def leave(run_id: RunIdInPath, body: LeaveBody, parts: WorkspaceParts) -> Answer:
    """Give up waiting: the run is cancelled with this reason."""
    return Answer(run_to_json(parts.registry.leave(run_id, body.lease_id, reason=body.reason)))
