"""Everything that Locust leaves of a run: what is taken from which file, and what is not believed."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ator_lib as ator
from ator_lib.errors import ResultsError
from ator_lib.readers.base import NO_OPTIONS, Reading, plain_files
from ator_lib.readers.locust.reader import LocustReader
from ator_lib.schema import PERCENTILES

RECORDED = Path(__file__).parents[1] / "recorded" / "locust"
FULL, WITHOUT_JSON, OLD = RECORDED / "full-history", RECORDED / "without-json", RECORDED / "0.14"
STATS = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,"
STATS += "Max Response Time,Average Content Size,Requests/s,Failures/s,50%,95%\r\n"
HISTORY = "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,95%,Total Request Count,Total Failure Count,"
HISTORY += "Total Median Response Time,Total Average Response Time,Total Min Response Time,Total Max Response Time,"
HISTORY += "Total Average Content Size\r\n"


def read(folder: Path, *parts: str) -> Reading:
    """Read files of a folder whose names end so, or all."""
    sources = plain_files(folder)
    chosen = [source for source in sources if not parts or source.name.endswith(parts)]
    assert all(LocustReader().recognises(source) for source in chosen)
    return LocustReader().read(chosen, NO_OPTIONS)


def read_text(folder: Path, **files: str) -> Reading:
    """Read files of such names and contents."""
    for name, content in files.items():
        (folder / f"{name}.csv").write_bytes(content.encode())
    return read(folder)


def history(*rows: str) -> str:
    return HISTORY + "".join(f"{row}\r\n" for row in rows)


def at(second: int, requests: int, mean: float = 10.0, users: int = 2) -> str:
    """Give a row of a history without names."""
    return f"{second},{users},,Aggregated,5.0,0.0,11,12,{requests},1,11,{mean},5.0,{mean * 2},100.0"


def summaries(reading: Reading) -> dict[str | None, dict[str, Any]]:
    assert reading.summaries is not None
    return {row["name"]: row for row in reading.summaries.to_pylist()}


def timeline(reading: Reading) -> list[dict[str, Any]]:
    """Give the rows of all requests."""
    assert reading.timeline is not None
    return [row for row in reading.timeline.to_pylist() if row["name"] is None]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def entries() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FULL / "shop.json").read_text())
    return found


def expanded(histograms: Sequence[dict[str, Any]]) -> list[float]:
    return [float(ms) for each in histograms for ms, n in each["response_times"].items() for _ in range(n)]


# --- histograms ---


def test_summaries_come_from_histograms() -> None:
    """Mean, minimum and maximum are exact, percentiles follow the rule over rounded response times."""
    read_ = summaries(read(FULL))
    for entry in entries():
        row = read_[entry["name"]]
        assert (row["method"], row["requests"]) == (entry["method"], entry["num_requests"])
        assert (row["failures"], row["bytes_received"]) == (entry["num_failures"], entry["total_content_length"])
        assert row["mean_ms"] == pytest.approx(entry["total_response_time"] / entry["num_requests"])
        assert (row["min_ms"], row["max_ms"]) == (entry["min_response_time"], entry["max_response_time"])
        for column, quantile in PERCENTILES.items():
            assert row[column] == pytest.approx(np.quantile(expanded([entry]), quantile))
    assert {row["precision"] for row in read_.values()} == {"2 significant digits"}


def test_the_total_is_of_all_histograms_together() -> None:
    """They can be added up, as averages of percentiles cannot."""
    total = summaries(read(FULL))[None]
    assert total["requests"] == sum(entry["num_requests"] for entry in entries())
    assert total["p95_ms"] == pytest.approx(np.quantile(expanded(entries()), 0.95))


def test_the_window_is_that_of_the_histograms() -> None:
    """From the first start to the last request of all names, in UTC."""
    reading = read(RECORDED, "histograms.json")
    document = json.loads((RECORDED / "histograms.json").read_text())
    first, last = (
        pick(e[key] for e in document) for pick, key in ((min, "start_time"), (max, "last_request_timestamp"))
    )
    assert reading.started_at == datetime.fromtimestamp(first, UTC)
    assert summaries(reading)[None]["duration_s"] == pytest.approx(last - first, abs=1e-5)


def test_histograms_are_kept_as_distributions() -> None:
    """A bin holds what Locust rounds to its value: 147 and 151 to 150, 99.7 to 100."""
    distributions = read(FULL).distributions
    assert distributions is not None
    rows = distributions.to_pylist()
    assert {
        name: sum(row["count"] for row in rows if row["name"] == name) for name in {row["name"] for row in rows}
    } == {
        None: sum(entry["num_requests"] for entry in entries()),
        **{entry["name"]: entry["num_requests"] for entry in entries()},
    }
    edges = {(row["lower_ms"], row["upper_ms"]) for row in rows}
    assert {(145.0, 155.0), (99.5, 105.0)} <= edges
    assert (98.5, 99.5) in edges


def test_histograms_of_several_processes_are_added_up(tmp_path: Path) -> None:
    """Keys are mixed: "120" and "120.0" are the same time."""
    document = entries()[:1]
    other = [{**document[0], "response_times": {"120.0": 3}, "num_requests": 3, "start_time": 1.0}]
    for name, content in (("a.json", document), ("b.json", other)):
        (tmp_path / name).write_text(json.dumps(content))
    row = summaries(read(tmp_path))[document[0]["name"]]
    assert row["requests"] == document[0]["num_requests"] + 3
    assert row["p95_ms"] == np.quantile(expanded([*document, *other]), 0.95)


def test_the_same_histograms_twice_count_once(tmp_path: Path) -> None:
    """--json and --json-file write the same."""
    for name in ("printed.json", "shop.json"):
        (tmp_path / name).write_bytes((FULL / "shop.json").read_bytes())
    reading = read(tmp_path)
    assert summaries(reading)[None]["requests"] == summaries(read(FULL))[None]["requests"]
    assert reading.findings.notes[0] == "shop.json says what another file says already: it was counted once"


def test_histograms_tell_the_requests_of_each_second() -> None:
    """Without a history; Locust keeps no response times of them, and no users."""
    rows = timeline(read(FULL, "shop.json"))
    seconds: Counter[int] = Counter()
    for entry in entries():
        seconds.update({int(second): n for second, n in entry["num_reqs_per_sec"].items()})
    assert {int(row["interval_start"].timestamp()): row["requests"] for row in rows} == dict(seconds)
    assert {(row["interval_s"], row["mean_ms"], row["p95_ms"], row["users"]) for row in rows} == {
        (1.0, None, None, None)
    }


def test_a_histogram_in_its_own_rounding_has_no_bins(tmp_path: Path) -> None:
    """A locustfile can round response times in its own way; nobody knows what a value then stands for."""
    entry = {**entries()[0], "response_times": {"123": 29}}
    (tmp_path / "a.json").write_text(json.dumps([entry]))
    reading = read(tmp_path)
    assert (reading.precision, reading.distributions) == ("as the locustfile rounds", None)


def test_json_cut_short_keeps_its_whole_entries(tmp_path: Path) -> None:
    """And the reading is truncated."""
    content = (FULL / "shop.json").read_text()
    (tmp_path / "a.json").write_text(content[: len(content) * 3 // 4])
    reading = read(tmp_path)
    assert reading.findings.truncated
    assert set(summaries(reading)) < {None, *(entry["name"] for entry in entries())}


@pytest.mark.parametrize(
    "change",
    [
        {"num_requests": -1},
        {"num_requests": 1.5},
        {"num_failures": "7"},
        {"response_times": {"-3": 1}},
        {"response_times": {"ten": 1}},
        {"num_reqs_per_sec": {"x": 1}},
        {"total_response_time": None},
    ],
)
def test_entries_that_cannot_be_are_rejected(tmp_path: Path, change: dict[str, Any]) -> None:
    """The others count."""
    (tmp_path / "a.json").write_text(json.dumps([{**entries()[0], **change}, *entries()[1:]]))
    reading = read(tmp_path)
    assert [row.source for row in reading.findings.rejected] == ["a.json"]
    assert entries()[0]["name"] not in summaries(reading)


# --- statistics ---


def test_without_histograms_the_statistics_are_taken_as_they_are() -> None:
    """Columns of percentiles, and the run's length by the rate that Locust gives."""
    reading = read(WITHOUT_JSON)
    for row in rows_of(WITHOUT_JSON / "shop_stats.csv"):
        found = summaries(reading)[row["Name"] if row["Type"] else None]
        assert found["requests"] == int(row["Request Count"])
        assert found["mean_ms"] == float(row["Average Response Time"])
        assert [found[column] for column in PERCENTILES] == [
            float(row[cell]) for cell in ("50%", "75%", "90%", "95%", "99%", "99.9%")
        ]
        assert found["bytes_received"] == pytest.approx(float(row["Average Content Size"]) * found["requests"], abs=0.5)
    total = rows_of(WITHOUT_JSON / "shop_stats.csv")[-1]
    assert summaries(reading)[None]["throughput_rps"] == pytest.approx(float(total["Requests/s"]))
    assert reading.distributions is None


