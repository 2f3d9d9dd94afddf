"""Errors become one sentence and a published exit code; commands pass their words on."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ator_lib.cli.app import app


def ator(*arguments: object, data: Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments), "--data", str(data)])


@pytest.mark.parametrize("factor", ["1", "-0.1", "NaN", "Infinity", "1.5"])
def test_factor_that_no_location_could_take_is_bad_input(factor: str, tmp_path: Path) -> None:
    """It is told apart from a full location: exit code 2, one sentence, nothing registered."""
    result = ator("register", "--test", "t", f"--factor={factor}", data=tmp_path)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: factor")
    assert result.stderr.count("\n") == 1
    assert json.loads(ator("history", "--json", data=tmp_path).stdout) == []


def test_factor_that_is_no_number_is_bad_input(tmp_path: Path) -> None:
    """The message shows what was given and what would do."""
    result = ator("register", "--factor", "abc", data=tmp_path)
    assert result.exit_code == 2
    assert "'abc' is not a number" in result.stderr


def test_full_location_is_exit_code_3(tmp_path: Path) -> None:
    """0.6 + 0.4 is not below 1; the refusal names sum, request, limit and holder."""
    assert ator("register", "--test", "first", "--factor", "0.6", data=tmp_path).exit_code == 0
    result = ator("register", "--test", "second", "--factor", "0.4", data=tmp_path)
    assert result.exit_code == 3
    assert "0.6 taken + 0.4 requested is not below 1" in result.stderr
    assert "run 1 (first) 0.6" in result.stderr


def test_register_answers_json_for_programs(tmp_path: Path) -> None:
    """Exactly one JSON object stands on stdout."""
    answer = json.loads(ator("register", "--test", "t", "--factor", "0.5", "--json", data=tmp_path).stdout)
    assert {"run_id": 1, "status": "running", "status_reason": None}.items() <= answer.items()


def test_store_options_may_stand_before_the_command(tmp_path: Path) -> None:
    """`ator --data X history` and `ator history --data X` are the same."""
    result = CliRunner().invoke(app, ["--data", str(tmp_path), "register", "--test", "t", "--json"])
    assert json.loads(result.stdout)["run_id"] == 1
    assert json.loads(ator("history", "--json", data=tmp_path).stdout)[0]["test"] == "t"


def test_history_json_has_the_published_names(tmp_path: Path) -> None:
    """A list of runs with the names of test_executions."""
    ator("register", "--test", "t", "--factor", "0.25", "--attribute", "commit=abc", data=tmp_path)
    (row,) = json.loads(ator("history", "--json", data=tmp_path).stdout)
    published = (
        "run_id repo lac stream test type environment triggered_by status "
        "start_time end_time factor dashboard_url location"
    )
    assert set(published.split()) <= set(row)
    assert Decimal(row["factor"]) == Decimal("0.25")
    assert row["end_time"] is None


def test_completed_run_frees_its_factor_and_stays_final(tmp_path: Path) -> None:
    """A final status never changes; saying the same again is no error."""
    ator("register", "--factor", "0.9", data=tmp_path)
    assert ator("complete", 1, "success", data=tmp_path).exit_code == 0
    assert ator("complete", 1, "success", data=tmp_path).exit_code == 0
    assert ator("complete", 1, "failure", data=tmp_path).exit_code == 2
    assert ator("register", "--factor", "0.9", data=tmp_path).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [("complete", 7, "success"), ("cancel", 7), ("summary", 7), ("compare", 7, "--baseline", 8), ("report", 7)],
)
def test_unknown_run_is_bad_input(arguments: tuple[Any, ...], tmp_path: Path) -> None:
    """The id is named, and the answer is no traceback."""
    result = ator(*arguments, data=tmp_path)
    assert result.exit_code == 2
    assert "7" in result.stderr


def test_unknown_status_lists_the_words(tmp_path: Path) -> None:
    """What may be said is in the message."""
    ator("register", data=tmp_path)
    result = ator("complete", 1, "done", data=tmp_path)
    assert result.exit_code == 2
    assert "success" in result.stderr


def test_folder_that_cannot_be_made_is_exit_code_5(tmp_path: Path) -> None:
    """The store is broken, not the words; the message names the folder."""
    (tmp_path / "file").write_text("in the way")
    result = ator("history", data=tmp_path / "file" / "data")
    assert result.exit_code == 5
    assert "file/data" in result.stderr


def test_file_that_is_no_database_is_exit_code_5(tmp_path: Path) -> None:
    """Somebody else's file is left alone."""
    (tmp_path / "ator.db").write_text("no database" * 100)
    result = ator("history", data=tmp_path)
    assert result.exit_code == 5
    assert "not a database" in result.stderr
    assert (tmp_path / "ator.db").read_text() == "no database" * 100


def test_invalid_setting_names_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ATOR_MAX_ERROR_RATE=2 is refused with its name."""
    monkeypatch.setenv("ATOR_MAX_ERROR_RATE", "2")
    result = ator("history", data=tmp_path)
    assert result.exit_code == 2
    assert "ATOR_MAX_ERROR_RATE" in result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["missing.py"], "missing.py"),
        (["{file}", "--run-time", "0"], "run"),
        (["{file}", "--users", "0"], "users"),
        (["{file}", "--host", "shop"], "http"),
    ],
)
def test_bad_load_is_refused_before_anything_is_registered(options: list[str], words: str, tmp_path: Path) -> None:
    """A missing locustfile, no time, no users, no address: exit code 2 and an empty history."""
    file = tmp_path / "locustfile.py"
    file.write_text("from locust import HttpUser\n")
    result = ator("run", "locust", *[o.format(file=file) for o in options], data=tmp_path)
    assert result.exit_code == 2
    assert words in result.stderr
    assert json.loads(ator("history", "--json", data=tmp_path).stdout) == []


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    """--debug hands the error on whole."""
    result = ator("summary", 7, "--debug", data=tmp_path)
    assert type(result.exception).__name__ == "NotFoundError"
