"""What runs now and what ran, as HTML tables."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import HTMLResponse

from ator_lib.errors import UsageError
from ator_lib.model import HistoryPage
from ator_lib.server.api.base import WorkspaceParts, page_router_of
from ator_lib.server.queries import HistoryQuery
from ator_lib.server.tables import history_table, status_table

router = page_router_of("tables")


@router.get("/status-html", summary="Show running runs")
def status(parts: WorkspaceParts) -> HTMLResponse:
    """Show what is running now as an HTML table."""
    return HTMLResponse(status_table(parts.registry.running()))


@router.get("/history-html", summary="Show runs")
@router.get("/history-html-filter", summary="Show the runs of a stream", name="history_filter")
def history(parts: WorkspaceParts, request: Request, query: Annotated[HistoryQuery, Query()]) -> HTMLResponse:
    """Show runs as an HTML table with a form to filter them; the filters are those of `/history`.

    `stream` ignores case, and `%` stands for any text. A field that was left empty filters nothing.
    """
    said = [(name, value) for name, value in request.query_params.multi_items() if value]
    try:
        where = {name: value for name, value in query.where().items() if value not in ("", [""])}
        page = parts.registry.history(where, limit=query.limit, order=query.order, cursor=query.cursor or None)
    except UsageError as error:
        empty = history_table(HistoryPage(runs=()), path=request.url.path, filters=said, problem=str(error))
        return HTMLResponse(empty, status_code=422)
    return HTMLResponse(history_table(page, path=request.url.path, filters=said))
