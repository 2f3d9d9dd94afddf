"""What runs now and what ran, as JSON."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import Path, Query

from ator_lib.registry.wire import page_to_json, run_to_json
from ator_lib.server.answers import CountAnswer, HistoryAnswer, StatusAnswer, ValuesAnswer
from ator_lib.server.api.base import WorkspaceParts, router_of
from ator_lib.server.problems import Answer
from ator_lib.server.queries import FilterQuery, HistoryQuery

FieldInPath: TypeAlias = Annotated[str, Path(description="A text field of runs, such as `test`.", examples=["test"])]

router = router_of("history")


@router.get("/status", summary="List running runs", response_model=StatusAnswer)
def status(parts: WorkspaceParts) -> Answer:
    """List what is running now, oldest first, with what the heartbeats last said."""
    return Answer({"running": [run_to_json(run) for run in parts.registry.running()]})


@router.get("/history", summary="Search runs", response_model=HistoryAnswer)
def history(parts: WorkspaceParts, query: Annotated[HistoryQuery, Query()]) -> Answer:
    """Search runs of any status, newest first unless told otherwise. All filters given must hold."""
    return Answer(page_to_json(parts.registry.history(query.where(), **query.page())))


@router.get("/history/count", summary="Count runs", response_model=CountAnswer)
def count(parts: WorkspaceParts, query: Annotated[FilterQuery, Query()]) -> Answer:
    """Say how many runs match; the filters are those of `/history`."""
    return Answer({"count": parts.registry.count(query.where())})


@router.get("/history/values/{field}", summary="List the values of a field", response_model=ValuesAnswer)
def values(parts: WorkspaceParts, field: FieldInPath, query: Annotated[FilterQuery, Query()]) -> Answer:
    """List the different values of a text field of the runs that match, in order, at most 1,000."""
    return Answer({"values": parts.registry.values(field, query.where())})
