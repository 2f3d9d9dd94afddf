"""What wrk and wrk2 print."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ator_lib.errors import ResultsError
from ator_lib.readers.base import ReadOptions
from ator_lib.readers.sources import opened
from tests.support.readings import RECORDED, Read, read, recognises

RUNS = RECORDED / "wrk"
HEAD = "Running 2s test @ http://user:password@shop.test:8080/items?token=1\n  1 threads and 2 connections\n"
STATISTICS = (
    "  Thread Stats   Avg      Stdev     Max   +/- Stdev\n    Latency    {}\n    Req/Sec    44.76  6.80  60.00  9%\n"
)
DONE = "  94 requests in 2.10s, 11.60KB read\n"
RATES = "Requests/sec:     44.73\nTransfer/sec:      5.52KB\n"


def read_text(folder: Path, text: str) -> Read:
    path = folder / "wrk.txt"
    path.write_text(text)
    assert recognises("wrk", path)
    return read("wrk", path)


def figures(row: dict[str, object], *columns: str) -> tuple[object, ...]:
    return tuple(row[column] for column in columns)


def test_a_run_is_read(tmp_path: Path) -> None:
    """Durations become milliseconds, sizes bytes; the name is the path, without secrets."""
    statistics = STATISTICS.format("44.05ms  902.11us   1.02s    95.74%")
    latencies = (
        "  Latency Distribution\n     50%   44.02ms\n     75%  950.00us\n     90%    1.02s \n     99%    1.50m \n"
    )
    found = read_text(tmp_path, HEAD + statistics + latencies + DONE + RATES)
    (row,) = found.summaries
    assert figures(row, "name", "requests", "failures", "duration_s", "throughput_rps") == ("/items", 94, 0, 2.1, 44.73)
    assert figures(row, "mean_ms", "stddev_ms", "max_ms", "min_ms") == (44.05, pytest.approx(0.90211), 1020.0, None)
    assert figures(row, "p50_ms", "p75_ms", "p90_ms", "p99_ms") == (44.02, pytest.approx(0.95), 1020.0, 90_000.0)
    assert figures(row, "p95_ms", "p99_9_ms") == (None, None)
    assert row["bytes_received"] == pytest.approx(11.6 * 1024, abs=1)
    assert found.total["p99_ms"] == row["p99_ms"]
    assert found.reading.tool == "wrk"
    assert "the load was 1 threads and 2 connections" in found.findings.notes[0]


def test_failures_are_bad_statuses_and_socket_errors(tmp_path: Path) -> None:
    """What got no response is no response of wrk's, but a request; what came too late is among the responses."""
    errors = "  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 5\n"
    total = read_text(tmp_path, HEAD + STATISTICS.format("1.00ms 1.00ms 1.00ms 9%") + DONE + errors + RATES).total
    assert figures(total, "requests", "failures") == (94 + 1 + 2 + 3, 1 + 2 + 3 + 4 + 5)


def test_recorded_failures_are_counted() -> None:
    """By the lines of the recorded texts themselves."""
    for name, pattern in (("some-500.txt", r"Non-2xx or 3xx responses: (\d+)"), ("timeouts.txt", r"timeout (\d+)")):
        printed = re.search(pattern, (RUNS / name).read_text())
        assert printed is not None
        assert read("wrk", RUNS / name).total["failures"] == int(printed[1]) > 0


@pytest.mark.parametrize("nothing", ["nan", "-nan", "0.00us"])
def test_a_run_without_a_response_has_no_durations(tmp_path: Path, nothing: str) -> None:
    """What is no number is null, never zero; the failures count."""
    statistics = STATISTICS.format(f"{nothing}  {nothing}  {nothing}  -nan%")
    done = "  0 requests in 2.10s, 0.00B read\n  Socket errors: connect 7, read 0, write 0, timeout 0\n" + RATES
    total = read_text(tmp_path, HEAD + statistics + done).total
    assert figures(total, "requests", "failures", "mean_ms", "max_ms") == (7, 7, None, None)


def test_without_its_first_line_a_run_has_no_url() -> None:
    """All else is the same."""
    whole, cut = (read("wrk", RUNS / name).total for name in ("wrk2.txt", "wrk2-without-first-line.txt"))
    assert cut == whole
    assert read("wrk", RUNS / "wrk2-without-first-line.txt").summaries[0]["name"] == "all requests"


