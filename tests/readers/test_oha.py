"""The result of oha: seconds, what has no number, and its success rate."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ator_lib.errors import ResultsError
from ator_lib.readers.base import ReadOptions
from tests.support.readings import RECORDED, Read, read, recognises

FOLDER = RECORDED / "oha"
SAID = json.loads((FOLDER / "deadline.json").read_text())


def read_changed(tmp_path: Path, **changes: Any) -> Read:
    path = tmp_path / "result.json"
    path.write_text(json.dumps({**SAID, **changes}))
    assert recognises("oha", path)
    return read("oha", path)


def test_seconds_become_milliseconds() -> None:
    """Percentiles have dots in their keys."""
    total, percentiles = read("oha", FOLDER / "deadline.json").total, SAID["latencyPercentiles"]
    assert total["mean_ms"] == pytest.approx(SAID["summary"]["average"] * 1000)
    assert total["max_ms"] == pytest.approx(SAID["summary"]["slowest"] * 1000)
    for key, column in (("p50", "p50_ms"), ("p75", "p75_ms"), ("p95", "p95_ms"), ("p99.9", "p99_9_ms")):
        assert total[column] == pytest.approx(percentiles[key] * 1000)
    assert (total["duration_s"], total["bytes_received"]) == (SAID["summary"]["total"], 170600)
    assert total["throughput_rps"] == pytest.approx(SAID["summary"]["requestsPerSec"])


def test_its_success_rate_is_not_believed() -> None:
    """It says 1.0 beside bad statuses and requests that it cut off."""
    found = read("oha", FOLDER / "deadline.json")
    assert SAID["summary"]["successRate"] == 1.0
    assert (found.total["requests"], found.total["failures"]) == (188 + 4 + 8 + 10, 8 + 10)
    assert found.reading.errors is not None
    assert [(row["status_code"], row["error"], row["requests"]) for row in found.reading.errors.to_pylist()] == [
        (None, "aborted due to deadline", 10),
        (500, None, 8),
    ]
    assert found.findings.notes == [
        "10 requests were under way when the time was up and count as failures: oha's own success rate leaves them out",
        "latencies are of the 200 answers: 10 requests without one have none",
    ]


def test_the_histogram_is_kept() -> None:
    """A key is the upper end of its bin, and the first one only what took least."""
    found = read("oha", FOLDER / "deadline.json")
    assert found.reading.distributions is not None
    bins = [row for row in found.reading.distributions.to_pylist() if row["name"] is None]
    keys = sorted(float(key) * 1000 for key in SAID["responseTimeHistogram"])
    assert [row["lower_ms"] for row in bins] == pytest.approx(keys[:-1])
    assert [row["upper_ms"] for row in bins] == pytest.approx(keys[1:])
    assert sum(row["count"] for row in bins) == 200
    assert bins[-1]["upper_ms"] > found.total["max_ms"]


def test_what_has_no_number_is_null() -> None:
    """Without an answer oha prints null, and a histogram of NaN."""
    found = read("oha", FOLDER / "refused.json")
    assert (found.total["requests"], found.total["error_rate"]) == (50, 1.0)
    assert {found.total[column] for column in ("mean_ms", "min_ms", "max_ms", "p50_ms", "p99_ms")} == {None}
    assert found.reading.distributions is None


def test_a_histogram_that_lacks_answers_is_left_out(tmp_path: Path) -> None:
    """Of equal times oha prints one key, with no request."""
    assert read_changed(tmp_path, responseTimeHistogram={"0.01": 0}).reading.distributions is None


def test_when_it_ran_is_said_by_the_user() -> None:
    """The file does not."""
    start = datetime(2026, 11, 1, 12, tzinfo=UTC)
    path = FOLDER / "deadline.json"
    assert read("oha", path).reading.started_at is None
    reading = read("oha", path, options=ReadOptions(started_at=start)).reading
    assert reading.ended_at == start + timedelta(seconds=SAID["summary"]["total"])


def test_a_result_without_requests_is_refused(tmp_path: Path) -> None:
    """Nobody can tell what it was."""
    with pytest.raises(ResultsError, match=r"^result.json holds no requests"):
        read_changed(tmp_path, statusCodeDistribution={}, errorDistribution=None)


def test_what_is_no_status_is_an_error(tmp_path: Path) -> None:
    """It does not fit where statuses are kept."""
    found = read_changed(tmp_path, statusCodeDistribution={"99999": 3, "204": 1}, errorDistribution={})
    assert found.reading.errors is not None
    assert [(row["status_code"], row["error"]) for row in found.reading.errors.to_pylist()] == [(None, "status 99999")]
