"""``ator trend``, ``ator annotate`` and ``ator annotation``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

import ator_lib
from ator_lib.cli.app import app
from ator_lib.sql.engine import write
from ator_lib.sql.tables import summaries
from tests.analysis.trend.histories import noisy
from tests.support.histories import add_history, add_run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data folder with a history whose level changed at run 13."""
    ws = ator_lib.connect(tmp_path)
    add_history(
        ws.parts.engine, noisy((100, 12), (140, 10)), stream="main", attributes=[{"v": 1}] * 12 + [{"v": 2}] * 10
    )
    return tmp_path


def run(*arguments: object, data: Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments), "--data", str(data)])


def test_the_change_and_what_differs_are_printed(data: Path) -> None:
    """The headline last; a change is no failure of the command."""
    result = run("trend", "checkout", "--stream", "main", data=data)
    assert result.exit_code == 0
    assert "v 1 → 2" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("GET /a p95 regressed at run 13")


def test_a_change_of_an_error_rate_is_in_points(tmp_path: Path) -> None:
    """As its interval is: 2 % of the requests failed, then 10 %."""
    history(tmp_path, "/a", "error_rate", noisy((0.02, 12), (0.1, 10)))
    assert (
        "+7.9 points  +7.9 … +8.0  regressed"
        in run("trend", "checkout", "--metric", "error_rate", data=tmp_path).stdout
    )


def test_names_break_no_line_and_steer_no_terminal(tmp_path: Path) -> None:
    """They are anybody's text."""
    history(tmp_path, "/a\nGET /b\x1b[2J", "p95_ms", noisy((100, 12), (140, 10)))
    printed = run("trend", "checkout", data=tmp_path).stdout
    assert "\x1b" not in printed
    assert printed.splitlines()[-1].startswith("GET /a GET /b")


def history(folder: Path, name: str, metric: str, values: Iterable[float]) -> None:
    """Add a run a day with that figure of an endpoint."""
    engine = ator_lib.connect(folder).parts.engine
    for number, value in enumerate(values):
        run_id = add_run(engine, {(name, "GET"): 1.0}, number)
        with write(engine) as connection:
            connection.execute(update(summaries).where(summaries.c.run_id == run_id).values({metric: value}))


def test_the_answer_as_json(data: Path) -> None:
    """All of it."""
    options = ("--metric", "mean_ms", "--by", "total", "--last", 20, "--minimum-effect", 0.1)
    answer = json.loads(run("trend", "checkout", *options, "--json", data=data).stdout)
    assert answer["parameters"] | {"test": "checkout", "metric": "mean_ms", "last": 20} == answer["parameters"]
    assert [change["run_id"] for change in answer["changes"]] == [13]
    assert len(answer["rows"]) == 20


def test_marks_are_made_listed_and_removed(data: Path) -> None:
    """A marked change is no alarm."""
    assert "mark 1 on run 13: new server" in run("annotate", 13, "new server", data=data).stderr
    assert "new server" in run("trend", "checkout", data=data).stdout
    listed = json.loads(run("annotation", "list", "--json", data=data).stdout)
    assert [(mark["run_id"], mark["resets"]) for mark in listed] == [(13, True)]
    assert run("annotation", "remove", 1, data=data).exit_code == 0
    assert "no marks yet" in run("annotation", "list", data=data).stdout


def test_a_remark_resets_nothing(data: Path) -> None:
    """It may be about a metric and an endpoint."""
    words = ("annotate", 13, "odd", "--remark", "--metric", "p95_ms", "--name", "/a", "--json")
    mark = json.loads(run(*words, data=data).stdout)
    assert (mark["resets"], mark["metric"], mark["name"]) == (False, "p95_ms", "/a")
    assert "regressed at run 13" in run("trend", "checkout", data=data).stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trend", "chekout"], "did you mean 'checkout'"),
        (["trend", "checkout", "--metric", "p95"], "there is no metric 'p95'"),
        (["annotate", "99", "x"], "there is no run 99"),
        (["annotate", "1", " "], "a mark says something"),
        (["annotation", "remove", "9"], "there is no mark 9"),
    ],
)
def test_bad_input_is_exit_code_2(data: Path, words: list[str], message: str) -> None:
    """With a sentence."""
    result = run(*words, data=data)
    assert result.exit_code == 2
    assert message in result.stderr
