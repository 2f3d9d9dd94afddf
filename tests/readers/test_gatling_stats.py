"""Statistics of Gatling's reports: what they say, and what they leave open. All of them are synthetic."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import stdev
from typing import Any

import pytest

from ator_lib.errors import ResultsError
from ator_lib.readers.base import NO_OPTIONS, Reading, Source
from ator_lib.readers.gatling.stats import GatlingStatsReader

RECORDED = Path(__file__).parents[1] / "recorded"
STATS = RECORDED / "gatling-stats"


def source(path: Path) -> Source:
    return Source(path=path, name=path.name)


def read(*paths: Path) -> Reading:
    return GatlingStatsReader().read([source(path) for path in paths], NO_OPTIONS)


def rows_of(reading: Reading) -> dict[str | None, dict[str, Any]]:
    assert reading.summaries is not None
    return {row["name"]: row for row in reading.summaries.to_pylist()}


def read_document(tmp_path: Path, document: Any) -> Reading:
    path = tmp_path / "stats.json"
    path.write_text(json.dumps(document))
    return read(path)


def statistic(total: Any = 10, ko: Any = 1, **others: Any) -> dict[str, Any]:
    stats = {"numberOfRequests": {"total": total, "ok": 9, "ko": ko}}
    for key in ("minResponseTime", "maxResponseTime", "meanResponseTime", "standardDeviation"):
        stats[key] = {"total": 5, "ok": 5, "ko": 5}
    return stats | others


def durations(name: str) -> list[int]:
    """Give the milliseconds of a request out of the log that the statistics are of."""
    lines = (RECORDED / "gatling" / "gatling-3.9.log").read_text().splitlines()
    cells = [line.split("\t") for line in lines if line.startswith("REQUEST")]
    return [int(end) - int(start) for _, _, named, start, end, *_ in cells if named == name]


def test_requests_in_groups_become_rows() -> None:
    """Each has what the log says, to the millisecond that Gatling rounds to; the deviation is that of a sample."""
    reading = read(STATS / "stats.json")
    rows = rows_of(reading)
    assert set(rows) == {"Home", "Search", "Add, to cart", "Pay", None}
    for name in ("Home", "Search", "Add, to cart", "Pay"):
        took, row = durations(name), rows[name]
        assert (row["requests"], row["min_ms"], row["max_ms"]) == (len(took), min(took), max(took))
        assert row["mean_ms"] == pytest.approx(sum(took) / len(took), abs=0.5)
        assert row["stddev_ms"] == pytest.approx(stdev(took), abs=0.52)
        assert row["failures"] == (10 if name == "Pay" else 0)
        assert row["p90_ms"] is row["p99_9_ms"] is None
        assert row["p50_ms"] <= row["p75_ms"] <= row["p95_ms"] <= row["p99_ms"] <= row["max_ms"]
    assert reading.samples is None
    assert reading.precision == "tool summary"


def test_the_total_is_the_tools_own() -> None:
    """Its duration follows from the rate; the percentiles that it may hold are said."""
    reading = read(STATS / "stats.json")
    total = rows_of(reading)[None]
    assert (total["requests"], total["failures"], total["error_rate"]) == (80, 10, 0.125)
    assert total["duration_s"] == pytest.approx(80 / total["throughput_rps"])
    assert total["duration_s"] == pytest.approx(round(total["duration_s"]))
    assert any("p50, p75, p95, p99, as by default, are assumed" in note for note in reading.findings.notes)


def test_global_statistics_are_the_total_alone() -> None:
    """They hold the root of the tree, and no request."""
    assert rows_of(read(STATS / "global_stats.json")) == {None: rows_of(read(STATS / "stats.json"))[None]}


def test_a_report_is_read_once() -> None:
    """Of both files, the one that holds requests."""
    folder = STATS / "report" / "js"
    reading = read(folder / "global_stats.json", folder / "stats.json")
    assert rows_of(reading) == rows_of(read(STATS / "stats.json"))
    assert "not read: global_stats.json" in reading.findings.notes
    with pytest.raises(ResultsError, match="has one file a run"):
        read(folder / "stats.json", STATS / "stats.json")


def test_requests_of_one_name_are_told_apart_by_their_groups(tmp_path: Path) -> None:
    """Their percentiles cannot be put together."""
    pay = {"type": "REQUEST", "name": "Pay", "stats": statistic()}
    group = {"type": "GROUP", "name": "Shop", "stats": statistic(), "contents": {"req_pay": pay}}
    tree = {"type": "GROUP", "name": "", "stats": statistic(20, 2), "contents": {"req_pay": pay, "group_shop": group}}
    assert set(rows_of(read_document(tmp_path, tree))) == {"Pay", "Shop / Pay", None}


def test_two_percentiles_are_those_of_gatling_2_0(tmp_path: Path) -> None:
    """It had 95 and 99 by default."""
    stats = statistic(percentiles1={"total": 7}, percentiles2={"total": 8})
    total = rows_of(read_document(tmp_path, stats))[None]
    assert (total["p50_ms"], total["p95_ms"], total["p99_ms"]) == (None, 7, 8)


def test_what_is_not_there_is_null(tmp_path: Path) -> None:
    """A dash, as the JavaScript of the report has it, a missing key, and a rate of whole numbers tell nothing."""
    stats = statistic("10", "0", meanResponseTime={"total": "-"}, meanNumberOfRequestsPerSecond={"total": 3})
    del stats["minResponseTime"]["total"]
    total = rows_of(read_document(tmp_path, stats))[None]
    assert (total["requests"], total["failures"], total["throughput_rps"]) == (10, 0, 3)
    assert total["mean_ms"] is total["min_ms"] is total["duration_s"] is None
    assert rows_of(read_document(tmp_path, statistic(1, 0)))[None]["stddev_ms"] is None


def test_half_a_surrogate_pair_is_no_text(tmp_path: Path) -> None:
    """JSON can hold one; a question mark takes its place."""
    request = {"type": "REQUEST", "name": "a\ud83d", "stats": statistic()}
    tree = {"type": "GROUP", "name": "", "stats": statistic(), "contents": {"a": request}}
    assert set(rows_of(read_document(tmp_path, tree))) == {"a?", None}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (statistic(0, 0), "holds no request"),
        (statistic(None), "does not say how many requests"),
        (statistic(-1), "does not say how many requests"),
        ([1], "no JSON object"),
        ({"contents": {"a": {"type": "REQUEST", "stats": 5}}, "stats": statistic()}, "does not say how many requests"),
        ({"contents": {"a": 7, "b": [{}]}, "stats": []}, "does not say how many requests"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, document: Any, words: str) -> None:
    """The message names the file and the reason."""
    with pytest.raises(ResultsError, match=rf"stats\.json.*{words}"):
        read_document(tmp_path, document)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    """A document that is cut short has no total to be trusted."""
    path = tmp_path / "stats.json"
    path.write_bytes((STATS / "stats.json").read_bytes()[:5000])
    assert GatlingStatsReader().recognises(source(path))
    with pytest.raises(ResultsError, match=r"stats\.json is no whole JSON document"):
        read(path)
