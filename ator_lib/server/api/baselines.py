"""Baselines: runs that others are compared with, pinned under names."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import Path

from ator_lib.registry.wire import baseline_to_json
from ator_lib.server.answers import BaselineAnswer, BaselinesAnswer
from ator_lib.server.api.base import WorkspaceParts, problems, router_of
from ator_lib.server.bodies import PinBody
from ator_lib.server.problems import Answer

router = router_of("baselines")

_Name: TypeAlias = Annotated[str, Path(description="Any words but a number.", examples=["release-1"])]


@router.get("/baselines", summary="List baselines", response_model=BaselinesAnswer)
def baselines(parts: WorkspaceParts) -> Answer:
    """List all baselines by name."""
    return Answer({"baselines": [baseline_to_json(baseline) for baseline in parts.baselines.list()]})


@router.put(
    "/baselines/{name:path}", summary="Pin a baseline", response_model=BaselineAnswer, responses=problems(404, 413)
)
def pin(name: _Name, body: PinBody, parts: WorkspaceParts) -> Answer:
    """Give a run this name, which may have been another run's until now."""
    return Answer(baseline_to_json(parts.baselines.pin(name, body.run_id)))


@router.delete(
    "/baselines/{name:path}", summary="Unpin a baseline", response_model=BaselineAnswer, responses=problems(404)
)
def unpin(name: _Name, parts: WorkspaceParts) -> Answer:
    """Take the name away; the run stays. Answers what it was."""
    return Answer(baseline_to_json(parts.baselines.remove(name)))
