"""The result of autocannon: what it measured, what it lacks, and where it is not believed."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ator_lib.errors import ResultsError
from tests.support.readings import RECORDED, Read, read, recognises

FOLDER = RECORDED / "autocannon"


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return found


def read_changed(tmp_path: Path, name: str, **changes: Any) -> Read:
    path = tmp_path / "result.json"
    path.write_text(json.dumps({**document(name), **changes}))
    assert recognises("autocannon", path)
    return read("autocannon", path)


def errors(found: Read) -> list[tuple[int | None, str | None, int]]:
    assert found.reading.errors is not None
    return [(row["status_code"], row["error"], row["requests"]) for row in found.reading.errors.to_pylist()]


def test_figures_are_those_of_the_tool() -> None:
    """Under the path of the URL; there is no p95, and its deviation divides by n."""
    found, said = read("autocannon", FOLDER / "answers.json"), document("answers.json")
    (row,) = found.summaries
    assert row["name"] == "/products"
    assert row == {**found.total, "scope": "name", "name": "/products"}
    assert (row["requests"], row["failures"]) == (said["2xx"], 0)
    latency = said["latency"]
    assert (row["mean_ms"], row["min_ms"], row["max_ms"]) == (latency["average"], latency["min"], latency["max"])
    quantiles = [row[f"{each}_ms"] for each in ("p50", "p75", "p90", "p99", "p99_9")]
    assert quantiles == [latency[each] for each in ("p50", "p75", "p90", "p99", "p99_9")]
    assert row["p95_ms"] is None
    count = latency["totalCount"]
    assert row["stddev_ms"] ** 2 * (count - 1) == pytest.approx(latency["stddev"] ** 2 * count)
    assert row["throughput_rps"] == pytest.approx(said["requests"]["average"], rel=0.01)
    assert (row["bytes_received"], row["precision"]) == (said["throughput"]["total"], "1 ms")


def test_the_window_and_the_connections_are_known() -> None:
    """In UTC; each connection is a user."""
    found, said = read("autocannon", FOLDER / "answers.json"), document("answers.json")
    start = datetime(2026, 11, 21, 14, 33, 0, 757_000, UTC)
    assert found.reading.started_at == start
    assert found.total["duration_s"] == said["duration"]
    assert [(row["timestamp"], row["metric"], row["value"]) for row in found.reading.metrics.to_pylist()] == [
        (start, "users", 4.0)
    ]


def test_answers_that_are_not_2xx_are_failures() -> None:
    """By their status."""
    found = read("autocannon", FOLDER / "bad-answers.json")
    assert (found.total["requests"], found.total["failures"], found.total["error_rate"]) == (38, 38, 1.0)
    assert errors(found) == [(422, None, 28), (500, None, 10)]


def test_timeouts_are_counted_once() -> None:
    """Autocannon counts them among its errors, too; nothing was measured, and its zeros are no latencies."""
    found = read("autocannon", FOLDER / "timeouts.json")
    assert (found.total["requests"], found.total["failures"]) == (4, 4)
    assert errors(found) == [(None, "timeout", 4)]
    assert {found.total[column] for column in ("mean_ms", "min_ms", "p50_ms", "p99_ms", "max_ms")} == {None}
    assert found.findings.notes[0].startswith("autocannon measured no latency")


def test_connections_that_are_refused_are_failures() -> None:
    """Each attempt is a request."""
    found = read("autocannon", FOLDER / "refused.json")
    assert errors(found) == [(None, "connection error", 34992)]
    assert found.total["requests"] == 34992


def test_made_up_latencies_are_said() -> None:
    """A steady rate makes autocannon add values for requests that it did not send."""
    found = read("autocannon", FOLDER / "steady-rate.json")
    assert found.summaries[0]["name"] == "products page"  # its title
    assert found.total["requests"] == 93
    assert "of 11668 latencies 11575 were made up" in found.findings.notes[0]


def test_latencies_of_good_answers_only_are_said(tmp_path: Path) -> None:
    """--excludeErrorStats."""
    latency = {**document("answers.json")["latency"], "totalCount": 90}
    found = read_changed(tmp_path, "answers.json", latency=latency)
    assert found.findings.notes == ["latencies are of 90 answers out of 97: those with a 2xx status"]


def test_results_of_early_versions_are_read(tmp_path: Path) -> None:
    """They have no numbers by status, and other names of percentiles; the least of no latency is the largest number."""
    latency = {"average": None, "stddev": None, "min": 9223372036854776000, "max": 0, "p50": 0, "p99": 0, "p999": 0}
    early = {"latency": latency, "statusCodeStats": None, "4xx": 38, "5xx": 0}
    found = read_changed(tmp_path, "bad-answers.json", **early)
    assert errors(found) == [(None, "4xx", 38)]
    assert (found.total["min_ms"], found.total["p50_ms"]) == (None, None)
    latency = {"average": 0.4, "stddev": 0.5, "min": 0, "max": 3, "p50": 0, "p99": 2, "p999": 3}
    total = read_changed(tmp_path, "bad-answers.json", latency=latency).total
    assert (total["p50_ms"], total["p99_ms"], total["p99_9_ms"]) == (0.0, 2.0, 3.0)
    assert total["stddev_ms"] == pytest.approx(0.5 * math.sqrt(38 / 37))


def test_unexpected_bodies_are_failures(tmp_path: Path) -> None:
    """An answer of a bad status has one, too, and fails once."""
    assert read_changed(tmp_path, "answers.json", mismatches=7).total["failures"] == 7
    assert read_changed(tmp_path, "bad-answers.json", mismatches=38).total["failures"] == 38


def test_a_result_of_several_urls_has_no_path(tmp_path: Path) -> None:
    """And a result without a time has none."""
    found = read_changed(tmp_path, "answers.json", url=["http://127.0.0.1/a", "http://127.0.0.1/b"], start="soon")
    assert found.summaries[0]["name"] == "all requests"
    assert (found.reading.started_at, len(found.reading.metrics)) == (None, 0)


@pytest.mark.parametrize("changes", [{"requests": {"total": 0}}, {"requests": None}, {"requests": {"total": -5}}])
def test_a_result_without_requests_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Nothing was sent, or nobody can tell."""
    with pytest.raises(ResultsError, match=r"^result.json holds no requests"):
        read_changed(tmp_path, "answers.json", **changes)


def test_two_results_are_refused() -> None:
    """Percentiles cannot be put together."""
    with pytest.raises(ResultsError, match="ingest each by itself"):
        read("autocannon", FOLDER / "answers.json", FOLDER / "timeouts.json")
