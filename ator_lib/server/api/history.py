"""What runs now and what ran, as JSON."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from ator_lib.registry.wire import page_to_json, run_to_json
from ator_lib.server.answers import HistoryAnswer, StatusAnswer
from ator_lib.server.api.base import WorkspaceParts, router_of
from ator_lib.server.problems import Answer
from ator_lib.server.queries import HistoryQuery

router = router_of("history")


@router.get("/status", summary="List running runs", response_model=StatusAnswer)
def status(parts: WorkspaceParts) -> Answer:
    """List what is running now, oldest first, with what the heartbeats last said."""
    return Answer({"running": [run_to_json(run) for run in parts.registry.running()]})


@router.get("/history", summary="Search runs", response_model=HistoryAnswer)
def history(parts: WorkspaceParts, query: Annotated[HistoryQuery, Query()]) -> Answer:
    """Search runs of any status, newest first unless told otherwise. All filters given must hold."""
    page = parts.registry.history(query.where(), limit=query.limit, order=query.order, cursor=query.cursor)
    return Answer(page_to_json(page))
