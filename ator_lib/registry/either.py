"""What a workspace stands on: the database itself, or a server that has it. The methods are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:  # of the two only the one that is used is loaded
    from ator_lib.registry.baselines import Baselines
    from ator_lib.registry.locations import Locations
    from ator_lib.registry.registry import Registry
    from ator_lib.registry.remote import RemoteRegistry
    from ator_lib.registry.remote_tables import RemoteBaselines, RemoteLocations

AnyRegistry: TypeAlias = "Registry | RemoteRegistry"
AnyLocations: TypeAlias = "Locations | RemoteLocations"
AnyBaselines: TypeAlias = "Baselines | RemoteBaselines"
