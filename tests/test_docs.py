"""README and CONTRIBUTING tell the truth: their examples run, and what there is stands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import ator_lib
from ator_lib import Workspace
from ator_lib.cli.app import app
from ator_lib.errors import ExitCode
from ator_lib.readers.formats import FORMATS
from ator_lib.schema import PERCENTILE_RULE
from ator_lib.settings import Settings

ROOT = Path(ator_lib.__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {page: (ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "CONTRIBUTING.md")}
ROOT_COMMAND: Any = typer.main.get_command(app)


def code_blocks(language: str) -> list[str]:
    """Give README's code blocks in a language, from top to bottom."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def shell_lines(program: str) -> list[list[str]]:
    """Give the words after a program's name, of each line of README's shell blocks that starts with it."""
    text = "".join(code_blocks("bash")).replace('"$id"', "3")  # of a run, asked for above it
    lines = (shlex.split(line, comments=True) for line in text.splitlines())
    return [words[1:] for words in lines if words and words[0] == program]


def commands(group: Any = ROOT_COMMAND, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Walk the command line: the words of each command, and the command."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


def test_python_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    """README's examples, in their order, work on a new folder against the demo's shop."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ATOR_{name.upper()}", raising=False)
    names: dict[str, Any] = {}
    for block in code_blocks("python"):
        if block.startswith("# locustfile.py"):
            Path("locustfile.py").write_text(block)
            continue
        example = block.replace("http://127.0.0.1:8010", target).replace('run_time="30s"', 'run_time="3s"')
        exec(compile(example, "README.md", "exec"), names)
    assert names["run"].status == "success"
    assert set(names["run"].summary().name.dropna()) == {"/search", "/orders"}
    assert Path("report.html").stat().st_size > 100_000
    workspace: Workspace = names["ws"]
    assert list(workspace.history().status) == ["success"] * 5


def test_shell_examples_are_accepted() -> None:
    """Every ``ator …`` line of README has a command, arguments and options that exist."""
    lines = shell_lines("ator")
    assert len(lines) > 10
    by_words = dict(commands())
    for words in lines:
        depth = next(n for n in (1, 2) if tuple(words[:n]) in by_words)
        by_words[tuple(words[:depth])].make_context("ator", words[depth:])  # raises on what it does not know


def test_wrong_shell_examples_would_be_seen() -> None:
    """The check above fails on an option that does not exist."""
    with pytest.raises(Exception, match="--limits"):
        dict(commands())[("history",)].make_context("ator", ["--limits", "3"])


def test_make_targets_exist() -> None:
    """Every ``make …`` that the pages name is a target."""
    makefile = (ROOT / "Makefile").read_text()
    named = {words[0] for words in shell_lines("make")} | set(re.findall(r"`make ([a-z-]+)", "".join(PAGES.values())))
    assert {"demo", "test", "lint", "bench"} <= named
    assert [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_every_command_is_documented() -> None:
    """Each command stands in README's table, and the table has no other."""
    documented = re.findall(r"`ator ([a-z -]+)`", "".join(re.findall(r"^\| `ator .*$", README, re.MULTILINE)))
    assert sorted(documented) == sorted(" ".join(words) for words, _ in commands())


def test_options_of_every_command_are_documented() -> None:
    """What all commands share stands in README."""
    for option in ("--data", "--database-url", "--debug", "--json", "--help"):
        assert option in README


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    """Each setting has a row with its variable and its default."""
    default = Settings.model_fields[name].default
    shown = "none" if default is None else f"`{default}`"
    assert f"| `ATOR_{name.upper()}` | {shown} |" in README


def test_every_format_is_documented() -> None:
    """README's table of formats has those that there are, in their order."""
    table = README.split("| Format |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `([a-z0-9-]+)` \|", table, re.MULTILINE) == list(FORMATS)


def test_every_exit_code_is_documented() -> None:
    """README's table has exactly the exit codes that there are."""
    table = README.split("| Exit code |")[1].split("\n\n")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == [int(code) for code in ExitCode]


def test_percentile_rule_is_the_one_on_the_reports() -> None:
    """README states the rule in the very words of the reports."""
    assert PERCENTILE_RULE in " ".join(README.split())


@pytest.mark.parametrize("page", PAGES)
def test_named_files_exist(page: str) -> None:
    """Every path and link of a page leads somewhere."""
    paths = re.findall(r"`((?:ator_lib|panel_app|tests|notebooks|benchmarks)/[\w./]*)`", PAGES[page])
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", PAGES[page])
    assert [name for name in (*paths, *links) if not (ROOT / name).exists()] == []
    assert paths or links


def test_changelog_has_this_version() -> None:
    """The version that is installed has its section."""
    assert f"## [{ator_lib.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
