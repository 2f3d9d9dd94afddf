"""What siege prints."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ator_lib.errors import ResultsError
from ator_lib.readers.base import ReadOptions
from tests.support.readings import RECORDED, read, recognises

RUNS = RECORDED / "siege"
LINES, STATISTICS = RUNS / "two-outputs" / "lines.txt", RUNS / "two-outputs" / "statistics.txt"


def test_lines_become_samples() -> None:
    """With method, status and path, to the hundredth of a second; the statistics beside them agree."""
    found = read("siege", LINES, STATISTICS)
    assert len(found.samples) == len(LINES.read_text().splitlines())
    failed = re.search(r"Failed transactions:\s+(\d+)", STATISTICS.read_text())
    assert failed is not None
    assert sum(not row["success"] for row in found.samples) == int(failed[1]) > 0
    assert {(row["method"], row["name"], row["bytes_received"]) for row in found.samples} == {("GET", "/mixed", 12)}
    assert {row["duration_ms"] % 10 for row in found.samples} == {0}
    assert found.reading.precision == "10 ms"


@pytest.mark.parametrize(
    "line",
    [
        "HTTP/1.1 404     1.25 secs:     312 bytes ==> GET  /items?page=2",
        "[Sat, 2026-11-21 10:00:00] HTTP/1.1 404     1.25 secs:     312 bytes ==> GET  http://127.0.0.1/items",
        "   3) HTTP/1.1 404   1.25 secs:     312 bytes ==> GET  /items",
        "\x1b[0;36mHTTP/1.1 404(C)  1.25 secs:     312 bytes ==> GET  /items\x1b[0m",
    ],
)
def test_lines_of_all_settings_are_read(tmp_path: Path, line: str) -> None:
    """With a time, the number of a user, colours, and from the cache."""
    path = tmp_path / "siege.txt"
    path.write_text(f"{line}\n")
    assert recognises("siege", path)
    (row,) = read("siege", path).samples
    assert (row["name"], row["status_code"], row["duration_ms"], row["bytes_received"]) == ("/items", 404, 1250, 312)
    assert not row["success"]


def test_lines_of_csv_have_times_of_ends() -> None:
    """In the zone of the machine, which the user may name."""
    lines = [line.split(",") for line in (RUNS / "lines.csv").read_text().splitlines()]
    found = read("siege", RUNS / "lines.csv")
    assert [row["status_code"] for row in found.samples] == [int(line[1]) for line in lines]
    ended = [row["started_at"] + timedelta(milliseconds=row["duration_ms"]) for row in found.samples]
    assert ended == [datetime.fromisoformat(line[-1]).replace(tzinfo=UTC) for line in lines]
    assert any("read as UTC" in note for note in found.findings.notes)
    assert found.reading.clock_s == 1
    east = read("siege", RUNS / "lines.csv", options=ReadOptions(zone=ZoneInfo("Asia/Tokyo"))).samples
    assert found.samples[0]["started_at"] - east[0]["started_at"] == timedelta(hours=9)


def test_statistics_are_read_as_json_and_as_text(tmp_path: Path) -> None:
    """Transactions are those that succeeded, so that failed ones are added."""
    document = json.loads((RUNS / "statistics.json").read_text())
    total = read("siege", RUNS / "statistics.json").total
    assert total["requests"] == document["transactions"] + document["failed_transactions"]
    assert total["failures"] == document["failed_transactions"]
    assert total["duration_s"] == document["elapsed_time"]
    assert total["mean_ms"] == 1000 * document["response_time"]
    assert total["max_ms"] == 1000 * document["longest_transaction"]
    text = (
        "Transactions:\t\t{transactions} hits\nElapsed time:\t\t{elapsed_time} secs\n"
        "Response time:\t\t{response_time} secs\n"
        "Failed transactions:\t{failed_transactions}\nLongest transaction:\t{longest_transaction}\n"
        "Shortest transaction:\t{shortest_transaction}\n"
    )
    path = tmp_path / "statistics.txt"
    path.write_text(text.format(**document))
    assert read("siege", path).total == total


def test_newer_statistics_are_in_milliseconds(tmp_path: Path) -> None:
    """Which they say."""
    path = tmp_path / "statistics.txt"
    text = STATISTICS.read_text()
    path.write_text(
        re.sub(
            r"(Response time:\s+)[\d.]+ secs",
            r"\g<1>12.34 ms",
            re.sub(r"(Longest.*:\s+)[\d.]+", r"\g<1>21.50 ms", text),
        )
    )
    total = read("siege", path).total
    assert (total["mean_ms"], total["max_ms"], total["precision"]) == (12.34, 21.5, "0.01 ms")


def test_requests_that_got_no_response_count_as_failures(tmp_path: Path) -> None:
    """They have no line, so that the statistics are finer than the lines."""
    total = read("siege", RUNS / "unreachable.txt").total
    assert (total["requests"], total["failures"], total["mean_ms"]) == (6, 6, None)
    path = tmp_path / "lines.txt"
    path.write_text(LINES.read_text().partition("\n")[2])
    found = read("siege", path, STATISTICS)
    assert not found.samples
    assert found.total["requests"] == 40
    assert any("39 of 40 requests have a line" in note for note in found.findings.notes)


def test_damage_and_several_runs_are_errors(tmp_path: Path) -> None:
    """One sentence, with the name of the file."""
    path = tmp_path / "siege.txt"
    text = STATISTICS.read_text()
    for content in (text[: text.index("Elapsed")], re.sub(r"\b(32|8)\b", "0", text), "", text + text):
        path.write_text(content)
        with pytest.raises(ResultsError, match=r"siege.txt (tells of no request|has the statistics of several)"):
            read("siege", path)
