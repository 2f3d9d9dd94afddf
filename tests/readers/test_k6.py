"""Points of k6 as JSON: requests put together of their points, checks, everything else by second."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from ator_lib.errors import ResultsError
from ator_lib.readers.duck import Query
from tests.support.readings import RECORDED, Read, read, recognises

RUNS = RECORDED / "k6"
HTTP = RUNS / "http.json"
PHASES = ("http_req_connecting", "http_req_tls_handshaking", "http_req_sending", "http_req_waiting")
LINE = '{"metric":"http_req_duration","type":"Point","data":{"time":"2026-05-04T07:30:00Z","value":%s,"tags":{%s}}}\n'


def containers(path: Path) -> Iterator[dict[str, Any]]:
    """Give the points of each request by metric, told apart by where one begins, and the tags of it."""
    points = [json.loads(line) for line in path.read_text().splitlines()]
    points = [point for point in points if point["type"] == "Point" and point["metric"].startswith("http_req")]
    begun = 0

    def ordinal(point: dict[str, Any]) -> int:
        nonlocal begun
        begun += point["metric"] == "http_reqs"
        return begun

    for _, group in groupby(points, key=ordinal):
        of_one = list(group)
        assert len({point["data"]["time"] for point in of_one}) == 1
        yield {point["metric"]: point["data"]["value"] for point in of_one} | of_one[0]["data"]


def values(result: Read, metric: str) -> list[float]:
    """Give the values of a metric, by time."""
    rows = result.reading.metrics.to_pylist()
    return [row["value"] for row in sorted(rows, key=lambda row: row["timestamp"]) if row["metric"] == metric]


def test_a_request_is_put_together_of_its_points() -> None:
    """Durations, phases, tags and starts are those of its points; k6 gives the time at which it ended."""
    result = read("k6", HTTP)
    expected = list(containers(HTTP))
    assert len(result.samples) == len(expected) == 6
    for sample, points in zip(result.samples, expected, strict=True):
        tags = points["tags"]
        connecting, handshaking, sending, waiting = (points[phase] for phase in PHASES)
        assert sample["duration_ms"] == points["http_req_duration"]
        assert sample["connect_ms"] == pytest.approx(connecting + handshaking)
        assert sample["ttfb_ms"] == pytest.approx(sending + waiting)
        assert sample["success"] == (points["http_req_failed"] == 0)
        assert (sample["method"], sample["scenario"]) == (tags["method"], tags["scenario"])
        ended = sample["started_at"] + timedelta(milliseconds=sample["duration_ms"])
        assert abs(ended - datetime.fromisoformat(points["time"])) <= timedelta(microseconds=1)
    assert (result.reading.tool, result.reading.precision) == ("k6", "exact")
    assert result.findings.rows_read == len(HTTP.read_text().splitlines())
    assert not result.findings.rejected
    assert not result.findings.truncated


def test_what_k6_calls_a_failure_is_one() -> None:
    """A response that the script expects is a success, whatever its status; no response is no status, but an error."""
    samples = read("k6", HTTP).samples
    outcomes = [(sample["status_code"], sample["success"], sample["error"]) for sample in samples]
    assert outcomes == [
        (200, True, None),
        (200, True, None),
        (201, True, None),
        (503, False, None),
        (None, False, 'dial: "shop.test", connection refused (1212)'),
        (404, True, None),
    ]


def test_names_and_groups() -> None:
    """Names are tags, without the values of a query; groups in groups have a stroke between them."""
    samples = read("k6", HTTP).samples
    assert [sample["name"] for sample in samples][2:] == [
        "add to basket",
        "add to basket",
        "https://shop.test/products",
        "https://shop.test/orders?token&page",
    ]
    assert [sample["group"] for sample in samples] == [None, None, "basket", "basket", None, None]
    assert {sample["group"] for sample in read("k6", RUNS / "before-0.31.json").samples} == {"login / form"}


def test_the_virtual_user_is_in_the_metadata_or_in_the_tags() -> None:
    """Newer versions moved it."""
    assert [sample["user"] for sample in read("k6", HTTP).samples] == [None] * 5 + ["4"]
    assert [sample["user"] for sample in read("k6", RUNS / "before-0.31.json").samples] == ["1", "2", "1", "2"]


def test_older_versions_say_nothing_of_failures() -> None:
    """Then the status tells."""
    samples = read("k6", RUNS / "before-0.31.json").samples
    assert [(sample["status_code"], sample["success"]) for sample in samples] == [
        (200, True),
        (200, True),
        (302, True),
        (500, False),
    ]
    assert [sample["connect_ms"] for sample in samples] == [1.5, 0, 0, 0]


def test_without_the_tag_the_metric_tells_of_failures(tmp_path: Path) -> None:
    """http_req_failed is 1 for a failure; it is looked at where the tag expected_response is switched off."""
    path = tmp_path / "points.json"
    path.write_text(HTTP.read_text().replace('"expected_response"', '"something_else"'))
    assert [sample["success"] for sample in read("k6", path).samples] == [True, True, True, False, False, True]


def test_checks_are_cases() -> None:
    """Each name of a check in its group is one, failed if it failed once."""
    cases = read("k6", HTTP).reading.cases
    assert cases is not None
    assert [(row["suite"], row["case"], row["status"], row["message"]) for row in cases.to_pylist()] == [
        ("basket", "is created", "failed", "1 of 2 failed"),
        ("checks", "is answered", "failed", "1 of 3 failed"),
    ]


def test_other_metrics_have_a_value_a_second() -> None:
    """Counters are added up, gauges at their highest, others averaged; units are those of their definitions."""
    result = read("k6", HTTP)
    assert values(result, "users") == [2, 3]
    assert values(result, "data_received") == [20480, 4096]
    assert values(result, "orders") == [3]
    assert values(result, "basket_size") == [3]
    assert values(result, "iteration_duration") == [1050.25, 770.75]
    units = {row["metric"]: row["unit"] for row in result.reading.metrics.to_pylist()}
    assert (units["data_received"], units["iteration_duration"], units["orders"]) == ("bytes", "ms", None)
    assert {row["source"] for row in result.reading.metrics.to_pylist()} == {None}


def test_calls_of_grpc_are_requests() -> None:
    """Their status is no HTTP status: 0 is a success."""
    samples = read("k6", RUNS / "grpc.json").samples
    assert [sample["duration_ms"] for sample in samples] == [4.75, 5.5, 100.25, 6.0]
    assert [sample["success"] for sample in samples] == [True, True, False, True]
    assert [sample["error"] for sample in samples] == [None, None, "gRPC status 14", None]
    assert {sample["status_code"] for sample in samples} == {None}
    assert {sample["name"] for sample in samples} == {"/hello.Greeter/SayHello"}


def test_a_run_without_requests_has_its_metrics() -> None:
    """Web sockets have no metric of requests."""
    result = read("k6", RUNS / "websocket.json")
    assert result.reading.samples is None
    assert values(result, "ws_msgs_sent") == [4]
    assert values(result, "ws_connecting") == [12.5]
    assert result.reading.started_at == datetime(2026, 5, 4, 7, 30, 0, 10_000, tzinfo=UTC)


def test_files_of_several_load_generators_are_one_run() -> None:
    """Their requests follow each other, and each says its own number of users."""
    files = sorted((RUNS / "generators").iterdir())
    result = read("k6", *files)
    assert [sample["duration_ms"] for sample in result.samples] == [20.05, 21.05, 22.05, 50.05, 51.05, 52.05]
    users = [row for row in result.reading.metrics.to_pylist() if row["metric"] == "users"]
    assert {(row["source"], row["value"]) for row in users} == {("one.json", 3), ("two.json", 4)}


def test_points_that_somebody_filtered_are_requests_without_phases(tmp_path: Path) -> None:
    """As after ``grep http_req_duration``."""
    path = tmp_path / "points.json"
    lines = HTTP.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if '"http_req_duration"' in line))
    samples = read("k6", path).samples
    assert [sample["duration_ms"] for sample in samples] == [one["http_req_duration"] for one in containers(HTTP)]
    assert {(sample["connect_ms"], sample["ttfb_ms"]) for sample in samples} == {(None, None)}


def test_a_missing_phase_is_not_taken_from_the_next_request(tmp_path: Path) -> None:
    """A line that is lost costs phases of its own request only."""
    path = tmp_path / "points.json"
    lines = HTTP.read_text().splitlines(keepends=True)
    lost = next(number for number, line in enumerate(lines) if '"http_req_connecting","type":"Point"' in line)
    path.write_text("".join(lines[:lost] + lines[lost + 1 :]))
    whole, damaged = read("k6", HTTP).samples, read("k6", path).samples
    assert damaged[1:] == whole[1:]
    assert (damaged[0]["connect_ms"], damaged[0]["ttfb_ms"]) == (None, None)
    assert damaged[0]["duration_ms"] == whole[0]["duration_ms"]


def test_requests_are_put_together_in_a_stream() -> None:
    """DuckDB looks ahead while it reads on, and does not collect the points first."""
    samples = read("k6", HTTP).reading.samples
    assert isinstance(samples, Query)
    assert "Streaming Window" in samples.connection.execute(f"EXPLAIN {samples.sql}").fetchall()[0][1]


def test_lines_that_are_no_points_are_rejected_with_their_numbers(tmp_path: Path) -> None:
    """Blank lines are none."""
    path = tmp_path / "points.json"
    other = [
        "time='09:30' level=warning",
        "[1,2]",
        '{"metric":"x","type":"Line"}',
        LINE % ('"slow"', ""),
        LINE % (-1, ""),
    ]
    text = "\n" + LINE % (7, "") + "  \r\n" + "".join(f"{line.strip()}\n" for line in other) + LINE % (8, "")
    path.write_bytes(text.encode() + b'{"metric":"\xff\xfe"}\n' + (LINE % (9, "")).encode().replace(b"Z", b""))
    result = read("k6", path)
    assert [sample["duration_ms"] for sample in result.samples] == [7, 8, 9]
    assert [(row.line, row.reason) for row in result.findings.rejected] == [
        (4, "is no JSON"),
        (5, "is no point of k6"),
        (6, "is no point of k6"),
        (7, "has a name, time or value that cannot be read"),
        (8, "has a name, time or value that cannot be read"),
        (10, "is no JSON"),
    ]
    assert result.findings.rows_read == 9
    assert not result.findings.truncated


def test_a_last_line_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    """Wherever it was cut: what is whole is taken in, nothing is rejected, and the loss is said."""
    path = tmp_path / "points.json"
    whole = (LINE % (1, '"status":"200"')).encode()
    for cut in range(1, len(whole) - 1, 9):
        path.write_bytes(whole + whole[:cut])
        result = read("k6", path)
        assert [sample["duration_ms"] for sample in result.samples] == [1]
        assert result.findings.truncated
        assert not result.findings.rejected
    path.write_bytes(whole + whole.rstrip())  # only the line feed is missing
    result = read("k6", path)
    assert len(result.samples) == 2
    assert not result.findings.truncated


def test_times_keep_their_microseconds(tmp_path: Path) -> None:
    """k6 writes up to nine digits, and the zone of the machine."""
    path = tmp_path / "points.json"
    times = ["2026-05-04T09:30:00.123456789+02:00", "2026-05-04T07:30:00.5Z", "2026-05-04T03:00:00-04:30"]
    path.write_text("".join((LINE % (0, "")).replace("2026-05-04T07:30:00Z", time) for time in times))
    moment = datetime(2026, 5, 4, 7, 30, tzinfo=UTC)
    assert [sample["started_at"] - moment for sample in read("k6", path).samples] == [
        timedelta(microseconds=123_456),
        timedelta(milliseconds=500),
        timedelta(0),
    ]


def test_a_line_that_is_far_too_long_is_an_error(tmp_path: Path) -> None:
    """It is no point, and would not fit into memory."""
    path = tmp_path / "points.json"
    with path.open("w") as file:
        file.write(LINE % (1, ""))
        file.write("x" * 40_000_000)
    with pytest.raises(ResultsError, match=r"points\.json cannot be read: a line is far longer than any point"):
        read("k6", path)


def test_a_name_with_a_quote(tmp_path: Path) -> None:
    """It does not end the text in SQL."""
    path = tmp_path / "o'ne.json"
    path.write_bytes(HTTP.read_bytes())
    assert read("k6", path).samples == read("k6", HTTP).samples


def test_definitions_alone_are_no_run(tmp_path: Path) -> None:
    """There is nothing to take in."""
    path = tmp_path / "points.json"
    path.write_text(HTTP.read_text().splitlines()[0] + "\n")
    assert recognises("k6", path)
    with pytest.raises(ResultsError, match=r"points\.json holds no measurement of k6"):
        read("k6", path)


def test_geometry_is_not_mistaken_for_points(tmp_path: Path) -> None:
    """There are other lines of JSON that have points."""
    path = tmp_path / "map.json"
    path.write_text('{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},"data":{}}\n')
    assert not recognises("k6", path)
    path.write_text("\n" * 5 + LINE % (1, ""))
    assert recognises("k6", path)
