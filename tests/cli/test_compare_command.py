"""``ator compare``: what it takes, and its published exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import ator_lib
from ator_lib.cli.app import app
from ator_lib.cli.compare import ComparisonOptions, baseline_of
from ator_lib.errors import UsageError
from tests.support.files import synthetic_csv

WARM_UP = "--warm-up=0"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs 1 to 3 are alike, 4 is twice as slow, 5 is of another test."""
    folder = tmp_path_factory.mktemp("compare")
    ws = ator_lib.connect(folder / "data")
    for number, factor in enumerate((1.0, 1.0, 1.0, 2.0, 1.0), start=1):
        durations = np.random.default_rng(number).lognormal(3, 0.3, 600) * factor
        file = synthetic_csv(folder / f"{number}.csv", durations)
        ws.ingest(file, test="search" if number == 5 else "checkout", stream="main")
    ws.baselines.pin("release", 1)
    return folder / "data"


def ator(*words: object, store: Path) -> Result:
    return CliRunner().invoke(app, [*map(str, words), "--data", str(store)])


def test_a_regression_is_exit_code_1(store: Path) -> None:
    """The table, the notes and, last, the sentence that says it."""
    result = ator("compare", 4, "--baseline", "release", WARM_UP, store=store)
    assert result.exit_code == 1, result.output
    assert result.stdout.splitlines()[-1].startswith("regressed: ")


def test_json_has_verdict_rows_and_checks(store: Path) -> None:
    """One object; several runs a side are told by their ids."""
    result = ator("compare", 3, "--baseline", 1, "--baseline", 2, "--json", WARM_UP, store=store)
    answer = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert {"verdict", "rows", "checks", "notes"} <= set(answer)
    assert [run["run_id"] for run in answer["baseline"]] == [1, 2]


def test_not_comparable_is_exit_code_4_until_it_is_waived(store: Path) -> None:
    """Another test is no baseline; a waiver by name makes it one, and stays in the answer."""
    assert ator("compare", 5, "--baseline", 1, store=store).exit_code == 4
    waived = ator("compare", 5, "--baseline", 1, "--waive", "test", "--json", WARM_UP, store=store)
    assert waived.exit_code == 0, waived.output
    assert [check["name"] for check in json.loads(waived.stdout)["checks"] if check["waived"]] == ["test"]
    assert ator("compare", 5, "--baseline", 1, "--waive", "wheather", store=store).exit_code == 2


def test_no_baseline_is_exit_code_4_or_allowed(store: Path) -> None:
    """On a first run a pipeline may go on; the sentence says what is missing in either case."""
    refused = ator("compare", 5, store=store)
    assert refused.exit_code == 4
    assert "no run with requests before run 5" in refused.stderr
    allowed = ator("compare", 5, "--allow-no-baseline", "--json", store=store)
    assert allowed.exit_code == 0
    assert json.loads(allowed.stdout)["verdict"] is None


def test_strict_wants_evidence(store: Path) -> None:
    """One run a side cannot show that nothing changed: 0, and 4 if evidence is asked for."""
    same = ("compare", 2, "--baseline", 1, WARM_UP)
    assert "not enough evidence" in ator(*same, store=store).stdout.splitlines()[-1]
    assert ator(*same, store=store).exit_code == 0
    assert ator(*same, "--strict", store=store).exit_code == 4


def test_side_by_side_tells_each_run(store: Path) -> None:
    """A line and a comparison per run; the exit code is that of the worst."""
    plain = ator("compare", 2, 4, "--baseline", 1, "--side-by-side", WARM_UP, store=store)
    assert plain.exit_code == 1, plain.output
    assert [line.split(":")[0] for line in plain.stdout.splitlines()] == ["run 2", "run 4"]
    answer = json.loads(ator("compare", 2, 4, "--baseline", 1, "--side-by-side", "--json", store=store).stdout)
    assert [comparison["run_id"] for comparison in answer["comparisons"]] == [2, 4]


def test_options_are_read() -> None:
    """Names of endpoints may have signs of their own; what is not given is left to the library."""
    options = ComparisonOptions(
        minimum_effect=["p95_ms=0.1", "p95_ms of GET /s?q=1=0.2"],
        map=["GET /v1/s?q=1 -> GET /v2/s?q=1"],
        waive=["tool"],
        warm_up="10",
    )
    assert options.as_arguments() == {
        "minimum_effect": {"p95_ms": 0.1, "p95_ms of GET /s?q=1": 0.2},
        "mapping": {"GET /v1/s?q=1": "GET /v2/s?q=1"},
        "waive": ("tool",),
        "warm_up": 10.0,
    }
    assert ComparisonOptions().as_arguments() == {}


@pytest.mark.parametrize(
    "options",
    [{"minimum_effect": ["p95_ms"]}, {"minimum_effect": ["p95_ms=ten"]}, {"map": ["/a=/b"]}, {"warm_up": "soon"}],
)
def test_bad_options_are_told(options: dict) -> None:
    """By their name."""
    (name,) = options
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')}"):
        ComparisonOptions(**options).as_arguments()


@pytest.mark.parametrize(
    ("texts", "baseline"),
    [
        (None, "previous"),
        (["41"], 41),
        (["release"], "release"),
        (["41", "release"], [41, "release"]),
        (["previous:5"], "previous:5"),
        (["stream=main,last=5"], {"stream": "main", "last": 5}),
    ],
)
def test_baselines_are_read(texts: list[str] | None, baseline: object) -> None:
    """Runs, names and searches."""
    assert baseline_of(texts) == baseline


@pytest.mark.parametrize("texts", [["41", "previous"], ["41", "stream=main"], ["stream=main,last=x"]])
def test_bad_baselines_are_told(texts: list[str]) -> None:
    """A search stands alone, and a number is one."""
    with pytest.raises(UsageError, match="--baseline"):
        baseline_of(texts)