def test_failures_become_errors() -> None:
    """With how often each came."""
    reading = read(WITHOUT_JSON)
    assert reading.errors is not None
    assert reading.errors.to_pylist() == [
        {
            "name": "/orders",
            "method": "POST",
            "status_code": None,
            "error": "LocustBadStatusCode(code=500)",
            "requests": 5,
        }
    ]


def test_exceptions_are_noted(tmp_path: Path) -> None:
    """They are no requests; tracebacks have lines."""
    exceptions = "Count,Message,Traceback,Nodes\r\n" + '3,KeyError: 7,"File ""x"", line 1\n  in y\n",local\r\n'
    for file in WITHOUT_JSON.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "shop_exceptions.csv").write_bytes(exceptions.encode())
    assert "exception in the test: KeyError: 7" in read(tmp_path).findings.notes


def test_lines_of_windows_and_missing_figures(tmp_path: Path) -> None:
    """A blank line between rows, N/A for what was not measured, and percentiles that nobody asked for."""
    rows = [
        "GET,/a,4,1,10,11.5,9.0,14.0,20.0,2.0,0.5,10,14",
        "GET,/never,0,0,0,0.0,0,0,0,0.0,0.0,N/A,N/A",
        ",Aggregated,4,1,10,11.5,9.0,14.0,20.0,2.0,0.5,10,14",
    ]
    text = (STATS + "".join(f"{row}\r\n" for row in rows)).replace("\r\n", "\r\r\n")
    reading = read_text(tmp_path, shop_stats=text)
    assert not reading.findings.rejected
    (name, total) = summaries(reading).values()
    assert (name["name"], name["p50_ms"], name["p95_ms"], name["p75_ms"]) == ("/a", 10.0, 14.0, None)
    assert (total["requests"], total["duration_s"]) == (4, 2.0)
    assert reading.timeline is None
    assert reading.started_at is None


