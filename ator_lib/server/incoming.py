"""Files that stream in: onto the disk of the results, a piece at a time, and away again whatever happens."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from ator_lib.errors import ResultsError
from ator_lib.readers.base import named
from ator_lib.workspace.uploads import is_kept, new_folder

FILE_BODY = {
    "requestBody": {
        "required": True,
        "description": "The file as the tool wrote it.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
"""What a door that takes a file says of its body."""


@asynccontextmanager
async def upload_folder(data: Path) -> AsyncIterator[Path]:
    """Give a folder on the disk of the results that goes, unless the upload in it is to be kept."""
    folder = await run_in_threadpool(new_folder, data)
    try:
        yield folder
    finally:
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(_remove_unless_kept, folder)


def _remove_unless_kept(folder: Path) -> None:
    if not is_kept(folder):
        shutil.rmtree(folder, ignore_errors=True)


async def receive(request: Request, path: Path) -> None:
    """Write a request's body to a file, in a folder of its own."""
    await anyio.Path(path.parent).mkdir(exist_ok=True)
    async with await anyio.open_file(path, "wb") as file:
        async for chunk in request.stream():
            await file.write(chunk)


@contextmanager
def without_folders(path: Path, data: Path) -> Iterator[None]:
    """Call the file by its own name in errors: the client knows nothing of our folders."""
    try:
        yield
    except ResultsError as error:
        words = str(error).replace(named(path), path.name)
        raise ResultsError(words.replace(named(data), "the server's folder")) from error
