"""What both kinds of ``simulation.log`` have in common."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate

import pyarrow as pa

from ator_lib import schema
from ator_lib.readers import tables
from ator_lib.readers.base import Findings, Source

UNNAMED = "unnamed"
"""Name of requests whose simulation gives them none."""

BETWEEN_GROUPS = " / "


def users(changes: Mapping[int, int], source: Source) -> pa.Table:
    """Make ``schema.METRICS`` of an injector's users, a row for each second in which their number changed.

    Parameters
    ----------
    changes
        Second since 1970 → users that started in it, less those that ended in the second before: as in Gatling's
        charts, who ran in any part of a second counts in it.
    """
    seconds = sorted(second for second, change in changes.items() if change)
    running = accumulate(changes[second] for second in seconds)
    rows = [
        {"timestamp": second * 1_000_000, "metric": "users", "value": max(number, 0), "source": source.name}
        for second, number in zip(seconds, running, strict=True)
    ]
    return tables.table(schema.METRICS, rows)


def note_errors(findings: Findings, source: Source, number: int) -> None:
    """Say how many requests were never sent because the simulation failed to make them."""
    if number:
        findings.note(f"{source.name}: errors of the simulation itself (ERROR), which are no requests: {number}")


def note_unmatched(findings: Findings, source: Source, number: int) -> None:
    """Say how many messages came by WebSocket or SSE that no check waited for; Gatling logs them without an end."""
    if number:
        findings.note(f"{source.name}: messages of a server that no check waited for, which are no requests: {number}")
