"""What is ingested of a tool agrees with what the tool itself says, and with what the server answered."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import ator_lib as ator
from tests.tools.target import Target, running
from tests.tools.tools import ERRORS, OUTPUT, TOOLS, Tool

WITHIN_S = 60


@pytest.fixture
def target() -> Iterator[Target]:
    """A server of the test's own."""
    with running() as target:
        yield target


@pytest.mark.parametrize("tool", TOOLS, ids=str)
def test_figures_agree_with_the_tools_own(tmp_path: Path, target: Target, tool: Tool) -> None:
    """Requests, failures, mean and percentiles, within the precision that the tool has."""
    folder = tmp_path / "results"
    folder.mkdir()
    run_tool(tool, folder, target)
    ws = ator.connect(tmp_path / "data")
    summary = ws.ingest([folder / name for name in tool.files], test=tool.name).summary()
    total = summary[summary["scope"] == "total"].iloc[0]
    for column, (least, most) in tool.own(folder).items():
        assert least <= total[column] <= most, f"{column} is {total[column]}, and not from {least} to {most}"
    assert target.requests - tool.in_flight <= total["requests"] <= target.requests
    assert target.answers[500] - tool.in_flight <= total["failures"] <= target.answers[500]


def run_tool(tool: Tool, folder: Path, target: Target) -> None:
    """Run it to its end; what it prints is kept beside what it writes."""
    tool.prepare(folder, target.address)
    argv = [tool.find(), *tool.command(target.address)]
    quiet = {"HOME": str(folder), "ARTILLERY_DISABLE_TELEMETRY": "true", "NO_UPDATE_NOTIFIER": "1"}
    with (folder / OUTPUT).open("w") as output, (folder / ERRORS).open("w") as errors:
        ended = subprocess.run(
            argv,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env=os.environ | quiet,
            timeout=WITHIN_S,
        )
    words = "".join((folder / name).read_text()[-2000:] for name in (ERRORS, OUTPUT))
    assert ended.returncode in tool.exit_codes, f"{tool} ended with {ended.returncode}: {words}"
