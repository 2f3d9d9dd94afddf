"""Result files that are looked at before a run is made of them."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Path, Query, Request
from starlette.concurrency import run_in_threadpool

from ator_lib.model import Role
from ator_lib.registry.wire import to_json
from ator_lib.server.access import Principal, needs
from ator_lib.server.api.base import ServedWorkspace, problems, router_of
from ator_lib.server.api.results import what_was_read
from ator_lib.server.bodies import CommitBody
from ator_lib.server.file_answers import ResultsAnswer, UploadAnswer
from ator_lib.server.incoming import FILE_BODY, receive, upload_folder, without_folders
from ator_lib.server.problems import Answer
from ator_lib.server.queries import ResultsQuery
from ator_lib.workspace.uploads import Upload
from ator_lib.workspace.workspace import Workspace

router = router_of("uploads")

_UploadId: TypeAlias = Annotated[str, Path(description="What `POST /uploads` gave.", max_length=100)]


@router.post(
    "/uploads",
    summary="Upload a file to look at",
    response_model=UploadAnswer,
    responses=problems(413),
    openapi_extra=FILE_BODY,
)
async def upload(request: Request, workspace: ServedWorkspace, how: Annotated[ResultsQuery, Query()]) -> Answer:
    """Read a result file and say what is in it; it waits for an hour, and no run is made of it yet.

    Several files of one run are sent as a zip archive.
    """
    async with upload_folder(workspace.data) as folder:
        await receive(request, workspace.uploads.file_of(folder.name, how.file_name))
        return Answer(await run_in_threadpool(_look_at, workspace, folder.name, how))


def _look_at(workspace: Workspace, upload_id: str, how: ResultsQuery) -> dict[str, Any]:
    path = workspace.uploads.file_of(upload_id, how.file_name)
    with without_folders(path, workspace.data):
        preview = workspace.preview(path, **how.arguments())
    said = how.model_dump(mode="json")
    return _told(workspace.uploads.keep(upload_id, file_name=how.file_name, how=said, preview=preview.to_dict()))


@router.get("/uploads/{upload_id}", summary="Look at an upload", response_model=UploadAnswer, responses=problems(404))
def get(upload_id: _UploadId, workspace: ServedWorkspace) -> Answer:
    """Say what is in an uploaded file."""
    return Answer(_told(workspace.uploads.get(upload_id)))


def _told(upload: Upload) -> dict[str, Any]:
    return {name: to_json(getattr(upload, name)) for name in UploadAnswer.model_fields}


@router.post(
    "/uploads/{upload_id}/commit",
    summary="Ingest an upload",
    response_model=ResultsAnswer,
    responses=problems(404, 409, 413),
)
def commit(
    upload_id: _UploadId,
    body: CommitBody,
    workspace: ServedWorkspace,
    principal: Annotated[Principal, Depends(needs(Role.RUNNER))],
) -> Answer:
    """Make a finished run of an upload, or give it to the run that `run_id` names; the upload is gone then."""
    said = body.said()
    if body.run_id is None and principal.token_name is not None:
        said.setdefault("triggered_by", principal.token_name)
    with workspace.uploads.taken(upload_id) as upload:
        path = workspace.uploads.file_of(upload_id, upload.file_name)
        with without_folders(path, workspace.data):
            run = workspace.ingest(path, run=body.run_id, **ResultsQuery(**upload.how).arguments(), **said)
    return Answer(what_was_read(workspace.parts, run.run_id))


@router.delete("/uploads/{upload_id}", summary="Remove an upload", response_model=UploadAnswer, responses=problems(404))
def remove(upload_id: _UploadId, workspace: ServedWorkspace) -> Answer:
    """Remove an uploaded file without a run of it; answers what it was."""
    upload = workspace.uploads.get(upload_id)
    workspace.uploads.remove(upload_id)
    return Answer(_told(upload))
