"""Result files that come over the network for a run that there is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool

from ator_lib.registry.wire import run_to_json, to_json
from ator_lib.results import index
from ator_lib.server.api.base import RunIdInPath, ServedWorkspace, problems, router_of
from ator_lib.server.file_answers import IngestAnswer, ResultsAnswer
from ator_lib.server.incoming import FILE_BODY, receive, upload_folder, without_folders
from ator_lib.server.problems import Answer
from ator_lib.server.queries import ResultsQuery
from ator_lib.sql.engine import read
from ator_lib.workspace.parts import Parts

router = router_of("results")


@router.post(
    "/runs/{run_id}/results",
    summary="Upload results",
    response_model=ResultsAnswer,
    responses=problems(404, 409, 413),
    openapi_extra=FILE_BODY,
)
async def upload(
    run_id: RunIdInPath,
    request: Request,
    workspace: ServedWorkspace,
    how: Annotated[ResultsQuery, Query()],
) -> Answer:
    """Read a result file into a run, all of it or nothing. The same content again changes nothing.

    Several files of one run are sent as a zip archive.
    """
    await run_in_threadpool(workspace.get, run_id)  # before gigabytes have come

    def ingest(path: Path) -> None:
        with without_folders(path, workspace.data):
            workspace.ingest(path, run=run_id, **how.arguments())

    async with upload_folder(workspace.data) as folder:
        path = folder / "file" / how.file_name
        await receive(request, path)
        await run_in_threadpool(ingest, path)
    return Answer(await run_in_threadpool(what_was_read, workspace.parts, run_id))


def what_was_read(parts: Parts, run_id: int) -> dict[str, Any]:
    """Give a ``ResultsAnswer``."""
    run = parts.registry.get(run_id)
    with read(parts.engine) as connection:
        details = index.details_of(connection, run_id)
    return {
        "run": run_to_json(run),
        "ingest": {name: to_json(getattr(details, name)) for name in IngestAnswer.model_fields},
    }
