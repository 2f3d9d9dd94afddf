"""``ator gate``: what it takes, what it writes, and its published exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import ator_lib
from ator_lib.cli.app import app
from tests.support.files import synthetic_csv


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs 1 and 2 are alike, and run 3 is twice as slow."""
    folder = tmp_path_factory.mktemp("gate")
    ws = ator_lib.connect(folder / "data")
    for number, factor in enumerate((1.0, 1.0, 2.0), start=1):
        durations = np.random.default_rng(number).lognormal(3, 0.3, 600) * factor
        ws.ingest(synthetic_csv(folder / f"{number}.csv", durations), test="checkout", stream="main")
    return folder / "data"


@pytest.fixture
def gates(tmp_path: Path) -> Path:
    """Write a gate file that runs like the first pass, and run 3 does not, with and without a baseline."""
    path = tmp_path / "gates.yaml"
    path.write_text("gates:\n  - p50_ms < 30\n  - p50 no worse than 10 %\n")
    return path


def ator(*words: object, store: Path) -> Result:
    return CliRunner().invoke(app, ["gate", *map(str, words), "--data", str(store)])


def test_a_failed_gate_is_exit_code_1(store: Path, gates: Path) -> None:
    """A table, what did not pass in full, and the answer in the last line."""
    result = ator(3, gates, "--baseline", 1, store=store)
    assert result.exit_code == 1, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["outcome", "gate", "endpoint", "measured", "limit", "unit"]
    assert any(line.startswith("failed: p50_ms < 30: ") and line.endswith(" is not below 30 ms") for line in lines)
    assert lines[-1].startswith("failed: 2 failed; p50_ms < 30: ")


def test_no_baseline_is_exit_code_4_unless_it_is_allowed(store: Path, gates: Path) -> None:
    """By the file, by the option, and for a name that nobody pinned."""
    assert ator(1, gates, store=store).exit_code == 4
    assert ator(1, gates, "--baseline", "previous", store=store).exit_code == 4
    assert ator(1, gates, "--baseline", "nobody", store=store).exit_code == 4
    allowed = ator(1, gates, "--baseline", "previous", "--allow-no-baseline", store=store)
    assert allowed.exit_code == 0, allowed.output
    assert "waived: p50 no worse than 10 %: waived: no baseline is needed yet" in allowed.stdout


def test_json_has_verdict_and_rows(store: Path, gates: Path) -> None:
    """One object on stdout, with the exit code that goes with it."""
    result = ator(3, gates, "--baseline", 1, "--json", store=store)
    answer = json.loads(result.stdout)
    assert (answer["verdict"], answer["exit_code"], result.exit_code) == ("failed", 1, 1)
    assert [row["gate"] for row in answer["rows"]] == ["p50_ms < 30", "p50 no worse than 10 %"]


def test_files_for_ci_are_written_whatever_the_verdict(store: Path, gates: Path, tmp_path: Path) -> None:
    """JUnit XML and Markdown, in folders that are made, in place of those of before."""
    junit, markdown = tmp_path / "out" / "gates.xml", tmp_path / "out" / "gates.md"
    for run_id, failures in ((3, "2"), (2, "0")):
        ator(run_id, gates, "--baseline", 1, "--junit", junit, "--markdown", markdown, store=store)
        assert ElementTree.parse(junit).getroot().get("failures") == failures
        assert markdown.read_text().startswith(f"### Gates of run {run_id} ")
    assert sorted(path.name for path in junit.parent.iterdir()) == ["gates.md", "gates.xml"]


def test_a_wrong_gate_file_is_exit_code_2(store: Path, tmp_path: Path) -> None:
    """Nothing is written, and the message has the place."""
    path = tmp_path / "gates.yaml"
    path.write_text("gates:\n  - p59 < 300 ms\n")
    result = ator(1, path, "--junit", tmp_path / "out.xml", store=store)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {path}, line 2, gate 1 (p59 < 300 ms), metric: no metric is called 'p59'")
    assert not (tmp_path / "out.xml").exists()


def test_strict_makes_too_little_evidence_exit_code_4(store: Path, tmp_path: Path) -> None:
    """It is no pass in either case."""
    path = tmp_path / "gates.yaml"
    path.write_text("gates:\n  - p99 no worse than 0.1 %\n")
    loose, strict = (ator(2, path, "--baseline", 1, *more, "--json", store=store) for more in ((), ("--strict",)))
    assert json.loads(loose.stdout)["rows"][0]["reason"] == "not enough evidence"
    assert (loose.exit_code, strict.exit_code) == (0, 4)
