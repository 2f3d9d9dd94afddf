"""The report of Artillery, of both its versions."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import ator_lib as ator
from ator_lib.errors import ResultsError
from tests.support.readings import RECORDED, Read, read, recognises

FOLDER = RECORDED / "artillery"


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return found


def read_document(tmp_path: Path, content: dict[str, Any]) -> Read:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(content))
    assert recognises("artillery", path)
    return read("artillery", path)


def errors(found: Read) -> list[tuple[str, int | None, str | None, int]]:
    assert found.reading.errors is not None
    rows = found.reading.errors.to_pylist()
    return [(row["name"], row["status_code"], row["error"], row["requests"]) for row in rows]


def timeline(found: Read) -> list[dict[str, Any]]:
    assert found.reading.timeline is not None
    rows: list[dict[str, Any]] = found.reading.timeline.to_pylist()
    return rows


# --- version 2 ---


def test_the_total_is_the_aggregate() -> None:
    """Requests that were sent, durations of all answers, the bytes, and the window of its metrics."""
    found, said = read("artillery", FOLDER / "2-endpoints.json"), document("2-endpoints.json")["aggregate"]
    durations = said["summaries"]["http.response_time"]
    total = found.total
    assert (total["requests"], total["failures"]) == (144, 12)
    assert [total[f"{each}_ms"] for each in ("mean", "min", "p50", "p75", "p90", "p95", "p99", "p99_9", "max")] == [
        durations[each] for each in ("mean", "min", "p50", "p75", "p90", "p95", "p99", "p999", "max")
    ]
    assert (total["bytes_received"], total["precision"]) == (83520, "±1%")
    assert total["duration_s"] == (said["lastMetricAt"] - said["firstMetricAt"]) / 1000
    assert found.reading.started_at == datetime.fromtimestamp(said["firstMetricAt"] / 1000, UTC)


def test_the_plugin_tells_endpoints_apart() -> None:
    """By the names that it gives them."""
    found = read("artillery", FOLDER / "2-endpoints.json")
    assert [(row["name"], row["requests"], row["failures"], row["p95_ms"]) for row in found.summaries] == [
        ("/products?limit=20", 48, 0, 156.0),
        ("/orders (order)", 48, 12, 194.4),
        ("/search?q=bag (search)", 48, 0, 252.2),
    ]
    assert errors(found) == [("/orders (order)", 500, None, 12)]


def test_periods_are_the_timeline() -> None:
    """Ten seconds each, from the time that it names."""
    parts = document("2-endpoints.json")["intermediate"]
    rows = timeline(read("artillery", FOLDER / "2-endpoints.json"))
    assert [int(row["interval_start"].timestamp() * 1000) for row in rows] == [int(part["period"]) for part in parts]
    assert [(row["interval_s"], row["requests"], row["throughput_rps"]) for row in rows] == [(10, 60, 6), (10, 84, 8.4)]
    assert [row["p95_ms"] for row in rows] == [part["summaries"]["http.response_time"]["p95"] for part in parts]


def test_failures_are_counted_at_least() -> None:
    """Timeouts, and the larger of bad statuses and answers that the test refused, which may be the same."""
    found = read("artillery", FOLDER / "2-failures.json")
    assert (found.total["requests"], found.total["failures"]) == (22, 1 + 5)
    assert sorted(errors(found)) == [
        ("/missing (missing)", 404, None, 5),
        ("/slow", None, "ETIMEDOUT", 1),
        ("all requests", None, "Failed capture or match", 5),
    ]
    assert found.findings.notes == [
        "durations are of answers: 1 requests without one, such as timeouts, have none",
        "5 answers that the test refused and 5 of a bad status may be the same requests: "
        "the larger number counts as failures",
    ]


def test_requests_that_the_plugin_does_not_see_are_a_row() -> None:
    """Each redirect makes a second request."""
    found = read("artillery", FOLDER / "2-failures.json")
    by_name = {row["name"]: (row["requests"], row["failures"]) for row in found.summaries}
    assert by_name.pop("other requests") == (5, 0)
    assert by_name == {"/moved": (5, 0), "/missing (missing)": (5, 5), "/ok": (6, 0), "/slow": (1, 1)}


def test_nothing_but_errors() -> None:
    """Then there are no durations."""
    found = read("artillery", FOLDER / "2-refused.json")
    assert (found.total["error_rate"], found.total["p50_ms"]) == (1.0, None)
    assert errors(found) == [("/x", None, "ECONNREFUSED", 6)]


def test_without_the_plugin_all_requests_have_one_name(tmp_path: Path) -> None:
    """And a namespace of the user's own is found."""
    content = json.dumps(document("2-endpoints.json"))
    renamed = json.loads(content.replace("plugins.metrics-by-endpoint", "shop.api"))
    assert read_document(tmp_path, renamed).summaries[0]["name"] == "/products?limit=20"
    for each in ("counters", "summaries", "histograms"):
        said = renamed["aggregate"][each]
        renamed["aggregate"][each] = {key: value for key, value in said.items() if not key.startswith("shop.api")}
    assert [row["name"] for row in read_document(tmp_path, renamed).summaries] == ["all requests"]