def test_columns_go_by_older_names() -> None:
    """0.14 rounds averages, so that sums of bytes cannot be told; its total is of the type None."""
    reading = read(OLD)
    found = summaries(reading)
    assert [*found] == ["/orders", "/products", None]
    orders = found["/orders"]
    assert (orders["requests"], orders["failures"], orders["p95_ms"], orders["mean_ms"]) == (40, 4, 210.0, 153.0)
    assert orders["bytes_received"] is None
    assert found[None]["duration_s"] == 10.0


def test_percentiles_may_stand_in_a_file_of_their_own() -> None:
    """Before 0.13."""
    found = summaries(read(RECORDED / "0.12"))
    assert {name: (row["requests"], row["p95_ms"], row["p99_9_ms"]) for name, row in found.items()} == {
        "/orders": (40, 210.0, None),
        "/products": (60, 170.0, None),
        None: (100, 200.0, None),
    }


def test_contradictions_are_said(tmp_path: Path) -> None:
    """Figures that somebody edited stay what they are."""
    rows = STATS + "GET,/a,4,1,1,1.0,1.0,1.0,2.0,2.0,0.5,1,1\r\n,Aggregated,4,3,1,1.0,1.0,1.0,2.0,2.0,0.5,1,1\r\n"
    reading = read_text(tmp_path, shop_stats=rows)
    assert summaries(reading)[None]["failures"] == 3
    assert "3 failures in all, 1 in its rows" in reading.findings.notes[0]


