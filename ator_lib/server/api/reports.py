"""Reports to keep and to mail, made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, TypeAlias

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, Response

from ator_lib.server.api.base import RunIdInPath, ServedWorkspace, file_router_of, problems_beside_file
from ator_lib.server.bodies import Name
from ator_lib.server.problems import problem
from ator_lib.server.turns import Turns

router = file_router_of("reports", HTMLResponse)

_RETRY_AFTER_S = 10

_Baseline: TypeAlias = Annotated[
    list[Name] | None,
    Query(max_length=100, description="Runs, names that they are pinned under, `last-success` or `previous:5`."),
]


@router.get("/runs/{run_id}/report", summary="Make a run's report", responses=problems_beside_file(404, 409))
async def report(
    run_id: RunIdInPath, request: Request, workspace: ServedWorkspace, baseline: _Baseline = None
) -> Response:
    """Make the report of an ended run, compared with `baseline` if one is given: one HTML file, to be kept.

    It takes some seconds, and one is made at a time.
    """

    def make(path: Path) -> None:
        run = workspace.get(run_id)
        run.ingest_report()  # without results there is nothing to report
        workspace.report(run, path, baseline=_side(baseline) if baseline else None)

    return await _made(request, f"run-{run_id}.html", make)


@router.get("/compare/report", summary="Make a comparison's report", responses=problems_beside_file(404, 409))
async def compared(
    request: Request,
    workspace: ServedWorkspace,
    contender: Annotated[list[Name], Query(min_length=1, max_length=100, description="Runs, or their pinned names.")],
    baseline: _Baseline = None,
) -> Response:
    """Make the report of a comparison, by default with the run before: one HTML file, to be kept."""

    def make(path: Path) -> None:
        workspace.report(workspace.compare(_side(contender), _side(baseline or ["previous"])), path)

    return await _made(request, "comparison.html", make)


async def _made(request: Request, file_name: str, make: Callable[[Path], None]) -> Response:
    """Answer what ``make`` writes into a file, once it is this request's turn."""
    turns: Turns = request.app.state.turns
    if turns.are_taken:
        words = "too many wait for a report now: ask again in a while"
        answer = problem(503, "busy", words, in_doubt=False)
        answer.headers["Retry-After"] = str(_RETRY_AFTER_S)
        return answer
    async with turns.wait():
        if await request.is_disconnected():
            raise ClientDisconnect
        content = await run_in_threadpool(_content, make)
    return HTMLResponse(content, headers={"Content-Disposition": f'attachment; filename="{file_name}"'})


def _content(make: Callable[[Path], None]) -> bytes:
    with TemporaryDirectory(prefix="ator-report-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "report.html"
        make(path)
        return path.read_bytes()


def _side(texts: list[str]) -> Any:
    """Read a side of a comparison: runs and names, or a search, which stands alone."""
    runs = [int(text) if text.isdecimal() else text for text in texts]
    return runs[0] if len(runs) == 1 else runs
