"""``ator report``: of a run, and the index of a folder of reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ator_lib.cli.compare import BaselineOption, baseline_of, run_of
from ator_lib.cli.options import Store, command, say

_MOST_SKIPPED = 20


class _RunFirst(TyperGroup):
    """``ator report 2`` is ``ator report run 2``: what is asked for most needs no word of its own."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take a first word that is no command for a run."""
        is_said = not args or args[0] in self.commands or args[0] in ctx.help_option_names
        rest: list[str] = super().parse_args(ctx, args if is_said else ["run", *args])
        return rest


reports = typer.Typer(
    cls=_RunFirst,
    no_args_is_help=True,
    help="Write the report of a run (ator report RUN), or an index of a folder of reports.",
)


@reports.command("run")
@command
def run_report(
    store: Store,
    run: Annotated[str, typer.Argument(help="The run, by id or pinned name.", metavar="RUN")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file: .html (a page), .json, .xml (JUnit) or .md.")
    ] = Path("report.html"),
    baseline: BaselineOption = None,
) -> None:
    """Write the report of a run; a page is one file that needs no network. --baseline says what it is compared with."""
    against = baseline_of(baseline) if baseline else None
    typer.echo(store.open_here().report(run_of(run), output, baseline=against))


@reports.command("index")
@command
def index(
    store: Store,  # a folder needs no store
    folder: Annotated[Path, typer.Argument(help="Folder of reports; those below it count, too.", metavar="FOLDER")],
) -> None:
    """Write index.html into a folder: a page that lists its reports, the newest first, and can be filtered."""
    from ator_lib.reports.index import write_index

    found = write_index(folder)
    typer.echo(found.page)
    for path, why in found.skipped[:_MOST_SKIPPED]:
        say(f"skipped {path}: {why}")
    more = len(found.skipped) - _MOST_SKIPPED
    told = f"; {more:,} more files were skipped" if more > 0 else ""
    say(f"{found.reports:,} report{'' if found.reports == 1 else 's'}{told}")