def test_several_runs_are_a_row_each() -> None:
    """Numbered; counts and load times add up, percentiles do not."""
    text = (RUNS / "several-runs.txt").read_text()
    found = read("wrk", RUNS / "several-runs.txt")
    requests = [int(count) for count in re.findall(r"(\d+) requests in", text)]
    assert [figures(row, "name", "requests") for row in found.summaries] == [
        (f"/items #{number}", count) for number, count in enumerate(requests, 1)
    ]
    assert found.total["requests"] == sum(requests)
    assert found.total["duration_s"] == pytest.approx(sum(map(float, re.findall(r"requests in ([\d.]+)s", text))))
    assert found.total["p99_ms"] is None
    assert all(row["p99_ms"] for row in found.summaries)


def test_a_run_that_came_to_no_end_is_left_out_and_said(tmp_path: Path) -> None:
    """The last one makes the file a truncated one."""
    whole = HEAD + STATISTICS.format("1.00ms 1.00ms 1.00ms 9%") + DONE + RATES
    found = read_text(tmp_path, HEAD + whole + HEAD)
    assert [row["requests"] for row in found.summaries] == [94]
    assert "run 1 came to no end: it is left out" in found.findings.notes
    assert found.findings.truncated
    for text in (HEAD, HEAD + "  0 requests in 2.10s, 0.00B read\n" + RATES):
        with pytest.raises(ResultsError, match=r"wrk.txt (holds no run|tells of no request)"):
            read_text(tmp_path, text)


def test_text_of_powershell_is_read() -> None:
    """Which redirects into UTF-16."""
    with opened([RUNS / "powershell.txt"]) as (source,):
        assert recognises("wrk", source.path)
        assert read("wrk", source.path).total == read("wrk", RUNS / "without-latency.txt").total


def test_the_start_is_what_the_user_says() -> None:
    """Then the end is known as well."""
    start = datetime(2026, 11, 21, 10, tzinfo=UTC)
    found = read("wrk", RUNS / "wrk.txt", options=ReadOptions(started_at=start))
    assert found.reading.started_at == start
    assert found.reading.ended_at == start + timedelta(seconds=found.total["duration_s"])


# --- wrk2 ---


def spectrum(text: str) -> list[tuple[float, float, int]]:
    lines = (line.split() for line in text.splitlines())
    return [(float(line[0]), float(line[1]), int(line[2])) for line in lines if len(line) == 4 and line[2].isdigit()]


def test_figures_of_wrk2_are_those_of_its_spectrum() -> None:
    """Which has more digits than the lines above it, and percentile 95."""
    text = (RUNS / "wrk2.txt").read_text()
    found = read("wrk", RUNS / "wrk2.txt")
    values = {share: value for value, share, _ in spectrum(text)}
    assert found.reading.tool == "wrk2"
    assert found.reading.precision == "3 significant digits"
    assert figures(found.total, "p50_ms", "p75_ms", "p90_ms", "p95_ms") == tuple(
        values[p] for p in (0.5, 0.75, 0.9, 0.95)
    )
    mean = re.search(r"#\[Mean *= *([\d.]+)", text)
    assert mean is not None
    assert found.total["mean_ms"] == float(mean[1])
    assert any("durations are of" in note for note in found.findings.notes)  # the others were of its calibration


def test_the_spectrum_becomes_a_distribution() -> None:
    """Its counts add up to what wrk2 measured, and are found again below each of its values."""
    rows = spectrum((RUNS / "wrk2.txt").read_text())
    distributions = read("wrk", RUNS / "wrk2.txt").reading.distributions
    assert distributions is not None
    whole = [row for row in distributions.to_pylist() if row["name"] is None]
    assert sum(row["count"] for row in whole) == rows[-1][2]
    for value, _, count in rows:
        assert sum(row["count"] for row in whole if row["upper_ms"] <= value * (1 + 1e-9)) == count


def test_of_two_spectra_the_corrected_one_counts() -> None:
    """The other leaves out how long requests waited that could not be sent in time."""
    text = (RUNS / "wrk2-both-spectra.txt").read_text()
    found = read("wrk", RUNS / "wrk2-both-spectra.txt")
    corrected = spectrum(text[: text.index("Uncorrected")])
    assert found.total["max_ms"] == pytest.approx(corrected[-1][0], rel=0.001)
    assert found.total["p50_ms"] == next(value for value, share, _ in corrected if share == 0.5)
    assert any("uncorrected ones are left out" in note for note in found.findings.notes)
