"""``ator token``: what it prints, where, and that it is printed once."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from ator_lib import connect
from ator_lib.cli.app import app


def token(*arguments: str, data: Path) -> Result:
    return CliRunner().invoke(app, ["token", *arguments, "--data", str(data)])


def test_create_prints_the_token_and_nothing_else_on_stdout(tmp_path: Path) -> None:
    """A script can take it as it is: TOKEN=$(ator token create ci --role runner)."""
    result = token("create", "ci", "--role", "runner", data=tmp_path)
    made = connect(tmp_path).parts.tokens.authenticate(result.stdout.strip())

    assert made is not None
    assert (made.name, made.role, made.expires_at) == ("ci", "runner", None)
    assert "not shown again" in result.stderr


def test_create_answers_json_for_programs(tmp_path: Path) -> None:
    """One object with what is known of it, and its text."""
    answer = json.loads(
        token("create", "ci", "--role", "admin", "--expires-in-days", "7", "--json", data=tmp_path).stdout
    )
    (kept,) = connect(tmp_path).parts.tokens.list()

    assert answer["token"].startswith(f"ator_{kept.token_id}_")
    assert (answer["name"], answer["role"], answer["revoked_at"]) == ("ci", "admin", None)
    assert kept.expires_at is not None
    assert (kept.expires_at - kept.created_at).days == 7


def test_list_shows_all_tokens_and_no_secret(tmp_path: Path) -> None:
    """Those that were revoked, too."""
    assert "ator token create NAME" in token("list", data=tmp_path).stdout
    secret = token("create", "ci", "--role", "viewer", data=tmp_path).stdout.strip()
    token("revoke", "ci", data=tmp_path)
    for shown in (token("list", data=tmp_path), token("list", "--json", data=tmp_path)):
        assert "viewer" in shown.stdout
        assert secret[-64:] not in shown.output
    (row,) = json.loads(token("list", "--json", data=tmp_path).stdout)
    assert row["revoked_at"] is not None
    assert row["last_used_at"] is None


def test_revoke_takes_a_name_and_says_what_it_did(tmp_path: Path) -> None:
    """An unknown one is bad input, with the way to see what there is."""
    secret = token("create", "ci", "--role", "viewer", data=tmp_path).stdout.strip()
    assert "the token 'ci'" in token("revoke", "ci", data=tmp_path).stderr
    assert connect(tmp_path).parts.tokens.authenticate(secret) is None

    again = token("revoke", "ci", data=tmp_path)
    assert (again.exit_code, again.stderr.count("\n")) == (2, 1)
    assert "ator token list" in again.stderr


def test_a_role_must_be_given_and_known(tmp_path: Path) -> None:
    """Nobody gets more than was meant by leaving it out."""
    assert token("create", "ci", data=tmp_path).exit_code == 2
    assert token("create", "ci", "--role", "root", data=tmp_path).exit_code == 2
    assert connect(tmp_path).parts.tokens.list() == []
