"""What a workspace is made of, handed to everything that it hands out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Engine

from ator_lib.registry.baselines import Baselines
from ator_lib.registry.locations import Locations
from ator_lib.registry.registry import Registry
from ator_lib.registry.tokens import Tokens
from ator_lib.results.parquet import ParquetStore


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The rooms and settings that a workspace is made of."""

    engine: Engine
    registry: Registry
    locations: Locations
    baselines: Baselines
    tokens: Tokens
    store: ParquetStore
    data: Path
    database_url: SecretStr | None = field(repr=False)
    lease_s: float
    max_error_rate: float
    host: str

    def run_folder(self, run_id: int) -> Path:
        """Where the tool of that run works and leaves its files."""
        return self.data / "runs" / str(run_id)
