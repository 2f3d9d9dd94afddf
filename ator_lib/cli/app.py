"""The commands put together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ator_lib.cli import analysis, db, demo, run, runs, serve, token
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
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Take the store before the command, too."""
    ctx.obj = Store(data=data, database_url=database_url, debug=debug)


for function in (
    demo.demo,
    runs.register,
    runs.complete,
    runs.cancel,
    runs.status,
    runs.history,
    runs.summary,
    analysis.compare,
    analysis.report,
    serve.serve,
):
    app.command()(command(function))
app.add_typer(run.runners, name="run")
app.add_typer(analysis.notebooks, name="notebook")
app.add_typer(db.database, name="db")
app.add_typer(token.token, name="token")
