"""How a run is doing while it runs."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from ator_lib.registry.wire import to_json
from ator_lib.server.answers import ProgressPointsAnswer
from ator_lib.server.api.base import RunIdInPath, WorkspaceParts, problems, router_of
from ator_lib.server.problems import Answer

router = router_of("runs")


@router.get(
    "/runs/{run_id}/progress",
    summary="Get a run's progress",
    response_model=ProgressPointsAnswer,
    responses=problems(404),
)
def progress(
    run_id: RunIdInPath,
    parts: WorkspaceParts,
    since_s: Annotated[float | None, Query(ge=0, description="Only points later than so many seconds.")] = None,
) -> Answer:
    """List how a run did at each heartbeat so far, oldest first. Results of an ended run take their place."""
    points = parts.registry.progress(run_id, since_s=since_s)
    return Answer({"progress": to_json(points)})
