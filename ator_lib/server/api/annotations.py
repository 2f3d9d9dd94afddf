"""Marks on runs: what people know of them, and the figures do not show."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import Depends, Path

from ator_lib.model import Role
from ator_lib.registry.wire import to_json
from ator_lib.server.access import Principal, needs
from ator_lib.server.answers import AnnotationAnswer
from ator_lib.server.api.base import RunIdInPath, ServedWorkspace, problems, router_of
from ator_lib.server.bodies import AnnotateBody
from ator_lib.server.problems import Answer

router = router_of("annotations")

_AnnotationId: TypeAlias = Annotated[int, Path(description="What `POST /runs/{run_id}/annotations` gave.")]


@router.post(
    "/runs/{run_id}/annotations", summary="Mark a run", response_model=AnnotationAnswer, responses=problems(404, 413)
)
def annotate(
    run_id: RunIdInPath,
    body: AnnotateBody,
    workspace: ServedWorkspace,
    principal: Annotated[Principal, Depends(needs(Role.RUNNER))],
) -> Answer:
    """Say something of a run. With `resets` a new level of trends begins there, for the reason that the text gives."""
    return Answer(to_json(workspace.annotations.add(run_id, **body.model_dump(), created_by=principal.token_name)))


@router.delete(
    "/annotations/{annotation_id}", summary="Remove a mark", response_model=AnnotationAnswer, responses=problems(404)
)
def remove(annotation_id: _AnnotationId, workspace: ServedWorkspace) -> Answer:
    """Take a mark away; the run stays. Answers what it was."""
    return Answer(to_json(workspace.annotations.remove(annotation_id)))
