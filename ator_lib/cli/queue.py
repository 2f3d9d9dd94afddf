"""``ator queue`` and ``ator reap``: who waits, and whose place has become free without anybody's word."""

from __future__ import annotations

from typing import Annotated

import typer

from ator_lib.cli.options import JsonOption, Store
from ator_lib.cli.output import print_json, print_table, rows_of

QUEUE_COLUMNS = (
    *("run_id", "location", "position", "test", "factor", "priority"),
    *("queued_at", "waits_for", "estimated_start", "estimate_note"),
)
QUEUE_IF_WIDE = ("queued_at", "factor", "priority")
REAP_COLUMNS = ("run_id", "test", "stream", "location", "factor", "start_time", "end_time")


def queue(
    store: Store,
    location: Annotated[str | None, typer.Option(help="Only this location.")] = None,
    json: JsonOption = False,
) -> None:
    """Show who waits, behind whom, and when it should start."""
    rows = rows_of(store.open().queue(location))
    print_json(rows) if json else print_table(rows, QUEUE_COLUMNS, empty="nobody waits", if_wide=QUEUE_IF_WIDE)


def reap(store: Store, json: JsonOption = False) -> None:
    """Abandon the runs whose lease is over; registering and looking do it, too."""
    rows = rows_of(store.open_here().reap())
    print_json(rows) if json else print_table(rows, REAP_COLUMNS, empty="nothing to do: no lease is over")
