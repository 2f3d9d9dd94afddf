"""What a workspace is made of, handed to everything that it hands out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine

from ator_lib.execution.mirror import Mirror
from ator_lib.model import SUPERVISOR, Run
from ator_lib.registry.baselines import Baselines
from ator_lib.registry.locations import Locations
from ator_lib.registry.registry import Registry
from ator_lib.registry.tokens import Tokens
from ator_lib.results.base import PARQUET
from ator_lib.results.influx import Influx
from ator_lib.results.store import Store
from ator_lib.runners.process import lock_path


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The rooms and settings that a workspace is made of."""

    engine: Engine
    registry: Registry
    locations: Locations
    baselines: Baselines
    tokens: Tokens
    store: Store
    data: Path
    database_url: SecretStr | None = field(repr=False)
    lease_s: float
    max_error_rate: float
    max_rejected_rate: float
    results: str = PARQUET
    influx: Influx | None = None
    is_mirrored: bool = False
    chromium: str | None = None
    host: str

    def mirror(self, target: Influx) -> Mirror:
        """Give what sends runs to that InfluxDB."""
        return Mirror(target, registry=self.registry, engine=self.engine, store=self.store)

    def ended(self, run: Run) -> Run:
        """Do what the settings say is done with a run that has ended with results; returns it as it is then."""
        if self.influx is None or not self.is_mirrored:
            return run
        return self.mirror(self.influx).send_ended(run)

    def run_folder(self, run_id: int) -> Path:
        """Where the tool of that run works and leaves its files."""
        return self.data / "runs" / str(run_id)

    def supervisor(self, run_id: int) -> dict[str, str]:
        """Say what the registry keeps of a run that is executed here: the host, and the file locked while it loads."""
        return {"host": self.host, "lock": str(lock_path(self.run_folder(run_id)))}

    def has_executed(self, run_id: int, attributes: Mapping[str, Any]) -> bool:
        """Whether the folder of that number is this run's: several registries may share a data folder."""
        return bool(attributes.get(SUPERVISOR) == self.supervisor(run_id))
