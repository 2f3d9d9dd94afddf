"""Result files that come over the network."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any

import anyio
from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool

from ator_lib.errors import ResultsError
from ator_lib.readers.base import named
from ator_lib.registry.wire import run_to_json, to_json
from ator_lib.results import index
from ator_lib.server.answers import IngestAnswer, ResultsAnswer
from ator_lib.server.api.base import RunIdInPath, WorkspaceParts, problems, router_of
from ator_lib.server.problems import Answer
from ator_lib.server.queries import ResultsQuery
from ator_lib.sql.engine import read
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.uploads import left_behind, uploads_in

router = router_of("results")

_FILE_BODY = {
    "requestBody": {
        "required": True,
        "description": "The file as the tool wrote it.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "/runs/{run_id}/results",
    summary="Upload results",
    response_model=ResultsAnswer,
    responses=problems(404, 409, 413),
    openapi_extra=_FILE_BODY,
)
async def upload(
    run_id: RunIdInPath,
    request: Request,
    parts: WorkspaceParts,
    how: Annotated[ResultsQuery, Query()],
) -> Answer:
    """Read a result file into a run, all of it or nothing. The same content again changes nothing.

    Several files of one run are sent as a zip archive.
    """
    await run_in_threadpool(parts.registry.get, run_id)  # before gigabytes have come
    async with _upload_folder(parts) as folder:
        path = folder / how.file_name
        async with await anyio.open_file(path, "wb") as file:
            async for chunk in request.stream():
                await file.write(chunk)
        try:
            await run_in_threadpool(request.app.state.workspace.ingest, path, run=run_id, **how.arguments())
        except ResultsError as error:  # the client knows nothing of our folders
            words = str(error).replace(named(path), how.file_name)
            raise ResultsError(words.replace(named(parts.data), "the server's folder")) from error
    return Answer(await run_in_threadpool(_what_was_read, parts, run_id))


@asynccontextmanager
async def _upload_folder(parts: Parts) -> AsyncIterator[Path]:
    """Give a folder on the disk of the results that goes whatever happens."""
    folder = await run_in_threadpool(_make_folder, parts.data)
    try:
        yield folder
    finally:
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)


def _make_folder(data: Path) -> Path:
    uploads_in(data).mkdir(exist_ok=True)
    for folder in left_behind(data):
        shutil.rmtree(folder, ignore_errors=True)
    return Path(mkdtemp(dir=uploads_in(data)))


def _what_was_read(parts: Parts, run_id: int) -> dict[str, Any]:
    run = parts.registry.get(run_id)
    with read(parts.engine) as connection:
        details = index.details_of(connection, run_id)
    return {
        "run": run_to_json(run),
        "ingest": {name: to_json(getattr(details, name)) for name in IngestAnswer.model_fields},
    }
