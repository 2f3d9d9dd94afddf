"""``ator baseline``: runs that others are compared with, pinned under names."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from ator_lib.cli.options import JsonOption, Store, command, say
from ator_lib.cli.output import print_json, print_table, rows_of
from ator_lib.cli.runs import RunId

if TYPE_CHECKING:
    from ator_lib.model import Baseline

baselines = typer.Typer(no_args_is_help=True, help="Runs that others are compared with, by name.")

Name = Annotated[str, typer.Argument(help="Its name, such as release-7.")]


@baselines.command("list")
@command
def list_baselines(store: Store, json: JsonOption = False) -> None:
    """Show the names, and the runs that they are pinned to."""
    rows = rows_of(store.open().baselines.list())
    empty = "no baselines yet: `ator baseline pin NAME RUN_ID` makes one"
    print_json(rows) if json else print_table(rows, ("name", "run_id", "pinned_at"), empty=empty)


@baselines.command("pin")
@command
def pin(store: Store, name: Name, run_id: RunId, json: JsonOption = False) -> None:
    """Give a run a name; the run that has it until now loses it."""
    pinned = store.open().baselines.pin(name, run_id)
    _answer(pinned, f"{pinned.name!r} is run {pinned.run_id} now", json=json)


@baselines.command("remove")
@command
def remove(store: Store, name: Name, json: JsonOption = False) -> None:
    """Take the name away; the run stays."""
    removed = store.open().baselines.remove(name)
    _answer(removed, f"{removed.name!r} is no baseline any more; run {removed.run_id} stays", json=json)


def _answer(baseline: Baseline, text: str, *, json: bool) -> None:
    print_json(dataclasses.asdict(baseline)) if json else say(text)
