"""Comparisons, notebooks and reports."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from ator_lib.cli.options import JsonOption, Store, command, pairs, say
from ator_lib.cli.output import print_json, print_table
from ator_lib.cli.runs import RunId
from ator_lib.errors import ExitCode

VERDICT_EXIT = {"regressed": ExitCode.FAILED, "not comparable": ExitCode.NO_VERDICT}

COLUMNS = ("method", "name", "metric", "baseline", "contender", "change", "low", "high", "verdict")


def compare(
    store: Store,
    contender: RunId,
    baseline: Annotated[
        list[str], typer.Option(help="Run to compare with, by id or pinned name; repeatable.", metavar="RUN")
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Not enough evidence is exit code 4, too.")] = False,
    json: JsonOption = False,
) -> int:
    """Say whether a run got worse than another one, and where."""
    comparison = store.open_here().compare(contender, [_run(text) for text in baseline])
    answer = comparison.to_dict()
    if json:
        print_json(answer)
    else:
        print_table(answer["rows"], COLUMNS, empty="no endpoints")
        for check in answer["checks"]:
            if check["ok"] is False:
                typer.echo(f"check {check['name']}: {check['message']}")
        for note in answer["notes"]:
            typer.echo(f"note: {note}")
        typer.echo(comparison.headline)
    if strict and comparison.verdict == "not enough evidence":
        return ExitCode.NO_VERDICT
    return VERDICT_EXIT.get(comparison.verdict, ExitCode.OK)


def report(
    store: Store,
    run_id: RunId,
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file.")] = Path("report.html"),
    baseline: Annotated[
        str | None, typer.Option(help="Run to compare with, by id or pinned name.", metavar="RUN")
    ] = None,
) -> None:
    """Write the report of a run as one HTML file that needs no network."""
    typer.echo(store.open_here().report(run_id, output, baseline=None if baseline is None else _run(baseline)))


def _run(text: str) -> int | str:
    """Tell a run's id from a baseline's name, which is never a number."""
    return int(text) if text.isdecimal() else text


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
