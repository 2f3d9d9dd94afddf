"""What pytest-benchmark saved: rounds where the file has them, else statistics."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pytest

from ator_lib.errors import ResultsError
from ator_lib.readers.base import NO_OPTIONS, Reading, Source
from ator_lib.readers.pytest_benchmark import PytestBenchmarkReader

RECORDED = Path(__file__).parents[1] / "recorded" / "pytest-benchmark"
ROUNDS = json.loads((RECORDED / "rounds.json").read_text())
SUMMARIES = json.loads((RECORDED / "summaries.json").read_text())


def read(*paths: Path) -> Reading:
    return PytestBenchmarkReader().read([Source(path=path, name=path.name) for path in paths], NO_OPTIONS)


def read_document(tmp_path: Path, document: Any) -> Reading:
    path = tmp_path / "benchmark.json"
    path.write_text(json.dumps(document))
    return read(path)


def rows_of(reading: Reading) -> list[dict[str, Any]]:
    assert isinstance(reading.samples, pa.RecordBatchReader)
    rows: list[dict[str, Any]] = reading.samples.read_all().to_pylist()
    return rows


def test_rounds_become_samples() -> None:
    """In milliseconds, by the full name and the group of their benchmark; when each was, nobody wrote down."""
    reading = read(RECORDED / "rounds.json")
    rows = rows_of(reading)
    assert [(row["name"], row["duration_ms"]) for row in rows] == [
        (entry["fullname"], seconds * 1000) for entry in ROUNDS["benchmarks"] for seconds in entry["stats"]["data"]
    ]
    assert {row["group"] for row in rows if "loads" in row["name"]} == {"parse"}
    assert {(row["started_at"], row["success"], row["weight"]) for row in rows} == {(None, True, 1)}
    assert reading.summaries is None


def test_means_of_iterations_are_said() -> None:
    """A round of several iterations is their mean, and no exact duration."""
    assert read(RECORDED / "rounds.json").precision == "means of up to 5 iterations a round"


def test_single_iterations_are_exact(tmp_path: Path) -> None:
    """Then each round is one call."""
    one = {**ROUNDS, "benchmarks": ROUNDS["benchmarks"][:1]}
    assert read_document(tmp_path, one).precision == "exact"


def test_statistics_become_summaries() -> None:
    """In milliseconds; median and upper quartile are the only percentiles, and the total has none."""
    reading = read(RECORDED / "summaries.json")
    assert reading.samples is None
    assert reading.precision == "tool summary"
    assert reading.summaries is not None
    *rows, total = reading.summaries.to_pylist()
    for row, entry in zip(rows, SUMMARIES["benchmarks"], strict=True):
        stats = entry["stats"]
        assert row["name"] == entry["fullname"]
        assert (row["requests"], row["failures"], row["error_rate"]) == (stats["rounds"], 0, 0.0)
        for column, key in {"mean": "mean", "stddev": "stddev", "min": "min", "p50": "median", "p75": "q3"}.items():
            assert row[f"{column}_ms"] == pytest.approx(stats[key] * 1000)
        assert row["p95_ms"] is row["throughput_rps"] is None
    assert (total["scope"], total["requests"], total["p50_ms"]) == ("total", 28, None)


def test_the_tools_statistics_agree_with_its_rounds() -> None:
    """What is read as p50 and mean is that of the rounds."""
    rows = rows_of(read(RECORDED / "rounds.json"))
    for entry in ROUNDS["benchmarks"]:
        took = [row["duration_ms"] for row in rows if row["name"] == entry["fullname"]]
        assert median(took) == pytest.approx(entry["stats"]["median"] * 1000)
        assert sum(took) / len(took) == pytest.approx(entry["stats"]["mean"] * 1000)


def test_rounds_of_some_benchmarks_only_are_not_taken(tmp_path: Path) -> None:
    """Then all are summaries, so that none is missing."""
    mixed = deepcopy(ROUNDS)
    del mixed["benchmarks"][1]["stats"]["data"]
    reading = read_document(tmp_path, mixed)
    assert reading.samples is None
    assert reading.summaries is not None
    assert reading.summaries.num_rows == 4


def test_circumstances_are_kept(tmp_path: Path) -> None:
    """Version, time, interpreter and commit; not the name of the machine. Old files leave out that times are UTC."""
    document = deepcopy(SUMMARIES)
    document |= {"datetime": "2015-08-15T00:01:57.053896", "commit_info": {"id": "5b78858", "dirty": True}}
    document["machine_info"]["node"] = "somewhere"
    reading = read_document(tmp_path, document)
    assert reading.tool_version == "5.3.1"
    assert reading.started_at == datetime(2015, 8, 15, 0, 1, 57, 53896, tzinfo=UTC)
    assert any("CPython" in note for note in reading.findings.notes)
    assert "of commit 5b78858 with uncommitted changes" in reading.findings.notes
    assert "somewhere" not in str(reading.findings.notes)
    assert read_document(tmp_path, {**document, "datetime": "today"}).started_at is None


def test_a_single_round_has_no_deviation(tmp_path: Path) -> None:
    """The tool says 0."""
    document = deepcopy(SUMMARIES)
    document["benchmarks"][0]["stats"] |= {"rounds": 1, "stddev": 0}
    summaries = read_document(tmp_path, document).summaries
    assert summaries is not None
    assert summaries.to_pylist()[0]["stddev_ms"] is None


@pytest.mark.parametrize(
    "fault",
    [{"stats": None}, {"fullname": None, "name": 5}, {"stats": {"rounds": 0}}, {"stats": {"rounds": 2, "data": ["x"]}}],
)
def test_a_benchmark_that_cannot_be_read_is_rejected(tmp_path: Path, fault: dict[str, Any]) -> None:
    """It is told by its place; the others are kept."""
    document = deepcopy(SUMMARIES)
    document["benchmarks"][1] |= fault
    reading = read_document(tmp_path, document)
    assert reading.summaries is not None
    assert reading.summaries.num_rows == 3
    assert [row.reason for row in reading.findings.rejected] == ["benchmark 2 has no name, or no rounds"]


@pytest.mark.parametrize("document", [{**SUMMARIES, "benchmarks": []}, {"benchmarks": 5}, {}])
def test_a_file_without_benchmarks_is_refused(tmp_path: Path, document: Any) -> None:
    """There is nothing to take in."""
    with pytest.raises(ResultsError, match=r"benchmark\.json holds no benchmark"):
        read_document(tmp_path, document)


def test_several_files_are_several_runs() -> None:
    """Each session is a run of its own."""
    with pytest.raises(ResultsError, match="has one file a run"):
        read(RECORDED / "rounds.json", RECORDED / "summaries.json")


@pytest.mark.parametrize(
    ("head", "is_one"),
    [
        ('{"benchmarks": [{"options": {"min_rounds": 5}}]}', True),
        ('{"machine_info": {}, "commit_info": {}, "benchmarks": [', True),
        ('{"context": {}, "benchmarks": [{"name": "BM_x"}]}', False),
        ("", False),
    ],
)
def test_it_is_known_by_its_keys(tmp_path: Path, head: str, is_one: bool) -> None:
    """Google Benchmark's files have some of them, too."""
    path = tmp_path / "file"
    path.write_text(head)
    assert PytestBenchmarkReader().recognises(Source(path=path, name="file")) is is_one
