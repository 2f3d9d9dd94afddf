"""``ator notebook``: execute bundled and own notebooks."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from ator_lib.cli.options import Store, command, pairs, say

notebooks = typer.Typer(no_args_is_help=True, help="Bundled and own notebooks, executed on this store.")


@notebooks.command("list")
def list_notebooks() -> None:
    """Show the bundled notebooks."""
    from ator_lib.reports.notebook import bundled_notebooks

    for name in bundled_notebooks():
        typer.echo(name)


@notebooks.command("run")
@command
def run_notebook(
    store: Store,
    notebook: Annotated[str, typer.Argument(help="Name of a bundled notebook, or a path.")],
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="key=value, read as YAML would; repeatable.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The executed notebook.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write it as one HTML file, too.")] = None,
) -> None:
    """Execute a notebook with parameters. A failing cell keeps the partial notebook."""
    parameters = {key: _value(text) for key, text in pairs(parameter, "--parameter").items()}
    typer.echo(store.open_here().notebook(notebook, output, parameters=parameters, report=report))
    if report is not None:
        say(f"report: {report}")


def _value(text: str) -> Any:
    """Numbers, true, false, null, quoted text, lists and objects as JSON; anything else is text."""
    try:
        return json_module.loads(text)
    except ValueError:
        return text
