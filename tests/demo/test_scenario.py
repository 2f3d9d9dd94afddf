"""The demo from the command line, in an empty folder, as a newcomer would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from ator_lib.schema import PERCENTILE_RULE
from tests.support.browser import GuardedPage

Ator = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def ator(tmp_path_factory: pytest.TempPathFactory) -> Ator:
    """Run `ator …` in a folder of its own, without any setting from outside."""
    folder = tmp_path_factory.mktemp("newcomer")
    env = {name: value for name, value in os.environ.items() if not name.startswith("ATOR_")}

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "ator_lib.cli", *map(str, arguments)]
        return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, timeout=200, check=False)

    return run


@pytest.fixture(scope="module")
def told(ator: Ator) -> str:
    """What the demo says; it runs once for this module."""
    done = ator("demo")
    assert done.returncode == 0, done.stderr
    return done.stdout


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def test_third_registration_is_refused(told: str) -> None:
    """0.6 + 0.4 is not below 1, and the demo shows the words of the refusal."""
    assert "0.6 taken + 0.4 requested is not below 1" in told


def test_slowed_endpoint_is_named_and_the_others_are_not(told: str, ator: Ator) -> None:
    """The comparison on the demo's data finds what the knob did, and only that; its exit code says so."""
    done = ator("compare", 2, "--baseline", 1, "--json")
    verdicts = {row["name"]: row["verdict"] for row in answer(done)["endpoints"] if row["scope"] == "name"}
    assert verdicts.pop("/search") == "regressed"
    assert len(verdicts) == 3
    assert "regressed" not in verdicts.values()
    assert (done.returncode, answer(done)["verdict"]) == (1, "regressed")


def test_history_has_both_runs_and_nothing_is_left_running(told: str, ator: Ator) -> None:
    """The refused registration left no row."""
    runs = answer(ator("history", "--json"))
    assert [(run["run_id"], run["status"]) for run in runs] == [(2, "success"), (1, "success")]
    assert answer(ator("status", "--json")) == []


def test_summary_agrees_with_the_samples(told: str, ator: Ator) -> None:
    """Endpoints add up to the total, which the SUMMARIES names describe."""
    *endpoints, total = answer(ator("summary", 2, "--json"))
    assert total["scope"] == "total"
    assert sum(row["requests"] for row in endpoints) == total["requests"] > 300
    assert total["precision"] == "exact"


def test_report_draws_its_figures_without_a_network(told: str, ator: Ator, offline_page: GuardedPage) -> None:
    """One file: timeline, endpoints, heat map, comparison, the verdict and the rule of percentiles; it asks no host."""
    line = next(line for line in told.splitlines() if line.startswith("report"))
    offline_page.page.goto(Path(line.split(maxsplit=1)[1]).as_uri())
    expect(offline_page.page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    assert offline_page.page.locator(".js-plotly-plot").count() == 4
    expect(offline_page.page.locator("b", has_text="regressed")).to_be_visible()
    expect(offline_page.page.get_by_text(PERCENTILE_RULE)).to_be_visible()
    assert offline_page.requests_made == []
