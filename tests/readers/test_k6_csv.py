"""Points of k6 as CSV: the same as those in JSON, in every format of time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ator_lib.errors import ResultsError
from tests.support.readings import RECORDED, read, recognises

RUNS = RECORDED / "k6-csv"
SAME_RUN = RECORDED / "k6" / "http.json"
HEADER = (
    "metric_name,timestamp,metric_value,error,error_code,expected_response,method,name,status,extra_tags,metadata\n"
)
ROW = "http_req_duration,%s,%s,,,true,GET,/items,200,,\n"
SECONDS = "all times are whole seconds: when requests started is known to a second"


@pytest.mark.parametrize("name", ["unix-nano.csv", "unix-micro.csv"])
def test_fine_times_give_the_same_samples_as_json(name: str) -> None:
    """Also where some tags are switched off: outcomes are in other tags and metrics, too."""
    result = read("k6-csv", RUNS / name)
    assert result.samples == read("k6", SAME_RUN).samples
    assert SECONDS not in result.findings.notes
    assert not result.findings.rejected


def test_times_as_text_give_the_same_samples(tmp_path: Path) -> None:
    """In RFC 3339, with nanoseconds and the zone of the machine."""
    assert read("k6-csv", RUNS / "rfc3339-nano.csv").samples == read("k6", SAME_RUN).samples


@pytest.mark.parametrize(("name", "resolution_us"), [("unix.csv", 1_000_000), ("unix-milli.csv", 1000)])
def test_coarse_times_are_those_of_the_file(name: str, resolution_us: int) -> None:
    """All but the start is the same; that is known to the resolution of the file, and seconds are said."""
    result = read("k6-csv", RUNS / name)
    for ours, exact in zip(result.samples, read("k6", SAME_RUN).samples, strict=True):
        early_us = (exact.pop("started_at") - ours.pop("started_at")).total_seconds() * 1e6
        assert 0 <= early_us < resolution_us
        assert ours == exact
    assert (SECONDS in result.findings.notes) == (resolution_us == 1_000_000)
    assert (result.reading.clock_s == 1) == (resolution_us == 1_000_000)


def test_files_of_older_versions_have_no_metadata() -> None:
    """Everything is there but the virtual user; times are text without fractions."""
    result = read("k6-csv", RUNS / "without-metadata.csv")
    assert [sample["user"] for sample in result.samples] == [None] * 6
    assert [sample["status_code"] for sample in result.samples] == [200, 200, 201, 503, None, 404]
    assert SECONDS in result.findings.notes


def test_checks_and_metrics_are_those_of_json() -> None:
    """There are no definitions in the file, so what k6 itself measures is known by name, and the rest is averaged."""
    ours, theirs = read("k6-csv", RUNS / "unix-nano.csv").reading, read("k6", SAME_RUN).reading
    assert ours.cases == theirs.cases
    own = [row for row in ours.metrics.to_pylist() if row["metric"] != "orders"]
    assert own == [row for row in theirs.metrics.to_pylist() if row["metric"] != "orders"]
    assert [row["value"] for row in ours.metrics.to_pylist() if row["metric"] == "orders"] == [1.5]


def test_rows_that_are_no_points_are_rejected_with_their_lines(tmp_path: Path) -> None:
    """A header in the middle, of files that were put one behind the other, is no row."""
    path = tmp_path / "points.csv"
    rows = [
        ROW % (10**9, 1),
        ROW % (10**9, "slow"),
        ROW % ("now", 2),
        "short,row\n",
        HEADER,
        ROW % (10**9, -1),
        ROW % (10**9, 3),
    ]
    path.write_text(HEADER + "".join(rows))
    result = read("k6-csv", path)
    assert [sample["duration_ms"] for sample in result.samples] == [1, 3]
    assert sorted((row.line, row.reason) for row in result.findings.rejected if row.line is not None) == [
        (3, "has a time or value that cannot be read"),
        (4, "has a time or value that cannot be read"),
        (5, "2 columns instead of 11"),
        (7, "has a time or value that cannot be read"),
    ]
    assert result.findings.rows_read == 6


def test_a_last_row_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    """The loss is said."""
    path = tmp_path / "points.csv"
    path.write_text(HEADER + ROW % (10**9, 1) + (ROW % (10**9, 2))[:30])
    result = read("k6-csv", path)
    assert [sample["duration_ms"] for sample in result.samples] == [1]
    assert result.findings.truncated
    assert not result.findings.rejected


def test_a_file_without_tags_has_requests(tmp_path: Path) -> None:
    """Where all system tags are switched off, names are unknown, and failures are told by http_req_failed."""
    path = tmp_path / "points.csv"
    rows = [("http_reqs", 1), ("http_req_duration", 5.5), *((f"http_req_{phase}", 0) for phase in "abcdef")]
    points = [*rows, ("http_req_failed", 1), *rows, ("http_req_failed", 0)]
    path.write_text(
        "metric_name,timestamp,metric_value,extra_tags,metadata\n"
        + "".join(f"{metric},1777879800,{value:f},,\n" for metric, value in points)
    )
    samples = read("k6-csv", path).samples
    assert [(sample["name"], sample["success"]) for sample in samples] == [
        ("all requests", False),
        ("all requests", True),
    ]


def test_epochs_of_every_length(tmp_path: Path) -> None:
    """Seconds, milli-, micro- and nanoseconds are told by their digits; what is out of bounds is no time."""
    path = tmp_path / "points.csv"
    path.write_text(HEADER + "".join(ROW % (10**9 * 1000**power, 0) for power in range(4)) + ROW % (10**10 - 1, 0))
    result = read("k6-csv", path)
    assert {sample["started_at"] for sample in result.samples} == {datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)}
    assert [row.line for row in result.findings.rejected] == [6]


@pytest.mark.parametrize(
    "columns", ["metric_name,timestamp,metric_value_ms", "metric_name,timestamp,metric_value,name,name"]
)
def test_other_columns_are_refused(tmp_path: Path, columns: str) -> None:
    """The message says what k6 writes."""
    path = tmp_path / "points.csv"
    path.write_text(columns + "\n")
    assert recognises("k6-csv", path)
    with pytest.raises(ResultsError, match=r"points\.csv does not begin with metric_name, timestamp, metric_value"):
        read("k6-csv", path)


def test_a_header_alone_is_no_run(tmp_path: Path) -> None:
    """There is nothing to take in."""
    path = tmp_path / "points.csv"
    path.write_text(HEADER)
    with pytest.raises(ResultsError, match=r"points\.csv holds no measurement of k6"):
        read("k6-csv", path)
