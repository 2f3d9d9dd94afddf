"""The server itself: whether it answers, and whom it sees."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from ator_lib.model import Role
from ator_lib.server.access import Principal, needs
from ator_lib.server.answers import HealthAnswer, WhoAnswer
from ator_lib.server.api.base import router_of
from ator_lib.server.problems import Answer

health_router = APIRouter(tags=["server"])
router = router_of("server")


@health_router.get("/health", summary="Say that the server answers", response_model=HealthAnswer)
async def health(request: Request) -> Answer:
    """Tell the server's version and its time, in UTC."""
    return Answer({"status": "ok", "version": request.app.version, "time": datetime.now(UTC).isoformat()})


@router.get("/whoami", summary="Say who asks", response_model=WhoAnswer)
async def whoami(principal: Annotated[Principal, Depends(needs(Role.VIEWER))]) -> Answer:
    """Tell the name and the role of the token that was shown."""
    return Answer({"name": principal.name, "role": principal.role})
