"""``ator db``: the database itself."""

from __future__ import annotations

import typer

from ator_lib.cli.options import Store, command

database = typer.Typer(no_args_is_help=True, help="The registry's database.")


@database.command("upgrade")
@command
def upgrade(store: Store) -> None:
    """Make the database, or bring it to this version; keeps every row."""
    workspace = store.open()  # opening upgrades
    typer.echo(f"up to date: {workspace.database}")
