"""What a comparison is given about one run: small tables and the facts that the checks need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from ator_lib.model import LoadProfile, RunStatus


class Endpoint(NamedTuple):
    """A name and method, or the whole run (both ``None``)."""

    name: str | None
    method: str | None

    @property
    def scope(self) -> str:
        """``total`` or ``name``, as in ``schema.SUMMARIES``."""
        return "total" if self.name is None else "name"

    @property
    def label(self) -> str:
        """How people write it: ``GET /search``, or ``total``."""
        return "total" if self.name is None else f"{self.method} {self.name}" if self.method else self.name


TOTAL = Endpoint(None, None)


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

    def summary_rows(self) -> dict[Endpoint, Mapping[str, Any]]:
        """Each endpoint's row of the summaries, the whole run's under ``TOTAL``."""
        rows = self.summaries.to_pylist()
        return {TOTAL if row["scope"] == "total" else Endpoint(row["name"], row["method"]): row for row in rows}
