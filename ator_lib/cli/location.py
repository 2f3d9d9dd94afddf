"""``ator location``: the places that tests share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ator_lib.cli.options import JsonOption, Store, command, say
from ator_lib.cli.output import print_json, print_table, rows_of
from ator_lib.model import LocationStatus

if TYPE_CHECKING:
    from ator_lib.model import LocationUse

COLUMNS = ("name", "status", "capacity", "taken", "free", "running", "queued", "description")

locations = typer.Typer(no_args_is_help=True, help="Places that tests share: capacity, and who may start.")

Name = Annotated[str, typer.Argument(help="Its name, such as lab-1.")]


@dataclass(frozen=True, kw_only=True)
class Properties:
    """What can be said of a location; what is not given stays as it is, or is the usual."""

    capacity: Annotated[
        str | None, typer.Option(help="The factors that run there stay below it in sum; 1 at first.")
    ] = None
    status: Annotated[
        LocationStatus | None,
        typer.Option(help="online; draining: who waits may still start, nobody new comes in; offline: nobody starts."),
    ] = None
    description: Annotated[str | None, typer.Option(help="What it is, for people.")] = None

    def given(self) -> dict[str, Any]:
        """Keyword arguments of ``LocationTable.add`` and ``change``."""
        return {name: value for name, value in vars(self).items() if value is not None}


@locations.command("list")
@command
def list_locations(store: Store, json: JsonOption = False) -> None:
    """Show the locations, and what is taken of each."""
    rows = rows_of(store.open().locations.list())
    empty = "no locations yet: the first run makes its own, or `ator location add NAME` does"
    print_json(rows) if json else print_table(rows, COLUMNS, empty=empty)


@locations.command("add")
@command
def add(store: Store, properties: Properties, name: Name, json: JsonOption = False) -> None:
    """Add a location."""
    _answer(store.open().locations.add(name, **properties.given()), json=json)


@locations.command("change")
@command
def change(store: Store, properties: Properties, name: Name, json: JsonOption = False) -> None:
    """Change a location; what runs there goes on in any case."""
    _answer(store.open().locations.change(name, **properties.given()), json=json)


def _answer(use: LocationUse, *, json: bool) -> None:
    if json:
        from ator_lib.workspace.frames import locations_frame

        print_json(rows_of(locations_frame([use]))[0])
    else:
        say(f"location {use.name!r} is {use.status}, with {use.taken} of {use.capacity} taken")
