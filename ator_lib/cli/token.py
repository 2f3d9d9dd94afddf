"""``ator token``: who may use a server."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from ator_lib.cli.options import JsonOption, Store, command, say
from ator_lib.cli.output import print_json, print_table
from ator_lib.model import Role

COLUMNS = ("token_id", "name", "role", "created_at", "expires_at", "last_used_at", "revoked_at")

_DAY_S = 24 * 3600.0

token = typer.Typer(no_args_is_help=True, help="API tokens for servers: who may use them, and as what.")


@token.command("create")
@command
def create(
    store: Store,
    name: Annotated[str, typer.Argument(help="Whom it is for, such as ci.", metavar="NAME")],
    role: Annotated[
        Role, typer.Option(help="viewer looks, runner also registers and uploads, admin also manages and deletes.")
    ],
    expires_in_days: Annotated[float | None, typer.Option(help="Days that it holds; without it until revoked.")] = None,
    json: JsonOption = False,
) -> None:
    """Make a token and print it, this once."""
    expires_in_s = None if expires_in_days is None else expires_in_days * _DAY_S
    made, secret = store.open_here().tokens.create(name, role, expires_in_s=expires_in_s)
    if json:
        print_json({**dataclasses.asdict(made), "token": secret})
    else:
        typer.echo(secret)
        say(f"This is the token of {made.name!r} ({made.role}). It is not kept and not shown again.")


@token.command("list")
@command
def list_tokens(store: Store, json: JsonOption = False) -> None:
    """Show the tokens, also those that do not hold any more."""
    rows = store.open_here().tokens.list().to_dict("records")
    empty = "no tokens yet: make one with `ator token create NAME --role viewer`"
    print_json(rows) if json else print_table(rows, COLUMNS, empty=empty)


@token.command("revoke")
@command
def revoke(
    store: Store,
    token: Annotated[str, typer.Argument(help="Its name or id.", metavar="NAME_OR_ID")],
    json: JsonOption = False,
) -> None:
    """Let a token hold no more, from now on."""
    revoked = store.open_here().tokens.revoke(token)
    if json:
        print_json(dataclasses.asdict(revoked))
    else:
        say(f"the token {revoked.name!r} ({revoked.token_id}) holds no more")