def test_bad_rows_are_rejected_by_their_line(tmp_path: Path) -> None:
    """With the reason."""
    rows = "GET,/a,4,0,1,1.0,1.0,1.0,2.0,2.0,0.5,1,1\r\nGET,/b,four,0,1,1.0,1.0,1.0,2.0,2.0,0.5,1,1\r\nGET,/c,4\r\n"
    rejected = read_text(tmp_path, shop_stats=STATS + rows).findings.rejected
    assert [(row.line, row.reason) for row in rejected] == [
        (3, "requests 'four' is nothing that Locust counts or measures"),
        (4, "3 columns instead of 13"),
    ]


# --- history ---


def test_the_timeline_is_what_came_between_rows() -> None:
    """Requests, failures and mean are differences; what came after the last row is known from the histograms."""
    rows = timeline(read(FULL))
    totals = [row for row in rows_of(FULL / "shop_stats_history.csv") if row["Name"] == "Aggregated"]
    counted = [int(row["Total Request Count"]) for row in totals]
    assert [row["requests"] for row in rows[:-1]] == np.diff(counted).tolist()
    assert [row["users"] for row in rows[:-1]] == [int(row["User Count"]) for row in totals[1:]]
    assert rows[0]["interval_start"].timestamp() == int(totals[0]["Timestamp"])
    assert sum(row["requests"] for row in rows) == summaries(read(FULL))[None]["requests"]
    sums = [row["requests"] * row["mean_ms"] for row in rows]
    assert sum(sums) == pytest.approx(sum(entry["total_response_time"] for entry in entries()))


def test_percentiles_of_a_full_history_are_shown() -> None:
    """They are of about ten seconds, which is said; zeros before the first are none."""
    reading = read(FULL)
    totals = [row for row in rows_of(FULL / "shop_stats_history.csv") if row["Name"] == "Aggregated"]
    assert [row["p95_ms"] for row in timeline(reading)] == [
        None,
        *(float(row["95%"]) for row in totals[2:]),
        None,  # from the histograms
    ]
    assert any("ten seconds" in note for note in reading.findings.notes)


def test_percentiles_of_all_the_time_are_no_timeline() -> None:
    """Without --csv-full-history Locust writes those."""
    assert {row["p95_ms"] for row in timeline(read(WITHOUT_JSON))} == {None}


def test_the_frozen_tail_is_cut(tmp_path: Path) -> None:
    """Rows go on after the last request; a pause in between stays."""
    rows = [at(100, 0), at(101, 5), at(102, 5), at(104, 9), at(105, 9, users=0), at(106, 9, users=0)]
    reading = read_text(tmp_path, a=history(*rows))
    assert [(row["interval_s"], row["requests"], row["mean_ms"]) for row in timeline(reading)] == [
        (1.0, 5, 10.0),
        (1.0, 0, None),
        (2.0, 4, 10.0),
    ]
    assert reading.ended_at == datetime.fromtimestamp(104, UTC)
    assert (
        "the last 2 rows of the history repeat its totals, no request came any more: left out" in reading.findings.notes
    )


