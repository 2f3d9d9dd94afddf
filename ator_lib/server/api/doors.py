"""All doors of the REST API."""

from fastapi import APIRouter

from ator_lib.server.api import (
    annotations,
    artifacts,
    baselines,
    history,
    locations,
    pages,
    progress,
    queue,
    reports,
    results,
    runs,
    server,
    uploads,
)

router = APIRouter()
for _part in (
    runs.router,
    progress.router,
    queue.router,
    history.router,
    results.router,
    uploads.router,
    artifacts.router,
    artifacts.downloads,
    reports.router,
    locations.router,
    baselines.router,
    annotations.router,
    pages.router,
    server.health_router,
    server.router,
):
    router.include_router(_part)
