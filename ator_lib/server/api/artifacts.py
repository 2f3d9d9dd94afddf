"""What the tool of an executed run left behind, to be downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from os import fstat
from pathlib import Path as FilePath
from typing import Annotated, BinaryIO
from urllib.parse import quote

from fastapi import Path
from starlette.responses import Response, StreamingResponse

from ator_lib.errors import NotFoundError
from ator_lib.readers.base import named
from ator_lib.runners.base import ARTIFACT_FOLDER, LOG_FILE
from ator_lib.server.api.base import (
    RunIdInPath,
    ServedWorkspace,
    file_router_of,
    problems,
    problems_beside_file,
    router_of,
)
from ator_lib.server.file_answers import ArtifactsAnswer
from ator_lib.server.problems import Answer
from ator_lib.workspace.run import RunHandle

router = router_of("artifacts")


class _Download(Response):
    media_type = "application/octet-stream"


downloads = file_router_of("artifacts", _Download)

_PIECE = 2**16


@router.get(
    "/runs/{run_id}/artifacts", summary="List artifacts", response_model=ArtifactsAnswer, responses=problems(404)
)
def artifacts(run_id: RunIdInPath, workspace: ServedWorkspace) -> Answer:
    """List the files that a run's tool left behind, its log first; none if the run was not executed here."""
    listed = []
    for name, path in _files(workspace.get(run_id)).items():
        with suppress(OSError):  # its tool may still be at work, and have removed it
            listed.append({"name": name, "bytes": path.stat().st_size})
    return Answer({"artifacts": listed})


@downloads.get(
    "/runs/{run_id}/artifacts/{name:path}", summary="Download an artifact", responses=problems_beside_file(404)
)
def artifact(
    run_id: RunIdInPath,
    name: Annotated[str, Path(description="As the list of artifacts has it.", examples=["tool.log"])],
    workspace: ServedWorkspace,
) -> Response:
    """Give a file that a run's tool left behind, as it is now."""
    files = _files(workspace.get(run_id))
    try:
        path = files[name]
        file = path.open("rb")
    except (KeyError, OSError):  # its tool may have removed it by now
        why = f"run {run_id} has no artifact of this name; GET /runs/{run_id}/artifacts lists them"
        raise NotFoundError(why) from None
    size = fstat(file.fileno()).st_size
    headers = {
        "Content-Length": str(size),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(path.name, errors='replace')}",
    }
    return StreamingResponse(_pieces(file, size), media_type=_Download.media_type, headers=headers)


def _files(run: RunHandle) -> dict[str, FilePath]:
    """Give the files by their names; links that lead out of the run's folder are left out."""
    left = run.artifacts
    if left is None:
        return {}
    below = left.folder / ARTIFACT_FOLDER
    files = {named(path.relative_to(below)): path for path in left.files}
    log = {LOG_FILE: left.log} if left.log else {}
    inside = left.folder.resolve()
    return {name: path for name, path in (log | files | log).items() if path.resolve().is_relative_to(inside)}


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Give as much as was announced: the log of a run that still runs grows meanwhile."""
    with file:
        while size > 0 and (piece := file.read(min(size, _PIECE))):
            size -= len(piece)
            yield piece
