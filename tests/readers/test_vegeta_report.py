"""Reports of vegeta, in JSON and as text."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from ator_lib.errors import ResultsError
from tests.support.readings import RECORDED, read, recognises

REPORTS = RECORDED / "vegeta-report"
RESULTS = RECORDED / "vegeta" / "results.gob"


@pytest.mark.parametrize("name", ["report.json", "buckets.json", "report.txt"])
def test_figures_are_those_of_the_results(name: str) -> None:
    """The report is of the results beside it: counts, the mean and the extremes are theirs, as far as it has digits."""
    samples = read("vegeta", RESULTS).samples
    total = read("vegeta-report", REPORTS / name).total
    durations = [row["duration_ms"] for row in samples]
    assert total["requests"] == len(samples)
    assert total["failures"] == sum(not row["success"] for row in samples)
    assert total["mean_ms"] == pytest.approx(sum(durations) / len(durations), abs=0.0005)
    assert total["min_ms"] == pytest.approx(min(durations), abs=0.0005)
    assert total["max_ms"] == pytest.approx(max(durations), abs=0.0005)
    assert total["bytes_received"] == sum(row["bytes_received"] for row in samples)
    assert total["precision"] == "tool summary"


def test_the_window_is_from_the_first_start_to_the_last_end() -> None:
    """The attack, and the wait for the last response; throughput is of all requests in it."""
    document = json.loads((REPORTS / "report.json").read_text())
    found = read("vegeta-report", REPORTS / "report.json")
    assert found.reading.started_at == datetime.fromisoformat(document["earliest"])
    assert found.reading.ended_at == datetime.fromisoformat(document["end"])
    seconds = (document["duration"] + document["wait"]) / 1e9
    assert found.total["duration_s"] == pytest.approx(seconds)
    assert found.total["throughput_rps"] == pytest.approx(document["requests"] / seconds)


def test_buckets_become_a_distribution() -> None:
    """The last one, which has no end, ends with the longest request."""
    distributions = read("vegeta-report", REPORTS / "buckets.json").reading.distributions
    assert distributions is not None
    whole = [row for row in distributions.to_pylist() if row["name"] is None]
    buckets = json.loads((REPORTS / "buckets.json").read_text())["buckets"]
    assert {f"{row['lower_ms'] * 1e6:.0f}": row["count"] for row in whole} == buckets
    assert [row["lower_ms"] for row in whole[1:]] == [row["upper_ms"] for row in whole[:-1]]


def test_of_reports_that_follow_each_other_the_last_one_counts(tmp_path: Path) -> None:
    """As ``vegeta report -every 1s`` writes them."""
    path = tmp_path / "report.txt"
    text = (REPORTS / "report.txt").read_text()
    path.write_text(text.replace("         40,", "         12,") + "\x1b[2J\x1b[0;0H" + text)
    assert read("vegeta-report", path).total["requests"] == 40


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [("1h2m3.5s", 3_723_500), ("946.412ms", 946.412), ("254.737µs", 0.254737), ("80ns", 0.00008), ("1m0s", 60_000)],
)
def test_durations_of_go_are_read(tmp_path: Path, written: str, milliseconds: float) -> None:
    """In any of its units, and several of them."""
    path = tmp_path / "report.txt"
    lines = ["Requests      [total, rate]  1, 1.00", f"Latencies     [mean, max]  {written}, {written}"]
    path.write_text("\n".join([*lines, "Status Codes  [code:count]  200:1  "]) + "\n")
    assert recognises("vegeta-report", path)
    assert read("vegeta-report", path).total["mean_ms"] == pytest.approx(milliseconds)


def test_damage_is_an_error_of_one_sentence(tmp_path: Path) -> None:
    """It names the file."""
    path = tmp_path / "report"
    document = json.loads((REPORTS / "report.json").read_text())
    text = (REPORTS / "report.txt").read_text()
    broken = [
        json.dumps(document)[:200],
        json.dumps({**document, "latencies": []}),
        json.dumps({**document, "requests": 0, "status_codes": {}}),
        json.dumps({**document, "requests": "many"}),
        json.dumps({**document, "status_codes": {"200": 1}}),
        text[: text.index("Status")],
        "",
    ]
    for content in broken:
        path.write_text(content)
        with pytest.raises(ResultsError, match=r"^report (is|tells)"):
            read("vegeta-report", path)
