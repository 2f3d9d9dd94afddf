"""``ator db``: the database itself."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ator_lib.cli.options import JsonOption, Store, command, confirm, harmless, say
from ator_lib.cli.output import print_json

if TYPE_CHECKING:
    from ator_lib.sql.overview import TableOverview

database = typer.Typer(no_args_is_help=True, help="The registry's database.")

_LONGEST_VALUE = 60


@database.command("upgrade")
@command
def upgrade(store: Store, json: JsonOption = False) -> None:
    """Make the database, or bring it to this version; keeps every row, and says what was odd in them."""
    from ator_lib.sql.translate import shown
    from ator_lib.workspace.database import upgraded_database

    settings = store.settings_here()
    upgraded = upgraded_database(settings.data, settings.database_url)
    where = shown(upgraded.engine.url)
    if json:
        print_json({"database": where, "report": upgraded.report})
        return
    for sentence in upgraded.report:
        typer.echo(harmless(f"- {sentence}"))
    typer.echo(f"up to date: {where}")


@database.command("show")
@command
def show(
    store: Store,
    newest: Annotated[int, typer.Option(min=0, max=1000, help="So many of the newest rows of each table.")] = 3,
    json: JsonOption = False,
) -> None:
    """Show the tables with their columns, references, row counts and newest rows; never a secret."""
    from ator_lib.sql.overview import overview

    workspace = store.open_here()
    tables = overview(workspace.parts.engine, newest=newest)
    if json:
        print_json({"database": workspace.database, "tables": [dataclasses.asdict(table) for table in tables]})
        return
    typer.echo(workspace.database)
    for table in tables:
        _describe(table)


@database.command("seed")
@command
def seed(store: Store, json: JsonOption = False) -> None:
    """Make up runs to try things out: each is marked synthetic and has no results."""
    from datetime import UTC, datetime

    from ator_lib.demo import seed as made_up

    workspace = store.open_here()
    seeded = made_up.seed(workspace.parts, now=datetime.now(UTC))
    runs = [*seeded.ended, seeded.running, seeded.queued]
    if json:
        print_json({"run_ids": [run.run_id for run in runs], "location": made_up.LOCATION})
        return
    say(
        f"made up {len(runs)} runs of {len(made_up.TESTS)} tests in {len(made_up.STREAMS)} streams, triggered by "
        f"{len(made_up.USERS)} users; runs {seeded.running.run_id} and {seeded.queued.run_id} live for an hour "
        f"at location {made_up.LOCATION}"
    )


@database.command("reset")
@command
def reset(
    store: Store,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also while runs are running or queued.")] = False,
    tokens: Annotated[bool, typer.Option("--tokens", help="Delete the API tokens, too.")] = False,
    json: JsonOption = False,
) -> None:
    """Delete all runs, their results, locations and baselines; the tables and API tokens stay."""
    from ator_lib.workspace import database as behind

    workspace = store.open_here()
    if not yes:
        confirm(
            f"Delete all runs of {workspace.database}, and their results in {workspace.data}?",
            otherwise="nothing was deleted",
        )
    done = behind.reset(workspace.parts, force=force, with_tokens=tokens)
    if json:
        print_json(dataclasses.asdict(done))
        return
    counts = ", ".join(f"{count} {name}" for name, count in done.rows.items() if count) or "nothing, it was empty"
    say(f"deleted from {workspace.database}: {counts}; {done.folders} folders of {workspace.data}")


def _describe(table: TableOverview) -> None:
    typer.echo(harmless(f"\n{table.name}: {table.rows} row{'s' * (table.rows != 1)}"))
    for column in table.columns:
        null = "" if column.is_nullable else " not null"
        refers = f" → {column.refers_to}" if column.refers_to else ""
        hidden = " (never shown)" if column.is_secret else ""
        typer.echo(harmless(f"    {column.name} {column.type.lower()}{null}{refers}{hidden}"))
    for row in table.newest:
        typer.echo("  • " + "  ".join(f"{name}={_short(value)}" for name, value in row.items() if value is not None))


def _short(value: Any) -> str:
    text = value.isoformat(timespec="seconds") if hasattr(value, "isoformat") else str(value)
    line = " ".join(harmless(text).splitlines())
    return line if len(line) <= _LONGEST_VALUE else line[: _LONGEST_VALUE - 1] + "…"
