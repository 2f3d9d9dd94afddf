"""The commands put together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ator_lib.cli import (
    baseline,
    compare,
    db,
    demo,
    export,
    gate,
    history,
    ingest,
    location,
    notebook,
    purge,
    queue,
    report,
    run,
    runs,
    serve,
    token,
    trend,
)
from ator_lib.cli.options import Store, command

app = typer.Typer(
    name="ator",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Admit, execute, analyse and compare load and API tests. Start with: ator demo",
)


def _version(wanted: bool) -> None:
    if wanted:
        from ator_lib import __version__

        typer.echo(f"ator {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    data: Annotated[Path | None, typer.Option("--data", help="Folder of the store.")] = None,
    database_url: Annotated[str | None, typer.Option("--database-url", help="postgresql://… registry.")] = None,
    server: Annotated[str | None, typer.Option("--server", help="http(s)://… of a server in their place.")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Take the store before the command, too."""
    ctx.obj = Store(data=data, database_url=database_url, server=server, debug=debug)


GROUPS: dict[str, tuple[Callable[..., int | None] | tuple[str, typer.Typer], ...]] = {
    "Execute and register": (
        demo.demo,
        runs.register,
        runs.complete,
        runs.cancel,
        runs.update,
        runs.delete,
        ("run", run.runners),
        ingest.ingest,
    ),
    "Look and search": (runs.status, queue.queue, history.history, runs.summary, ingest.formats),
    "Compare and report": (
        compare.compare,
        trend.trend,
        trend.annotate,
        gate.gate,
        ("report", report.reports),
        ("notebook", notebook.notebooks),
        export.export,
    ),
    "Set up and serve": (
        serve.serve,
        queue.reap,
        purge.purge,
        ("location", location.locations),
        ("baseline", baseline.baselines),
        ("annotation", trend.annotations_app),
        ("token", token.token),
        ("db", db.database),
    ),
}
"""The commands as ``ator --help`` shows them: functions of the same name, and groups of commands."""

for panel, members in GROUPS.items():
    for member in members:
        if isinstance(member, tuple):
            app.add_typer(member[1], name=member[0], rich_help_panel=panel)
        else:
            app.command(rich_help_panel=panel)(command(member))
