"""``ator purge``: samples that expire."""

from __future__ import annotations

from typing import Annotated

import typer

from ator_lib.cli.options import JsonOption, Store, say
from ator_lib.cli.output import print_json, print_table, rows_of
from ator_lib.written import size

_COLUMNS = ("run_id", "test", "stream", "ended_at", "samples", "bytes")


def purge(
    store: Store,
    samples_older_than: Annotated[str, typer.Option(help="Of runs that ended so long ago, such as 30d or 12h.")],
    keep_baselines: Annotated[
        bool,
        typer.Option("--keep-baselines/--no-keep-baselines", help="Leave runs alone that are pinned as baselines."),
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    json: JsonOption = False,
) -> None:
    """Remove the samples of old runs; summaries, timeline, errors, distributions, metrics and cases stay."""
    frame = store.open_here().purge(samples_older_than, keep_baselines=keep_baselines, dry_run=dry_run)
    rows = rows_of(frame)
    if json:
        print_json(rows)
        return
    print_table(rows, _COLUMNS, empty=f"no run that ended more than {samples_older_than} ago has samples")
    if rows:
        went = "would go" if dry_run else "went"
        say(f"the samples of {len(rows)} run{'s' * (len(rows) > 1)} {went}: {size(frame['bytes'].sum())}")
