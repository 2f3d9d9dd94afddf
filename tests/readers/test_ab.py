"""The files and the text of ab."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ator_lib.errors import ResultsError
from ator_lib.readers.base import NO_OPTIONS
from ator_lib.readers.formats import reader
from ator_lib.results.parquet import ParquetStore
from tests.support.readings import RECORDED, read, source

RUNS = RECORDED / "ab"
GOOD, BAD = RUNS / "all-200", RUNS / "some-500"
HEADER = "starttime\tseconds\tctime\tdtime\tttime\twait\n"
ROW = "Sat Nov 21 10:00:00 2026\t1795255200\t2\t10\t12\t9\n"
PERCENTILES = {"p50_ms": 50, "p75_ms": 75, "p90_ms": 90, "p95_ms": 95, "p99_ms": 99}


def printed(text: str, label: str) -> float:
    found = re.search(rf"^{label}: +([\d.]+)", text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def test_rows_become_samples(tmp_path: Path) -> None:
    """The first byte is there after the connection and the waiting; starts are in whole seconds."""
    path = tmp_path / "rows.tsv"
    path.write_text(HEADER + ROW)
    found = read("ab", path)
    (row,) = found.samples
    assert (row["duration_ms"], row["connect_ms"], row["ttfb_ms"]) == (12.0, 2.0, 11.0)
    assert row["started_at"] == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert (row["name"], row["success"], row["status_code"]) == ("all requests", True, None)
    assert any("which requests failed" in note for note in found.findings.notes)


def test_rows_agree_with_what_ab_prints() -> None:
    """Beside its text the rows have a name, and are known to have succeeded."""
    text = (GOOD / "output.txt").read_text()
    found = read("ab", *sorted(GOOD.iterdir()))
    durations = sorted(row["duration_ms"] for row in found.samples)
    assert len(durations) == printed(text, "Complete requests")
    total = re.search(r"^Total: +(\d+) +(\d+) +[\d.]+ +(\d+) +(\d+)", text, re.MULTILINE)
    assert total is not None
    assert (durations[0], durations[-1]) == (float(total[1]), float(total[4]))
    assert sum(durations) / len(durations) == pytest.approx(float(total[2]), abs=1)
    assert {row["name"] for row in found.samples} == {"/items"}
    assert not any("which requests failed" in note for note in found.findings.notes)
    assert found.reading.tool_version == "2.3"


def test_where_requests_failed_the_text_is_finer_than_the_rows() -> None:
    """It counts them; the rows do not say which they are."""
    text = (BAD / "output.txt").read_text()
    found = read("ab", *sorted(BAD.iterdir()))
    assert not found.samples
    assert (found.total["requests"], found.total["failures"]) == (120, printed(text, "Non-2xx responses"))
    assert found.total["throughput_rps"] == printed(text, "Requests per second")
    assert found.total["duration_s"] == printed(text, "Time taken for tests")
    assert found.total["bytes_received"] == printed(text, "Total transferred")
    assert found.summaries[0]["name"] == "/mixed"
    assert any("does not say which requests failed" in note for note in found.findings.notes)


def test_percentiles_of_the_text_are_read() -> None:
    """To the millisecond."""
    text = (BAD / "output.txt").read_text()
    total = read("ab", BAD / "output.txt").total
    for column, percent in PERCENTILES.items():
        row = re.search(rf"^ +{percent}% +(\d+)", text, re.MULTILINE)
        assert row is not None
        assert total[column] == float(row[1])
    assert total["precision"] == "1 ms"


def test_percentiles_of_their_own_file_are_finer() -> None:
    """They take the place of those in the text."""
    written = dict(line.split(",") for line in (BAD / "percentiles.csv").read_text().splitlines()[1:])
    total = read("ab", BAD / "output.txt", BAD / "percentiles.csv").total
    assert {column: total[column] for column in PERCENTILES} == {
        column: float(written[str(percent)]) for column, percent in PERCENTILES.items()
    }


def test_percentiles_alone_are_refused() -> None:
    """Nobody knows of how many requests they are."""
    with pytest.raises(ResultsError, match=r"percentiles.csv has percentiles only .*ingest it together with what ab"):
        read("ab", BAD / "percentiles.csv")


def test_without_deviations_the_third_figure_is_the_longest() -> None:
    """As ``ab -S`` prints them."""
    total = read("ab", RUNS / "without-deviation.txt").total
    line = re.search(r"^Total: +(\d+) +(\d+) +(\d+)$", (RUNS / "without-deviation.txt").read_text(), re.MULTILINE)
    assert line is not None
    assert [total["min_ms"], total["mean_ms"], total["max_ms"]] == [float(figure) for figure in line.groups()]
    assert total["stddev_ms"] is None


@pytest.mark.parametrize(
    ("failed", "parts", "not_2xx", "failures"),
    [(0, (0, 0, 0, 0), 0, 0), (7, (1, 2, 3, 1), 0, 7), (10, (0, 0, 10, 0), 4, 10), (12, (2, 0, 10, 0), 14, 16)],
)
def test_an_answer_fails_once(tmp_path: Path, failed: int, parts: tuple[int, ...], not_2xx: int, failures: int) -> None:
    """An error page is of another length than the first answer, too."""
    text = re.sub(r"(Failed requests: +)\d+\n", rf"\g<1>{failed}\n", (GOOD / "output.txt").read_text())
    names = ("Connect", "Receive", "Length", "Exceptions")
    listed = ", ".join(f"{name}: {part}" for name, part in zip(names, parts, strict=True))
    more = f"   ({listed})\n" if failed else ""
    more += f"Non-2xx responses:      {not_2xx}\n" if not_2xx else ""
    path = tmp_path / "output.txt"
    path.write_text(text.replace("Total transferred:", f"{more}Total transferred:"))
    assert read("ab", path).total["failures"] == failures


def test_bad_rows_are_rejected_by_number(tmp_path: Path) -> None:
    """And a last line that is cut short is said."""
    path = tmp_path / "rows.tsv"
    path.write_text(HEADER + ROW + ROW.replace("\t12\t", "\t-12\t") + "garbage\n" + ROW + ROW[:40])
    found = read("ab", path)
    assert len(found.samples) == 2
    assert sorted(row.line or 0 for row in found.findings.rejected) == [3, 4]
    assert found.findings.truncated
    path.write_text(HEADER)
    with pytest.raises(ResultsError, match=r"rows.tsv holds no request"):
        read("ab", path)


def test_the_text_tells_how_long_it_took(tmp_path: Path) -> None:
    """Starts in whole seconds do not, of a short run."""
    text = (GOOD / "output.txt").read_text()
    store = ParquetStore(tmp_path)
    beside = store.write(reader("ab").read([source(file) for file in sorted(GOOD.iterdir())], NO_OPTIONS))
    whole = beside.summaries.to_pylist()[-1]
    assert round(whole["duration_s"], 3) == printed(text, "Time taken for tests")
    assert whole["throughput_rps"] == pytest.approx(printed(text, "Requests per second"), rel=1e-5)
    alone = store.write(reader("ab").read([source(RUNS / "rows.tsv")], NO_OPTIONS))
    whole = alone.summaries.to_pylist()[-1]
    assert (whole["duration_s"], whole["throughput_rps"], alone.report.ended_at) == (None, None, None)
    assert alone.report.started_at is not None


def test_two_runs_are_refused(tmp_path: Path) -> None:
    """Their figures cannot be added up."""
    for run in (GOOD, BAD):
        shutil.copy(run / "output.txt", tmp_path / f"{run.name}.txt")
    with pytest.raises(ResultsError, match="one file a run"):
        read("ab", *tmp_path.iterdir())


def test_a_text_that_is_cut_short_is_an_error(tmp_path: Path) -> None:
    """The counts stand at its end; only the durations may be missing."""
    path = tmp_path / "output.txt"
    text = (GOOD / "output.txt").read_text()
    path.write_text(text[: text.index("Complete")])
    with pytest.raises(ResultsError, match=r"output.txt tells of no request, or is cut short"):
        read("ab", path)
    path.write_text(text[: text.index("Connection Times")])
    found = read("ab", path)
    assert found.findings.truncated
    assert found.total["mean_ms"] is None