def test_a_history_alone_gives_the_summary_of_its_last_row(tmp_path: Path) -> None:
    """Percentiles too, as they are of all the time."""
    found = summaries(read_text(tmp_path, a=history(at(100, 0), at(101, 5), at(102, 9, mean=12.5))))
    assert [*found] == [None]
    total = found[None]
    assert (total["requests"], total["failures"], total["mean_ms"], total["max_ms"]) == (9, 1, 12.5, 25.0)
    assert (total["p50_ms"], total["p95_ms"], total["duration_s"]) == (11.0, 12.0, 2.0)


def test_a_history_alone_with_names(tmp_path: Path) -> None:
    """Then the percentiles are of the last seconds, and of the run only the median is known."""
    (tmp_path / "a.csv").write_bytes((FULL / "shop_stats_history.csv").read_bytes())
    found = summaries(read(tmp_path))
    assert set(found) == {"/orders", "/products", "/products/{id}", "/search", None}
    assert (found[None]["requests"], found[None]["p50_ms"], found[None]["p95_ms"]) == (82, 130.0, None)


def test_counts_that_begin_anew_are_said(tmp_path: Path) -> None:
    """--reset-stats: what came before is in the timeline only."""
    reading = read_text(tmp_path, a=history(at(100, 0), at(101, 50), at(102, 7), at(103, 9)))
    assert [row["requests"] for row in timeline(reading)] == [50, 7, 2]
    assert any("--reset-stats" in note for note in reading.findings.notes)


def test_a_last_line_without_an_end_is_cut_short(tmp_path: Path) -> None:
    """It may be whole by accident."""
    reading = read_text(tmp_path, a=history(at(100, 0), at(101, 5), at(102, 9)).removesuffix("\r\n"))
    assert reading.findings.truncated
    assert summaries(reading)[None]["requests"] == 5


def test_an_old_history_has_neither_users_nor_means() -> None:
    """Its averages are rounded, so that differences of them mean nothing; its percentiles are recent ones."""
    rows = timeline(read(OLD))
    assert [row["requests"] for row in rows] == [22, 19, 0, 39, 20]
    assert {(row["interval_s"], row["mean_ms"], row["users"]) for row in rows} == {(2.0, None, None)}
    assert [row["p95_ms"] for row in rows] == [200.0, 200.0, None, 200.0, 200.0]


# --- runs ---


def test_files_without_a_request_are_refused(tmp_path: Path) -> None:
    """A header, or a total of nothing."""
    total = ",Aggregated,0,0,0,0.0,0,0,0,0.0,0.0,N/A,N/A\r\n"
    for content in (STATS, STATS + total, history(at(100, 0))):
        with pytest.raises(ResultsError, match=r"^a.csv holds no requests"):
            read_text(tmp_path, a=content)


def test_two_runs_in_a_folder_are_refused(tmp_path: Path) -> None:
    """Percentiles of CSV files cannot be put together."""
    for name in ("a_stats.csv", "b_stats.csv"):
        (tmp_path / name).write_bytes((WITHOUT_JSON / "shop_stats.csv").read_bytes())
    with pytest.raises(ResultsError, match=r"a_stats.csv, b_stats.csv: .* ingest each by itself"):
        read(tmp_path)


def test_an_endless_line_is_refused(tmp_path: Path) -> None:
    """It would not fit into memory."""
    with pytest.raises(ResultsError, match="a line of more than 1048576 bytes"):
        read_text(tmp_path, a=STATS + "GET," + "x" * 2**21)


def test_a_run_of_locust_is_taken_in(tmp_path: Path) -> None:
    """A whole folder is one run, with its errors, and fails for them."""
    run = ator.connect(tmp_path / "ws").ingest(FULL, test="shop")
    assert run.summary().query("scope == 'total'").requests.item() == 98
    assert run.errors().requests.tolist() == [5]
    assert run.status is ator.RunStatus.FAILURE