def test_sums_that_differ_are_said(tmp_path: Path) -> None:
    """Artillery loses periods at times."""
    content = document("2-endpoints.json")
    del content["intermediate"][1]
    assert read_document(tmp_path, content).findings.notes == [
        "the periods lack 84 of all requests: Artillery's own sums differ"
    ]


@pytest.mark.parametrize("counters", [{"vusers.created": 4, "websocket.messages_sent": 9}, {"vusers.created": 4}])
def test_other_engines_have_no_requests(tmp_path: Path, counters: dict[str, int]) -> None:
    """Web sockets, for one."""
    with pytest.raises(ResultsError, match=r"^report.json holds no HTTP requests"):
        read_document(tmp_path, {"aggregate": {"counters": counters}, "intermediate": []})


# --- version 1 ---


def test_requests_of_version_1_are_samples() -> None:
    """It dates answers: a request began as much earlier as it took, in ns."""
    found = read("artillery", FOLDER / "1-requests.json")
    kept = [entry for part in document("1-requests.json")["intermediate"] for entry in part["latencies"]]
    assert len(found.samples) == len(kept) == 60
    for row, (at_ms, user, took_ns, status) in zip(found.samples, kept, strict=True):
        assert row["duration_ms"] == took_ns / 1e6
        ended_at = row["started_at"] + timedelta(milliseconds=row["duration_ms"])
        assert abs(ended_at - datetime.fromtimestamp(at_ms / 1000, UTC)) <= timedelta(microseconds=2)
        assert (row["user"], row["status_code"], row["success"]) == (user, status, status == 200)
    assert [row["value"] for row in found.reading.metrics.to_pylist()] == [2.0, 2.0]
    assert found.reading.precision == "exact"


def test_without_all_requests_the_summary_counts() -> None:
    """Timeouts are not among those that version 1 keeps: samples alone would look healthy."""
    found, said = read("artillery", FOLDER / "1-timeouts.json"), document("1-timeouts.json")["aggregate"]
    assert found.samples == []
    total = found.total
    assert (total["requests"], total["failures"]) == (said["rps"]["count"], 7 + said["codes"]["500"])
    assert [total[f"{each}_ms"] for each in ("p50", "p95", "p99")] == [
        said["latency"][e] for e in ("median", "p95", "p99")
    ]
    assert (total["p90_ms"], total["mean_ms"], total["precision"]) == (None, None, "tool summary")
    assert total["throughput_rps"] == pytest.approx(said["rps"]["mean"])
    assert Counter({error: n for _, _, error, n in errors(found) if error}) == Counter(said["errors"])


def test_periods_of_version_1_are_dated_by_their_ends() -> None:
    """The first one began ten seconds earlier; a percentile that it did not reckon is null."""
    rows = timeline(read("artillery", FOLDER / "1-timeouts.json"))
    ends = [part["timestamp"] for part in document("1-timeouts.json")["intermediate"]]
    assert [row["interval_start"] + timedelta(seconds=row["interval_s"]) for row in rows] == [
        datetime.fromisoformat(end) for end in ends
    ]
    assert [(row["interval_s"], row["requests"], row["failures"]) for row in rows] == [(10.0, 17, 2), (8.114, 14, 6)]
    assert [row["users"] for row in rows] == [2, 2]
    assert rows[1]["p95_ms"] is None


def test_entries_that_are_none_leave_the_summary(tmp_path: Path) -> None:
    """Some versions keep bare numbers."""
    content = document("1-requests.json")
    for part in content["intermediate"]:
        part["latencies"] = [entry[2] for entry in part["latencies"]]
    assert read_document(tmp_path, content).total["requests"] == 60


def test_a_report_is_taken_in(tmp_path: Path) -> None:
    """A run of its own, which failed requests fail."""
    run = ator.connect(tmp_path / "ws").ingest(FOLDER / "2-failures.json", test="shop")
    assert run.status is ator.RunStatus.FAILURE
    assert run.errors().requests.tolist() == [5, 5, 1]
    assert len(run.timeline()) == 2
