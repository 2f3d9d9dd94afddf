"""Locations and baselines behind a server: the same methods, records and errors as where the database is."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import quote

from ator_lib.model import Baseline, LocationStatus, LocationUse
from ator_lib.registry import wire
from ator_lib.registry.admission import DEFAULT_CAPACITY
from ator_lib.registry.baselines import checked_baseline, missing
from ator_lib.registry.checks import checked_id, checked_name
from ator_lib.registry.client import Change, ServerClient
from ator_lib.registry.locations import checked_use
from ator_lib.registry.places import undeclared


class RemoteLocations:
    """See ``Locations``."""

    def __init__(self, server: ServerClient) -> None:
        self._server = server

    def list(self) -> list[LocationUse]:
        """See ``Locations.list``."""
        return wire.list_from_json(self._server.get("/locations"), "locations", wire.location_from_json)

    def get(self, name: str) -> LocationUse:
        """See ``Locations.get``."""
        found = next((use for use in self.list() if use.name == name), None)
        if found is None:
            raise undeclared(name)
        return found

    def add(
        self,
        name: str,
        *,
        capacity: str | float | Decimal = DEFAULT_CAPACITY,
        description: str | None = None,
        status: LocationStatus | str = LocationStatus.ONLINE,
    ) -> LocationUse:
        """See ``Locations.add``; needs the role admin."""
        use = checked_use(capacity=capacity, description=description, status=status)
        body = wire.to_json({"name": checked_name("a location", name), **use})
        once = Change(what=f"location {name!r}", done="added", hint="the list shows it", is_repeatable=False)
        return wire.location_from_json(self._server.change("POST", "/locations", once, body=body))

    def change(
        self,
        name: str,
        *,
        capacity: str | float | Decimal | None = None,
        description: str | None = None,
        status: LocationStatus | str | None = None,
    ) -> LocationUse:
        """See ``Locations.change``; needs the role admin."""
        body = wire.to_json(checked_use(capacity=capacity, description=description, status=status))
        changed = Change(what=f"location {name!r}", done="changed")
        path = _path("locations", checked_name("a location", name))
        return wire.location_from_json(self._server.change("PATCH", path, changed, body=body))


class RemoteBaselines:
    """See ``Baselines``."""

    def __init__(self, server: ServerClient) -> None:
        self._server = server

    def list(self) -> list[Baseline]:
        """See ``Baselines.list``."""
        return wire.list_from_json(self._server.get("/baselines"), "baselines", wire.baseline_from_json)

    def get(self, name: str) -> Baseline:
        """See ``Baselines.get``."""
        found = next((baseline for baseline in self.list() if baseline.name == name), None)
        if found is None:
            raise missing(name)
        return found

    def pin(self, name: str, run_id: int) -> Baseline:
        """See ``Baselines.pin``."""
        pinned = Change(what=f"baseline {name!r}", done="pinned")
        path, body = _path("baselines", checked_baseline(name)), {"run_id": checked_id(run_id)}
        return wire.baseline_from_json(self._server.change("PUT", path, pinned, body=body))

    def remove(self, name: str) -> Baseline:
        """See ``Baselines.remove``."""
        once = Change(what=f"baseline {name!r}", done="removed", hint="the list shows it", is_repeatable=False)
        path = _path("baselines", checked_name("a baseline", name))
        return wire.baseline_from_json(self._server.change("DELETE", path, once))


def _path(noun: str, name: str) -> str:
    return f"/{noun}/{quote(name, safe='')}"
