"""What runs now and what ran, as HTML tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response

from ator_lib.errors import UsageError
from ator_lib.model import HistoryPage
from ator_lib.server.api.base import WorkspaceParts, page_router_of
from ator_lib.server.problems import Door, why_invalid
from ator_lib.server.queries import HistoryQuery
from ator_lib.server.tables import history_table, status_table


class _FormDoor(Door):
    """A door with a form: what is off in its filters is said in the page."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Wrap the handler of any door."""
        answer = super().get_route_handler()

        async def answer_in_the_page(request: Request) -> Response:
            try:
                response: Response = await answer(request)
                return response
            except (UsageError, RequestValidationError) as error:
                why = why_invalid(error) if isinstance(error, RequestValidationError) else str(error)
            page = history_table(HistoryPage(runs=()), path=request.url.path, filters=_said(request), problem=why)
            return HTMLResponse(page, status_code=422)

        return answer_in_the_page


router = page_router_of("tables", door=_FormDoor)


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
    where = {name: value for name, value in query.where().items() if value not in ("", [""])}
    page = parts.registry.history(where, **query.page() | {"cursor": query.cursor or None, "figures": False})
    return HTMLResponse(history_table(page, path=request.url.path, filters=_said(request)))


def _said(request: Request) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.query_params.multi_items() if value]
