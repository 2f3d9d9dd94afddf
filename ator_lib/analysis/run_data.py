"""What a comparison is given about one run: small tables and the facts that the checks need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib import schema
from ator_lib.model import LoadProfile, RunStatus


class Endpoint(NamedTuple):
    """A name and method; or the whole run, or what is common to all endpoints (both with neither)."""

    name: str | None
    method: str | None
    scope: str = "name"

    @classmethod
    def named(cls, name: str | None, method: str | None) -> Endpoint:
        """Return the endpoint of a row whose name is null for the whole run."""
        return TOTAL if name is None else cls(name, method)

    @property
    def label(self) -> str:
        """How people write it: ``GET /search``, ``total``, or ``all endpoints``."""
        if self.scope == "common":
            return "all endpoints"
        return "total" if self.name is None else f"{self.method} {self.name}" if self.method else self.name


TOTAL = Endpoint(None, None, "total")
COMMON = Endpoint(None, None, "common")
"""The shift that all endpoints share: a layer below them, or the environment."""


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Another run that was at the same location at the same time; ``seconds`` is for how long."""

    run_id: int
    test: str | None
    factor: Decimal | None
    seconds: float


@dataclass(frozen=True, kw_only=True, eq=False)
class RunData:
    """One run as a comparison sees it; the tables are only read.

    Attributes
    ----------
    summaries
        ``schema.SUMMARIES`` of this run: the exact point estimates.
    distributions
        ``schema.DISTRIBUTIONS`` per time block, per name and method, and for the total (name null).
    timeline
        ``schema.TIMELINE`` with the same blocks; only ``interval_start``, ``name``, ``method``, ``requests``
        and ``failures`` are read.
    errors
        ``schema.ERRORS``: failed requests by kind.
    warm_up_s
        How much of the run's beginning is left out of all three tables.
    settled_after_s
        When the run had settled, by its own data: infinity if it never did, null where that cannot be told.
    users_reached
        The most users that were counted; null where nobody did.
    standstill_s
        Longest stretch of its timeline in which no figure moved; null where that cannot be told.
    overlaps
        Other runs at its location while it ran; null where the registry does not know (no location, no times).
    """

    run_id: int
    label: str
    tool: str | None
    test: str | None
    location: str | None
    load_profile: LoadProfile | None
    status: RunStatus
    summaries: pa.Table
    distributions: pa.Table
    timeline: pa.Table
    stream: str | None = None
    environment: str | None = None
    factor: Decimal | None = None
    started_at: datetime | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    errors: pa.Table = field(default_factory=schema.ERRORS.empty_table)
    warm_up_s: float = 0.0
    settled_after_s: float | None = None
    users_reached: float | None = None
    standstill_s: float | None = None
    overlaps: tuple[Overlap, ...] | None = None

    @property
    def is_summary(self) -> bool:
        """Whether there is only what the tool summed up: nothing by time shows how much the run varies inside."""
        return self.summaries.num_rows > 0 and not pc.any(self.distributions["block_start"].is_valid()).as_py()

    def summary_rows(self) -> dict[Endpoint, Mapping[str, Any]]:
        """Each endpoint's row of the summaries, the whole run's under ``TOTAL``."""
        rows = self.summaries.to_pylist()
        return {Endpoint.named(row["name"], row["method"]): row for row in rows}
