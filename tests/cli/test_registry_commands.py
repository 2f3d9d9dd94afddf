"""Registering, queue, locations, baselines, tags and deletion from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import ator_lib
from ator_lib.cli.app import app
from ator_lib.model import LocationStatus
from tests.cli.conftest import Ator
from tests.support.recording_workspace import RecordingWorkspace, made_up_place, made_up_run

LOCUSTFILE = "from locust import HttpUser\n"


# --- what is passed on ---


def test_register_passes_the_wait_on(ator: Ator, workspace: RecordingWorkspace) -> None:
    """Seconds, priority, tags and key."""
    words = "register --test t --wait 600 --priority 5 --tag a --tag b --idempotency-key job-7 --lease 30"
    result = ator(*words.split())
    assert (result.exit_code, result.stdout) == (0, "7\n")
    ((name, _, passed),) = workspace.calls
    assert name == "register"
    assert callable(passed["on_queued"])
    expected = {"test": "t", "wait": 600.0, "priority": 5, "tags": ("a", "b"), "idempotency_key": "job-7", "lease": 30}
    assert expected.items() <= passed.items()


@pytest.mark.parametrize(("words", "wait"), [([], None), (["--wait", "forever"], True), (["--wait", "0.5"], 0.5)])
def test_how_long_to_wait(words: list[str], wait: object, ator: Ator, workspace: RecordingWorkspace) -> None:
    """Not at all, as long as it takes, or seconds."""
    ator("register", *words)
    assert workspace.calls[0][2]["wait"] is wait or workspace.calls[0][2]["wait"] == wait


@pytest.mark.parametrize("text", ["soon", "", "1m", "True", "nan", "inf", "-1", "1e12"])
def test_wait_that_is_not_possible(text: str, ator: Ator, workspace: RecordingWorkspace) -> None:
    """The message says what would do; nothing is registered."""
    result = ator("register", f"--wait={text}")
    assert (result.exit_code, "give seconds, such as 600 (up to a year), or forever" in result.stderr) == (2, True)
    assert workspace.calls == []


@pytest.mark.parametrize(
    "words",
    [
        "register --attribute tags=x",
        "update 7 --attribute tags=x",
        "run locust FILE --host http://x --attribute tags=x",
    ],
)
def test_tags_are_no_attribute(words: str, ator: Ator, workspace: RecordingWorkspace, tmp_path: Path) -> None:
    """They have an option of their own, which the message names."""
    file = tmp_path / "locustfile.py"
    file.write_text(LOCUSTFILE)
    result = ator(*words.replace("FILE", str(file)).split())
    assert (result.exit_code, "--tag" in result.stderr, "--run-tag" in result.stderr) == (2, True, True)
    assert workspace.calls == []


@pytest.mark.parametrize("name", [" ", " lab", "lab ", "la\tb", "la\u200bb", "la\x1bb"])
def test_a_location_has_a_name_that_can_be_seen(name: str, tmp_path: Path) -> None:
    """Blanks around it and characters that cannot be printed are bad input: nothing is registered or made."""
    result = CliRunner().invoke(app, ["register", "--location", name, "--data", str(tmp_path)])
    workspace = ator_lib.connect(tmp_path)
    assert (result.exit_code, "cannot be the name of a location" in result.stderr) == (2, True), result.output
    assert (workspace.history().empty, workspace.locations.list().empty) == (True, True)


def test_run_locust_waits_likewise(ator: Ator, workspace: RecordingWorkspace, tmp_path: Path) -> None:
    """The run's tags have an option of their own: --tag chooses Locust's tasks."""
    file = tmp_path / "locustfile.py"
    file.write_text(LOCUSTFILE)
    words = "--wait forever --priority 2 --run-tag nightly --tag smoke"
    ator("run", "locust", file, "--host", "http://127.0.0.1:1", *words.split())
    ((name, (runner,), passed),) = workspace.calls
    assert name == "execute"
    assert {"wait": True, "priority": 2, "tags": ("nightly",)}.items() <= passed.items()
    assert runner.tags == ("smoke",)


def test_a_new_location_is_told(ator: Ator, workspace: RecordingWorkspace, tmp_path: Path) -> None:
    """A slip of the pen makes a location: both ways of starting a run say so, for one that is known nothing."""
    file = tmp_path / "locustfile.py"
    file.write_text(LOCUSTFILE)
    run_locust = ("run", "locust", file, "--host", "http://127.0.0.1:1")
    assert "is new" not in ator("register").stderr + ator(*run_locust).stderr
    workspace.runs = [made_up_run(location="lba-1")]
    for words in (("register", "--json"), run_locust):
        assert "location 'lba-1' is new, with capacity 1\n" in ator(*words).stderr


def test_locations_are_added_and_changed(ator: Ator, workspace: RecordingWorkspace) -> None:
    """Only what was given is passed on; capacities as text, so that no digit is lost."""
    ator("location", "add", "lab-1", "--capacity", "2.50", "--description", "two generators")
    ator("location", "change", "lab-1", "--status", "draining")
    assert workspace.calls == [
        ("add", ("lab-1",), {"capacity": "2.50", "description": "two generators"}),
        ("change", ("lab-1",), {"status": LocationStatus.DRAINING}),
    ]


def test_locations_answer_json(ator: Ator) -> None:
    """The list and what changes a location show it alike."""
    (listed,) = json.loads(ator("location", "list", "--json").stdout)
    assert listed == json.loads(ator("location", "change", "lab-1", "--capacity", "1", "--json").stdout)
    assert {"name": "lab-1", "capacity": "1", "free": "0.6", "description": None}.items() <= listed.items()


def test_baselines_are_pinned_and_removed(ator: Ator, workspace: RecordingWorkspace) -> None:
    """By name and run id."""
    assert json.loads(ator("baseline", "pin", "release-7", 7, "--json").stdout)["run_id"] == 7
    assert "run 7 stays" in ator("baseline", "remove", "release-7").stderr
    assert workspace.calls == [("pin", ("release-7", 7), {}), ("remove", ("release-7",), {})]
    assert json.loads(ator("baseline", "list", "--json").stdout)[0]["name"] == "release-7"


def test_update_changes_what_was_said(ator: Ator, workspace: RecordingWorkspace) -> None:
    """Link, attributes and tags in one step."""
    words = "update 7 --dashboard-url https://d.example --attribute k=v --tag a --tag b --untag c"
    assert ator(*words.split()).exit_code == 0
    assert workspace.calls == [
        (
            "update",
            (7,),
            {
                "dashboard_url": "https://d.example",
                "attributes": {"k": "v"},
                "add_tags": ["a", "b"],
                "remove_tags": ["c"],
            },
        )
    ]


def test_update_of_nothing_is_bad_input(ator: Ator, workspace: RecordingWorkspace) -> None:
    """It says what could be changed."""
    result = ator("update", 7)
    assert (result.exit_code, "--dashboard-url" in result.stderr) == (2, True)
    assert workspace.calls == []


def test_delete_needs_a_word(ator: Ator, workspace: RecordingWorkspace) -> None:
    """Where nobody can be asked, --yes must be said."""
    refused = ator("delete", 7, 8)
    assert (refused.exit_code, "say --yes" in refused.stderr) == (2, True)
    assert workspace.calls == []
    done = ator("delete", 7, 8, 7, "--yes", "--json")
    assert workspace.calls == [("delete", (7,), {}), ("delete", (8,), {})]
    assert json.loads(done.stdout) == {"deleted": [7, 8]}


def test_queue_shows_who_waits(ator: Ator, workspace: RecordingWorkspace) -> None:
    """One location or all; JSON has whole numbers and a list of run ids."""
    workspace.places = [made_up_place(8, 1, [7]), made_up_place(9, 2, [7, 8])]
    assert "7, 8" in ator("queue", "--location", "lab-1").stdout
    answer = json.loads(ator("queue", "--json").stdout)
    assert [(row["run_id"], row["position"], row["waits_for"]) for row in answer] == [(8, 1, [7]), (9, 2, [7, 8])]
    assert [row["priority"] for row in answer] == [None, None]
    assert [positional for _, positional, _ in workspace.calls] == [("lab-1",), (None,)]


def test_priorities_stay_whole_numbers(ator: Ator, workspace: RecordingWorkspace) -> None:
    """Also beside a run that has none."""
    first = made_up_place(8, 1, [])
    workspace.places = [replace(first, run=replace(first.run, priority=3)), made_up_place(9, 2, [8])]
    assert '"priority": 3,' in ator("queue", "--json").stdout


def test_status_marks_stale_runs_and_shows_who_waits(ator: Ator, workspace: RecordingWorkspace) -> None:
    """A run without a lease that started long ago; --json stays the list of running runs."""
    fresh = made_up_run(8, start_time=datetime.now(UTC))
    workspace.runs = [made_up_run(7), fresh]
    workspace.places = [made_up_place(9, 1, [7, 8])]
    result = ator("status")
    assert [line.split()[1] for line in result.stdout.splitlines()[1:3]] == ["stale", "running"]
    assert "run 7 has run for more than a day without a lease" in result.stderr
    assert "run 8" not in result.stderr
    assert "lab-1" in result.stdout
    assert "no history of 'nightly'" in result.stdout
    answer = json.loads(ator("status", "--json").stdout)
    assert [(run["run_id"], run["status"], run["stale"]) for run in answer] == [
        (7, "running", True),
        (8, "running", False),
    ]


def test_reap_lists_what_was_abandoned(ator: Ator, workspace: RecordingWorkspace) -> None:
    """Nothing is a good answer, too."""
    assert json.loads(ator("reap", "--json").stdout)[0]["run_id"] == 7
    workspace.runs = []
    assert ator("reap").stdout == "nothing to do: no lease is over\n"


# --- with the real store ---


def test_the_same_key_gives_the_same_run(tmp_path: Path) -> None:
    """A CI job that is tried again registers once."""
    words = ["register", "--test", "t", "--idempotency-key", "job-7", "--json", "--data", str(tmp_path)]
    first, again = (json.loads(CliRunner().invoke(app, words).stdout) for _ in range(2))
    assert first == again


def test_deleting_a_run_forgets_it(tmp_path: Path) -> None:
    """With the real store; one that runs, or is pinned, is refused."""
    workspace = ator_lib.connect(tmp_path)
    for _ in range(2):
        workspace.register(test="t")
    workspace.complete(1, "success")
    workspace.baselines.pin("release", 1)

    def delete(run_id: int) -> Any:
        return CliRunner().invoke(app, ["delete", str(run_id), "--yes", "--data", str(tmp_path)])

    assert (delete(1).exit_code, delete(2).exit_code, delete(3).exit_code) == (2, 2, 2)
    workspace.baselines.remove("release")
    assert delete(1).exit_code == 0
    assert list(workspace.history().run_id) == [2]


def test_help_is_grouped_and_light() -> None:
    """Nothing heavy is imported before a command runs."""
    heavy = {"pandas", "sqlalchemy", "duckdb", "panel", "fastapi", "plotly"}
    script = f"import sys; from ator_lib.cli.app import app; print(*{heavy} & {{*sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == ""
    shown = CliRunner().invoke(app, ["--help"]).stdout
    assert all(panel in shown for panel in ("Execute and register", "Look and search", "Set up and serve"))
