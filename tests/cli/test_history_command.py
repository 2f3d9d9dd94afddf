"""``ator history``: every filter is passed on, and the answer says how to go on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ator_lib.cli.app import app
from ator_lib.model import RunStatus
from ator_lib.registry.history import TEXTS
from tests.cli.conftest import Ator
from tests.support.recording_workspace import STARTED, RecordingWorkspace, made_up_run


def searched(workspace: RecordingWorkspace) -> dict[str, Any]:
    """Give what was searched for, besides how much of it."""
    ((name, _, words),) = workspace.calls
    assert name == "history"
    return {key: value for key, value in words.items() if key not in ("limit", "order", "cursor")}


def test_without_filters_the_newest_are_asked_for(ator: Ator, workspace: RecordingWorkspace) -> None:
    """Nothing is passed on that was not said."""
    assert ator("history").exit_code == 0
    assert workspace.calls == [("history", (), {"limit": 20, "order": "-run_id", "cursor": None})]


@pytest.mark.parametrize("name", TEXTS)
def test_every_text_can_be_searched_for_several(name: str, ator: Ator, workspace: RecordingWorkspace) -> None:
    """Each field that the registry can search has its option, repeatable."""
    option = f"--{name.replace('_', '-')}"
    assert ator("history", option, "a%", option, "b").exit_code == 0
    assert searched(workspace) == {name: ["a%", "b"]}


def test_times_tags_and_paging(ator: Ator, workspace: RecordingWorkspace) -> None:
    """They go through as they are."""
    words = "history --since 2026-01-01 --until 2026-02-01 --tag a --tag b --order test --limit 5 --cursor xyz"
    assert ator(*words.split()).exit_code == 0
    assert searched(workspace) == {"since": "2026-01-01", "until": "2026-02-01", "tag": ["a", "b"]}
    assert {"limit": 5, "order": "test", "cursor": "xyz"}.items() <= workspace.calls[0][2].items()


def test_attributes_that_are_texts(ator: Ator, workspace: RecordingWorkspace) -> None:
    """What is no number, true or false can only be meant as text; all of them must hold."""
    assert ator("history", "--attribute", "commit=0f3c", "--attribute", 'note="x"').exit_code == 0
    assert searched(workspace) == {"attributes": {"commit": "0f3c", "note": '"x"'}}


def test_numbers_and_truths_are_found_however_they_were_kept(ator: Ator, workspace: RecordingWorkspace) -> None:
    """`--attribute build=7` of a registration keeps text, a notebook's attributes={"build": 7} a number."""
    assert ator("history", "--attribute", "build=7", "--attribute", "commit=0f3c").exit_code == 0
    assert searched(workspace) == {
        "any_of": [
            {"attributes": {"build": 7, "commit": "0f3c"}},
            {"attributes": {"build": "7", "commit": "0f3c"}},
        ]
    }


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999", "9" * 5000, "null", "[1]", "[" * 100_000])
def test_what_the_databases_have_no_number_for_is_text(text: str, ator: Ator, workspace: RecordingWorkspace) -> None:
    """It could not have been kept otherwise."""
    assert ator("history", "--attribute", f"x={text}").exit_code == 0
    assert searched(workspace) == {"attributes": {"x": text}}


def test_too_many_numbers_are_refused(ator: Ator, workspace: RecordingWorkspace) -> None:
    """Each of them doubles the search."""
    result = ator("history", *(word for key in range(30) for word in ("--attribute", f"a{key}=1")))
    assert (result.exit_code, "give fewer" in result.stderr, workspace.calls) == (2, True, [])


def test_one_of_several_filters(ator: Ator, workspace: RecordingWorkspace) -> None:
    """--any takes JSON, and stands beside the others; readings of a number keep it."""
    one, other = {"test": "a"}, {"attributes": {"build": 7}}
    words = ["--any", json.dumps(one), "--any", json.dumps(other), "--stream", "main"]
    assert ator("history", *words, "--attribute", "hot=true").exit_code == 0
    assert searched(workspace) == {
        "stream": ["main"],
        "any_of": [
            {"any_of": [one, other], "attributes": {"hot": True}},
            {"any_of": [one, other], "attributes": {"hot": "true"}},
        ],
    }


@pytest.mark.parametrize("text", ["[1]", "checkout", "7", "{", ""])
def test_any_wants_a_json_object(text: str, ator: Ator, workspace: RecordingWorkspace) -> None:
    """The message shows one."""
    result = ator("history", "--any", text)
    assert result.exit_code == 2
    assert 'give a JSON object such as {"test": "checkout"}' in result.stderr
    assert workspace.calls == []


def test_another_page_is_told_on_stderr(ator: Ator, workspace: RecordingWorkspace) -> None:
    """What is on stdout stays a list of runs."""
    assert "--cursor" not in ator("history").stderr
    workspace.next_cursor = "abc"
    result = ator("history", "--json")
    assert "--cursor abc shows the next page" in result.stderr
    assert [run["run_id"] for run in json.loads(result.stdout)] == [7]


def test_pages_follow_each_other(tmp_path: Path) -> None:
    """With the real store: the cursor that was told gives the runs after those seen."""

    def ator(*words: str) -> Any:
        return CliRunner().invoke(app, [*words, "--data", str(tmp_path)])

    for build in range(3):
        ator("register", "--test", f"t{build}", "--attribute", f"build={build}")
    first = ator("history", "--limit", "2", "--json")
    cursor = first.stderr.split("--cursor ")[1].split()[0]
    second = ator("history", "--limit", "2", "--json", "--cursor", cursor)
    assert [run["run_id"] for run in json.loads(first.stdout) + json.loads(second.stdout)] == [3, 2, 1]
    assert second.stderr == ""
    assert [run["run_id"] for run in json.loads(ator("history", "--json", "--attribute", "build=1").stdout)] == [2]


# --- the table ---


@pytest.fixture
def long_names(workspace: RecordingWorkspace) -> None:
    """Runs that need more than 80 columns."""
    ended = {"status": RunStatus.FAILURE, "status_reason": "requests_failed"}
    workspace.runs = [
        made_up_run(12, stream="main", start_time=None, status=RunStatus.QUEUED),
        made_up_run(
            11, stream="feature/search-by-colour", attributes={"tags": ["nightly", "release 7"]},
            end_time=STARTED + timedelta(minutes=65), **ended,
        ),
    ]  # fmt: skip


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A plain terminal in UTC."""
    with monkeypatch.context() as environment:
        for name, value in {"TTY_COMPATIBLE": "1", "TERM": "dumb", "LINES": "40", "TZ": "UTC"}.items():
            environment.setenv(name, value)
        time.tzset()
        yield environment
    time.tzset()


@pytest.mark.usefixtures("long_names")
def test_table_on_a_wide_terminal(ator: Ator, terminal: pytest.MonkeyPatch) -> None:
    """Everything in one line a run."""
    terminal.setenv("COLUMNS", "160")
    lines = [line.rstrip() for line in ator("history").stdout.splitlines()]
    assert lines == [
        "run_id  status   test     stream                    location  factor  start_time        duration    "
        "status_reason    tags",
        "    12  queued   nightly  main                      lab-1        0.4",
        "    11  failure  nightly  feature/search-by-colour  lab-1        0.4  2020-01-31 12:00  1 h 05 min  "
        "requests_failed  nightly, release 7",
    ]


@pytest.mark.usefixtures("long_names")
def test_table_on_a_narrow_terminal(ator: Ator, terminal: pytest.MonkeyPatch) -> None:
    """Headings are stacked and the least important columns left out; what is shown is whole."""
    terminal.setenv("COLUMNS", "80")
    lines = [line.rstrip() for line in ator("history").stdout.splitlines()]
    assert all(len(line) <= 80 for line in lines)
    assert lines[-1].startswith(" 11 failure nightly feature/search-by-colour")
    assert "requests_failed" in lines[-1]
    assert "tags" not in lines[1]


@pytest.mark.usefixtures("long_names")
def test_table_in_a_log_has_all_columns(ator: Ator) -> None:
    """Without a terminal nothing is left out, whatever is empty."""
    heading, queued, _ = ator("history").stdout.splitlines()
    assert " ".join(heading.split()) == (
        "run_id status test stream location factor start_time duration status_reason tags"
    )
    assert queued.split() == ["12", "queued", "nightly", "main", "lab-1", "0.4"]


@pytest.mark.parametrize("columns", [None, "80", "200"])
def test_one_long_text_does_not_spoil_the_table(
    columns: str | None, ator: Ator, workspace: RecordingWorkspace, terminal: pytest.MonkeyPatch
) -> None:
    """It is cut, in a log and on terminals, to 60 characters; programs get all of it."""
    if columns is None:
        terminal.delenv("TTY_COMPATIBLE")
    else:
        terminal.setenv("COLUMNS", columns)
    workspace.runs = [made_up_run(test="x" * 500, attributes={"tags": ["y" * 200, "z" * 200]})]
    shown = ator("history").stdout
    assert (max(map(len, shown.splitlines())) < 260, shown.count("x") < 60, "…" in shown) == (True, True, True)
    assert json.loads(ator("history", "--json").stdout)[0]["test"] == "x" * 500


def test_names_cannot_steer_the_terminal(ator: Ator, workspace: RecordingWorkspace) -> None:
    """A run's name is anybody's text: escape sequences and line ends are shown as what they are not."""
    workspace.runs = [made_up_run(test="a\x1b[2J\x9b1mb\nc\rd")]
    assert "a\ufffd[2J\ufffd1mb c\ufffdd" in ator("history").stdout
    assert "\x1b" not in ator("register").stderr
