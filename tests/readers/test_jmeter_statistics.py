"""The statistics of JMeter's report: figures as they stand there, and what is wrong with damaged ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ator_lib.errors import ResultsError
from tests.support.readings import RECORDED, read, recognises

STATISTICS = RECORDED / "jmeter-statistics" / "statistics.json"
FORMAT = "jmeter-statistics"


def written(folder: Path, **statistics: Any) -> Path:
    path = folder / "statistics.json"
    path.write_text(json.dumps(statistics))
    return path


def statistic(requests: Any = 10, failures: Any = 1, **figures: Any) -> dict[str, Any]:
    return {"sampleCount": requests, "errorCount": failures, "meanResTime": 20.0, **figures}


def test_figures_are_those_of_the_report() -> None:
    """Durations in ms, the percentiles that JMeter writes by default, and an error rate of 0 to 1."""
    found = read(FORMAT, STATISTICS)
    basket = next(row for row in found.summaries if row["name"] == "GET /basket")
    assert (basket["requests"], basket["failures"], basket["error_rate"]) == (3, 2, 2 / 3)
    assert (basket["min_ms"], basket["mean_ms"], basket["max_ms"]) == (30, (30 + 60 + 120) / 3, 120)
    assert (basket["p50_ms"], basket["p90_ms"], basket["p95_ms"], basket["p99_ms"]) == (60, 120, 120, 120)
    assert (basket["p75_ms"], basket["stddev_ms"], basket["bytes_received"]) == (None, None, None)
    assert (found.total["requests"], found.total["failures"], found.total["throughput_rps"]) == (7, 2, 3.5)
    assert {row["precision"] for row in found.summaries} == {"tool summary"}
    assert "percentiles 90, 95 and 99" in found.findings.notes[0]


def test_transactions_among_the_names_are_said(tmp_path: Path) -> None:
    """They are in no count of the total, and nothing in the file tells them from requests."""
    path = written(tmp_path, Total=statistic(10), buy=statistic(5), item=statistic(10))
    found = read(FORMAT, path)
    assert found.total["requests"] == 10
    assert any("transaction controllers" in note for note in found.findings.notes)


def test_percentiles_of_a_long_run_are_said_to_be_of_its_end(tmp_path: Path) -> None:
    """JMeter keeps a window of requests for those of the total."""
    found = read(FORMAT, written(tmp_path, Total=statistic(20_001), item=statistic(20_001)))
    assert any("20,000" in note for note in found.findings.notes)


def test_a_total_that_is_called_otherwise_is_added_up(tmp_path: Path) -> None:
    """A report may lack it; percentiles cannot be added up."""
    found = read(FORMAT, written(tmp_path, a=statistic(10, pct2ResTime=30.0), b=statistic(30, 0)))
    assert (found.total["requests"], found.total["failures"], found.total["p95_ms"]) == (40, 1, None)


@pytest.mark.parametrize("value", ["NaN", None, True, -1, 1e300])
def test_a_figure_that_is_none_is_null(tmp_path: Path, value: Any) -> None:
    """Java writes ``NaN`` for the mean of nothing."""
    found = read(FORMAT, written(tmp_path, a=statistic(medianResTime=value)))
    assert found.summaries[0]["p50_ms"] is None


@pytest.mark.parametrize(
    ("statistics", "said"),
    [
        ({"Total": statistic(0, 0)}, "tells of no request"),
        ({}, "tells of no request"),
        ({"a": 1}, "'a' is no object"),
        ({"a": statistic("10")}, "how many requests 'a' had"),
        ({"a": statistic(10, -1)}, "how many failures 'a' had"),
        ({"a": statistic(True)}, "how many requests 'a' had"),
    ],
)
def test_what_tells_of_no_request_is_refused(tmp_path: Path, statistics: dict[str, Any], said: str) -> None:
    """With the file and what it lacks."""
    path = written(tmp_path, **statistics)
    with pytest.raises(ResultsError, match=rf"statistics\.json .*{said}"):
        read(FORMAT, path)


def test_a_cut_file_is_recognised_and_refused(tmp_path: Path) -> None:
    """The place where it ends is said; another JSON is not recognised."""
    path = tmp_path / "statistics.json"
    path.write_bytes(STATISTICS.read_bytes()[:700])
    assert recognises(FORMAT, path)
    with pytest.raises(ResultsError, match=r"statistics\.json is no whole JSON document: .*line \d+"):
        read(FORMAT, path)
    path.write_text('{"sampleCount": 1}')
    assert not recognises(FORMAT, path)


def test_two_reports_are_no_run() -> None:
    """Statistics cannot be added up."""
    with pytest.raises(ResultsError, match="one file a run"):
        read(FORMAT, STATISTICS, STATISTICS)
