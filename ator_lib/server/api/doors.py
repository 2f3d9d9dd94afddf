"""All doors of the REST API."""

from __future__ import annotations

from fastapi import APIRouter

from ator_lib.server.api import baselines, history, locations, pages, queue, results, runs, server

router = APIRouter()
for _part in (
    runs.router,
    queue.router,
    history.router,
    results.router,
    locations.router,
    baselines.router,
    pages.router,
    server.health_router,
    server.router,
):
    router.include_router(_part)
