"""``ator --server``: the same commands from a machine that has no database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import ator_lib
from ator_lib.cli.app import app
from ator_lib.server.app import create_app
from ator_lib.server.guard import AccessRules
from ator_lib.workspace.workspace import Workspace
from tests.support.served import listening


@pytest.fixture
def workspace(empty_data: Path) -> Workspace:
    """Make the workspace that is served."""
    return ator_lib.connect(empty_data)


@pytest.fixture
def token(workspace: Workspace) -> str:
    """Make a token for a CI job."""
    return workspace.tokens.create("ci", "runner")[1]


@pytest.fixture
def url(workspace: Workspace, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve it to those with a token, which stands in the environment; commands run in an empty folder."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("ATOR_TOKEN", token)
    with listening(create_app(workspace, {}, rules=AccessRules(requires_token=True))) as url:
        yield url


def ator(*arguments: object) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_a_ci_job(url: str, workspace: Workspace) -> None:
    """The answers and exit codes are those of a store; nothing is made here."""
    registered = ator("register", "--test", "t", "--location", "lab", "--factor", "0.6", "--json", "--server", url)
    assert {"run_id": 1, "status": "running"}.items() <= json.loads(registered.stdout).items()
    full = ator("--server", url, "register", "--location", "lab", "--factor", "0.4")
    assert full.exit_code == 3
    assert "0.6 taken + 0.4 requested is not below 1" in full.stderr
    assert ator("complete", 1, "success", "--server", url).exit_code == 0
    assert ator("complete", 1, "failure", "--server", url).exit_code == 2
    assert ator("status", "--server", url).exit_code == 0
    (row,) = json.loads(ator("history", "--json", "--server", url).stdout)
    assert (row["run_id"], row["status"]) == (1, "success")
    assert workspace.get(1).status == "success"
    assert [*Path().iterdir()] == []


def test_the_server_by_the_environment(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is named on the command line is that store all the same."""
    monkeypatch.setenv("ATOR_SERVER", url)
    ator("register", "--test", "there")
    assert [run["test"] for run in json.loads(ator("history", "--json").stdout)] == ["there"]
    assert json.loads(ator("history", "--json", "--data", tmp_path / "here").stdout) == []
    both = ator("history", "--server", url, "--data", tmp_path)
    assert both.exit_code == 2
    assert "give one or the other" in both.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("summary", 1),
        ("compare", 1, "--baseline", 1),
        ("report", 1),
        ("run", "locust", "{file}"),
        ("serve",),
        ("demo",),
        ("token", "list"),
        ("db", "show"),
        ("db", "upgrade"),
        ("db", "reset", "--yes"),
        ("reap",),
        ("export", "out.duckdb"),
        ("purge", "--samples-older-than", "30d"),
        ("notebook", "run", "quickstart"),
    ],
)
def test_what_needs_the_store_says_so(
    arguments: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence that says where it can be done, before the server is asked; nothing is made here instead."""
    file = tmp_path / "locustfile.py"
    file.write_text("from locust import HttpUser\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    result = ator(*(file if word == "{file}" else word for word in arguments), "--server", "http://ann:pw@127.0.0.1:9")
    assert result.exit_code == 2, result.output
    assert "needs the store itself" in result.stderr
    assert "--database-url" in result.stderr
    assert "pw" not in result.output
    assert [*Path().iterdir()] == []


def test_a_wrong_token_is_bad_input(url: str, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in no output, not with --debug either; and there is no option for it, as others see those."""
    wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
    monkeypatch.setenv("ATOR_TOKEN", wrong)
    result = ator("status", "--server", url)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "ATOR_TOKEN" in result.stderr
    debugged = ator("status", "--server", url, "--debug")
    assert wrong not in result.output + debugged.output + str(debugged.exception)
    assert ator("status", "--token", "x").exit_code == 2
