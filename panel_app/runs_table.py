"""The table of runs: its columns, what stands in its cells, and its pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from ator_lib import written
from panel_app.markup import moment
from panel_app.sorting import Column

ALWAYS = (
    Column(key="run_id", heading="Run", kind="fixed"),
    Column(key="status", heading="Status"),
)

CHOSEN = (
    Column(key="test", heading="Test"),
    Column(key="stream", heading="Stream"),
    Column(key="environment", heading="Environment"),
    Column(key="location", heading="Location"),
    Column(key="tool", heading="Tool"),
    Column(key="type", heading="Type"),
    Column(key="repo", heading="Repository"),
    Column(key="lac", heading="LAC"),
    Column(key="triggered_by", heading="Started by"),
    Column(key="tags", heading="Tags", is_sortable=False),
    Column(key="factor", heading="Factor", kind="n"),
    Column(key="start_time", heading="Started", kind="fixed"),
    Column(key="end_time", heading="Ended", kind="fixed"),
    Column(key="duration_s", heading="Duration", kind="n"),
    Column(key="requests", heading="Requests", kind="n"),
    Column(key="failures", heading="Failures", kind="n"),
    Column(key="throughput_rps", heading="Requests/s", kind="n"),
    Column(key="error_rate", heading="Errors", kind="n"),
    Column(key="p50_ms", heading="p50, ms", kind="n"),
    Column(key="p95_ms", heading="p95, ms", kind="n"),
    Column(key="p99_ms", heading="p99, ms", kind="n"),
    Column(key="dashboard_url", heading="Dashboard", is_sortable=False),
)
"""Those that may be left out."""

USUAL = ("test", "stream", "location", "start_time", "duration_s", "throughput_rps", "error_rate", "p95_ms")
"""Those that are shown until somebody chooses."""

# by the reason, too, which stands beside the status
ORDERS = [
    sign + key
    for key in (*(column.key for column in (*ALWAYS, *CHOSEN) if column.is_sortable), "status_reason")
    for sign in ("", "-")
]

WRITE: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        **dict.fromkeys(("start_time", "end_time"), moment),
        **dict.fromkeys(("requests", "failures"), written.count),
        **dict.fromkeys(("throughput_rps", "p50_ms", "p95_ms", "p99_ms"), written.digits),
        "error_rate": written.percent,
        "duration_s": written.duration,
        "factor": written.decimal,
        "tags": ", ".join,
    }
)
"""How cells are written that are no text."""


def columns_of(chosen: list[str]) -> list[Column]:
    """Give the columns to show, in their own order."""
    return [*ALWAYS, *(column for column in CHOSEN if column.key in chosen)]


def lasting(run: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Give the run as it is now: one that runs has lasted until then."""
    if run["status"] != "running" or run["start_time"] is None:
        return run
    return {**run, "duration_s": (now - run["start_time"]).total_seconds()}


def cells(run: Mapping[str, Any], columns: list[Column]) -> list[tuple[Column, str]]:
    """Write what stands in the columns."""
    return [(column, WRITE.get(column.key, written.text)(run[column.key]) or written.MISSING) for column in columns]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which runs of all that were found a page shows, and where the others are.

    Attributes
    ----------
    offset, size, total
        Runs before the page, at most on it, and altogether.
    """

    offset: int
    size: int
    total: int

    @property
    def words(self) -> str:
        """Say it.

        Examples
        --------
        >>> Place(offset=50, size=50, total=1234).words, Place(offset=0, size=50, total=0).words
        ('51–100 of 1,234', 'none')
        """
        if self.offset >= self.total:
            return f"none of {self.total:,}" if self.total else "none"
        return f"{self.offset + 1:,}–{min(self.offset + self.size, self.total):,} of {self.total:,}"

    @property
    def previous(self) -> int | None:
        """Where the page before begins; null on the first."""
        return max(0, min(self.offset - self.size, self.last)) if self.offset else None

    @property
    def next(self) -> int | None:
        """Where the page after begins; null on the last."""
        return self.offset + self.size if self.offset + self.size < self.total else None

    @property
    def last(self) -> int:
        """Where the last page begins.

        Examples
        --------
        >>> Place(offset=0, size=50, total=100).last, Place(offset=0, size=50, total=101).last
        (50, 100)
        """
        return max(0, self.total - 1) // self.size * self.size
