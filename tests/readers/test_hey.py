"""CSV and summaries of hey."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ator_lib.errors import ResultsError
from ator_lib.readers.base import ReadOptions
from tests.support.readings import RECORDED, read, recognises

RUNS = RECORDED / "hey"
HEADER = "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset\n"
ROW = "0.0123,0.0020,0.0010,0.0001,0.0100,0.0002,200,1.5000\n"
START = datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_rows_become_samples() -> None:
    """Seconds become milliseconds; the counts and the sums are those of the file."""
    with (RUNS / "hey-0.1.4.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = read("hey", RUNS / "hey-0.1.4.csv")
    assert len(found.samples) == len(rows)
    assert sum(not row["success"] for row in found.samples) == sum(row["status-code"] == "500" for row in rows) > 0
    assert [row["duration_ms"] for row in found.samples] == [
        pytest.approx(1000 * float(row["response-time"]), abs=1e-9) for row in rows
    ]
    assert found.reading.precision == "0.1 ms"


def test_the_parts_of_a_response_are_told_apart(tmp_path: Path) -> None:
    """The first byte is there after the connection, the writing and the waiting."""
    path = tmp_path / "hey.csv"
    path.write_text(HEADER + ROW)
    (row,) = read("hey", path).samples
    assert (row["duration_ms"], row["connect_ms"], row["ttfb_ms"]) == (12.3, 2.0, 12.1)
    assert (row["name"], row["status_code"], row["started_at"]) == ("all requests", 200, None)


def test_starts_are_known_if_the_start_of_the_run_is() -> None:
    """The file holds what came after it."""
    with (RUNS / "hey-0.1.4.csv").open() as file:
        offsets = [float(row["offset"]) for row in csv.DictReader(file)]
    found = read("hey", RUNS / "hey-0.1.4.csv", options=ReadOptions(started_at=START)).samples
    assert [row["started_at"] for row in found] == [START + timedelta(seconds=offset) for offset in offsets]
    assert any("give started_at" in note for note in read("hey", RUNS / "hey-0.1.4.csv").findings.notes)


def test_without_status_codes_every_response_is_a_success() -> None:
    """Which is said."""
    found = read("hey", RUNS / "without-status.csv")
    assert all(row["success"] and row["status_code"] is None for row in found.samples)
    assert any("no status codes" in note for note in found.findings.notes)


def test_requests_without_a_response_are_not_in_the_csv() -> None:
    """Which is said."""
    assert any("without a response" in note for note in read("hey", RUNS / "hey-0.1.4.csv").findings.notes)


def test_several_files_are_parts_of_one_run(tmp_path: Path) -> None:
    """Such as those of several machines."""
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text(HEADER + ROW)
    assert len(read("hey", *tmp_path.iterdir()).samples) == 2


def test_bad_rows_are_rejected_by_number(tmp_path: Path) -> None:
    """And a last line that is cut short is said."""
    path = tmp_path / "hey.csv"
    bad = [ROW.replace("0.0123", "-1"), ROW.replace("200", "ok"), "1,2\n", ROW.replace("1.5000", "1e99")]
    path.write_text(HEADER + ROW + "".join(bad) + ROW + ROW[:9])
    found = read("hey", path)
    assert len(found.samples) == 2
    assert sorted(row.line or 0 for row in found.findings.rejected) == [3, 4, 5, 6]
    assert found.findings.truncated
    path.write_text(HEADER)
    with pytest.raises(ResultsError, match=r"hey.csv holds no response"):
        read("hey", path)
    path.write_text(HEADER + "".join(bad[:2]))
    with pytest.raises(ResultsError, match=r"no sound row below its header: line 2 a column holds no sound number\."):
        read("hey", path)


# --- the summary ---


def test_the_summary_is_read() -> None:
    """Its figures, by a search of our own in the text."""
    text = (RUNS / "summary.txt").read_text()
    total = read("hey", RUNS / "summary.txt").total

    def printed(pattern: str) -> float:
        found = re.search(pattern, text)
        assert found is not None
        return float(found[1])

    assert (total["requests"], total["failures"]) == (200, printed(r"\[500\]\t(\d+)"))
    assert total["mean_ms"] == pytest.approx(1000 * printed(r"Average:\t([\d.]+)"))
    assert total["max_ms"] == pytest.approx(1000 * printed(r"Slowest:\t([\d.]+)"))
    for percent in (50, 75, 90, 95, 99):
        assert total[f"p{percent}_ms"] == pytest.approx(1000 * printed(rf"{percent}%+ in ([\d.]+)"))
    assert total["duration_s"] == printed(r"Total:\t([\d.]+)")
    assert total["throughput_rps"] == printed(r"Requests/sec:\t([\d.]+)")
    assert total["bytes_received"] == printed(r"Total data:\t(\d+)")


def test_the_histogram_becomes_a_distribution() -> None:
    """Of ten bins from the fastest to the slowest, in which all responses are."""
    found = read("hey", RUNS / "summary.txt")
    assert found.reading.distributions is not None
    bins = [row for row in found.reading.distributions.to_pylist() if row["name"] is None]
    assert len(bins) == 10
    assert sum(row["count"] for row in bins) == 200
    assert bins[0]["lower_ms"] == found.total["min_ms"]
    assert bins[-1]["upper_ms"] == pytest.approx(found.total["max_ms"])
    assert [row["lower_ms"] for row in bins[1:]] == [row["upper_ms"] for row in bins[:-1]]


def test_errors_are_failures() -> None:
    """With no response at all there are no durations."""
    total = read("hey", RUNS / "no-response.txt").total
    assert (total["requests"], total["failures"]) == (5, 5)
    assert total["mean_ms"] is None
    assert total["max_ms"] is None


def test_beyond_a_million_responses_hey_knows_no_mean(tmp_path: Path) -> None:
    """It divides the sum of all by the number of those that it kept."""
    path = tmp_path / "summary.txt"
    text = (RUNS / "summary.txt").read_text()
    path.write_text(re.sub(r"\[200\]\t\d+", "[200]\t1000000", text))
    found = read("hey", path)
    assert found.total["mean_ms"] is None
    assert found.total["p50_ms"] is not None
    assert any("hey keeps 1000000 responses" in note for note in found.findings.notes)


def test_a_summary_that_is_cut_short_is_an_error(tmp_path: Path) -> None:
    """The numbers of responses stand at its end."""
    path = tmp_path / "summary.txt"
    text = (RUNS / "summary.txt").read_text()
    path.write_text(text[: text.index("Status code")])
    assert recognises("hey", path)
    with pytest.raises(ResultsError, match=r"summary.txt tells of no response .* cut short"):
        read("hey", path)
