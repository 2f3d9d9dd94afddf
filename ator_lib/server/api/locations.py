"""Locations: what they take, and what is taken of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path

from ator_lib.model import Role
from ator_lib.registry.wire import location_to_json
from ator_lib.server.access import needs
from ator_lib.server.answers import LocationAnswer, LocationsAnswer
from ator_lib.server.api.base import WorkspaceParts, problems, router_of
from ator_lib.server.bodies import AddLocationBody, ChangeLocationBody
from ator_lib.server.problems import Answer

router = router_of("locations")

_ADMIN = [Depends(needs(Role.ADMIN))]


@router.get("/locations", summary="List locations", response_model=LocationsAnswer)
def locations(parts: WorkspaceParts) -> Answer:
    """List all locations by name, with who runs and who waits there."""
    return Answer({"locations": [location_to_json(location) for location in parts.locations.list()]})


@router.post(
    "/locations",
    summary="Add a location",
    response_model=LocationAnswer,
    responses=problems(409, 413),
    dependencies=_ADMIN,
)
def add(body: AddLocationBody, parts: WorkspaceParts) -> Answer:
    """Add a location. Needs the role admin."""
    return Answer(location_to_json(parts.locations.add(**body.model_dump())))


@router.patch(
    "/locations/{name:path}",
    summary="Change a location",
    response_model=LocationAnswer,
    responses=problems(404, 413),
    dependencies=_ADMIN,
)
def change(
    name: Annotated[str, Path(examples=["azure-k8s"])], body: ChangeLocationBody, parts: WorkspaceParts
) -> Answer:
    """Change what is given; running runs go on, whatever the new capacity or status. Needs the role admin."""
    return Answer(location_to_json(parts.locations.change(name, **body.model_dump())))
