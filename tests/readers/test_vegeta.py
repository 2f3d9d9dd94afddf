"""Results of vegeta in its three encodings."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ator_lib.errors import ResultsError
from tests.readers import gobs
from tests.support.readings import RECORDED, read, recognises

RESULTS = RECORDED / "vegeta"
REPORT = json.loads((RECORDED / "vegeta-report" / "report.json").read_text())
LINE = (
    '{"attack":"a","seq":0,"code":200,"timestamp":"2026-11-21T10:00:00Z","latency":1500000,"bytes_out":0,"bytes_in":9,'
)
JSON_LINE = LINE + '"error":"","body":"","method":"GET","url":"http://h/items","headers":null}\n'
CSV_LINE = "1795255200000000000,200,1500000,0,9,,,a,0,GET,http://h/items,\n"
START_NS = 1_795_255_200 * 10**9


@pytest.mark.parametrize("name", ["results.gob", "results.json", "12-columns.csv", "9-fields.gob", "9-columns.csv"])
def test_every_encoding_agrees_with_vegetas_own_report(name: str) -> None:
    """Counts, codes, bytes, durations to the nanosecond, and the window are those that vegeta reports."""
    samples = read("vegeta", RESULTS / name).samples
    codes = Counter(str(row["status_code"] or 0) for row in samples)
    assert codes == REPORT["status_codes"]
    assert sum(row["success"] for row in samples) == pytest.approx(REPORT["success"] * REPORT["requests"])
    durations_ns = [round(row["duration_ms"] * 1e6) for row in samples]
    assert sum(durations_ns) == REPORT["latencies"]["total"]
    assert (min(durations_ns), max(durations_ns)) == (REPORT["latencies"]["min"], REPORT["latencies"]["max"])
    assert sum(row["bytes_received"] for row in samples) == REPORT["bytes_in"]["total"]
    assert sum(row["bytes_sent"] for row in samples) == REPORT["bytes_out"]["total"]
    assert min(row["started_at"] for row in samples) == datetime.fromisoformat(REPORT["earliest"])
    assert set(filter(None, (row["error"] for row in samples))) == set(REPORT["errors"])


def test_encodings_hold_the_same() -> None:
    """The same results give the same rows."""
    gob = read("vegeta", RESULTS / "results.gob").samples
    assert read("vegeta", RESULTS / "results.json").samples == gob
    assert read("vegeta", RESULTS / "12-columns.csv").samples == gob


def test_requests_are_named_by_the_path_of_their_url() -> None:
    """The query, which may hold secrets, is left out; the attack is the scenario."""
    samples = read("vegeta", RESULTS / "results.gob").samples
    assert Counter((row["method"], row["name"]) for row in samples) == {
        ("GET", "/items"): 20,
        ("POST", "/orders"): 10,
        ("GET", "/mixed"): 10,
    }
    assert {row["scenario"] for row in samples} == {"checkout"}


def test_results_of_old_versions_are_named_by_their_attack() -> None:
    """They hold no URL and no method."""
    for name in ("9-fields.gob", "9-columns.csv"):
        samples = read("vegeta", RESULTS / name).samples
        assert {(row["name"], row["method"]) for row in samples} == {("checkout", None)}


def test_a_request_without_a_response_has_no_status() -> None:
    """Vegeta writes code 0; it is a failure, with the words of the error."""
    (refused,) = [row for row in read("vegeta", RESULTS / "results.gob").samples if row["status_code"] is None]
    assert not refused["success"]
    assert "connection refused" in refused["error"]


def test_several_files_are_parts_of_one_run(tmp_path: Path) -> None:
    """Such as those of several machines; another encoding of the same results is not counted again."""
    for name in ("one.gob", "two.gob"):
        shutil.copy(RESULTS / "results.gob", tmp_path / name)
    shutil.copy(RESULTS / "results.json", tmp_path / "encoded.json")
    found = read("vegeta", *sorted(tmp_path.iterdir()))
    assert len(found.samples) == 2 * REPORT["requests"]
    assert found.findings.notes == ["not read: encoded.json"]


# --- gob ---


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "attack": st.text(max_size=9),
                "seq": st.integers(0, 2**64 - 1),
                "code": st.integers(0, 999),
                "timestamp_ns": st.integers(1, 4 * 10**18),
                "latency_ns": st.integers(0, 2**62),
                "bytes_out": st.integers(0, 2**63 - 1),
                "bytes_in": st.integers(0, 300),
                "error": st.text(max_size=200),
                "body": st.binary(max_size=300),
                "method": st.sampled_from(["", "GET", "POST"]),
            }
        ),
        min_size=1,
        max_size=20,
    )
)
@settings(max_examples=60, deadline=None)
def test_whatever_a_result_holds_comes_back(
    tmp_path_factory: pytest.TempPathFactory, results: list[dict[str, int | str | bytes]]
) -> None:
    """Integers of every width, texts of every length, and fields that Go leaves out because they are zero."""
    path = tmp_path_factory.mktemp("gob") / "results.bin"
    path.write_bytes(gobs.stream(results))
    found = read("vegeta", path)
    assert not found.findings.rejected
    assert len(found.samples) == len(results)
    for row, result in zip(found.samples, results, strict=True):
        assert row["status_code"] == (result["code"] or None)
        assert row["duration_ms"] == pytest.approx(int(result["latency_ns"]) / 1e6)
        assert row["started_at"].timestamp() == pytest.approx(int(result["timestamp_ns"]) / 1e9, abs=1e-5)
        assert (row["bytes_sent"], row["bytes_received"]) == (result["bytes_out"], result["bytes_in"])
        assert row["error"] == (str(result["error"]).replace("\0", "\ufffd") or None)
        assert row["method"] == (result["method"] or None)


def test_a_body_of_many_megabytes_is_no_hindrance(tmp_path: Path) -> None:
    """Messages may be longer than what is read at once."""
    large = {"code": 200, "timestamp_ns": START_NS, "latency_ns": 7, "body": b"x" * 9_000_000, "url": "http://h/large"}
    small = {**large, "body": b"", "url": "http://h/small"}
    path = tmp_path / "results.bin"
    path.write_bytes(gobs.stream([small, large, small]))
    assert [row["name"] for row in read("vegeta", path).samples] == ["/small", "/large", "/small"]


def test_a_stream_may_be_cut_short_anywhere(tmp_path: Path) -> None:
    """Whole results count, and the place is said."""
    whole = (RESULTS / "results.gob").read_bytes()
    last = next(place for place in range(len(whole)) if gobs.frame(whole, place)[1] == len(whole) and place > 7000)
    path = tmp_path / "results.bin"
    for end in (last + 1, last + 2, last + 20, len(whole) - 1):
        path.write_bytes(whole[:end])
        found = read("vegeta", path)
        assert len(found.samples) == REPORT["requests"] - 1
        assert found.findings.truncated
        assert f"byte {last} of {end}" in found.findings.notes[0]


def test_a_broken_chain_of_messages_is_an_error_that_names_the_byte(tmp_path: Path) -> None:
    """Nobody knows where the next result begins."""
    good = gobs.stream([{"code": 200, "timestamp_ns": START_NS, "latency_ns": 7}])
    for damage in (b"\x01\x02", b"\xf0", b"\xf8" + b"\x7f" * 8, b"\0\0"):
        path = tmp_path / "results.bin"
        path.write_bytes(good + damage + bytes(30))
        with pytest.raises(ResultsError, match=rf"results.bin is damaged at byte {len(good)}|byte {len(good) + 1}"):
            read("vegeta", path)


def test_a_result_that_does_not_fit_into_its_message_is_left_out(tmp_path: Path) -> None:
    """The others count; the report names the byte where it stands."""
    good = gobs.stream([{"code": 200, "timestamp_ns": START_NS, "latency_ns": 7}])
    attack_of_99_bytes = gobs.framed(b"\xff\x82\x01\x63abc\0")
    path = tmp_path / "results.bin"
    path.write_bytes(good + attack_of_99_bytes + good[len(gobs.definitions()) :])
    found = read("vegeta", path)
    assert len(found.samples) == 2
    assert [row.reason for row in found.findings.rejected] == [f"the result at byte {len(good) + 1} is damaged"]


def test_a_stream_without_a_result_is_an_error(tmp_path: Path) -> None:
    """Only types were defined before vegeta ended."""
    path = tmp_path / "results.bin"
    path.write_bytes(gobs.definitions())
    with pytest.raises(ResultsError, match="no whole result"):
        read("vegeta", path)


# --- JSON and CSV ---


def test_lines_that_are_no_result_are_rejected_by_number(tmp_path: Path) -> None:
    """The others count."""
    path = tmp_path / "results.json"
    path.write_text(
        JSON_LINE + "{]\n" + JSON_LINE + JSON_LINE.replace("1500000", "-1") + JSON_LINE.replace("200", '"x"')
    )
    found = read("vegeta", path)
    assert len(found.samples) == 2
    assert [row.line for row in found.findings.rejected] == [2, 4, 5]

    path.write_text(CSV_LINE + "1,2\n" + CSV_LINE + CSV_LINE.replace("1500000", "soon"))
    found = read("vegeta", path)
    assert len(found.samples) == 2
    assert [row.line for row in found.findings.rejected] == [2, 4]


@pytest.mark.parametrize("line", [JSON_LINE, CSV_LINE], ids=["json", "csv"])
def test_a_last_line_that_is_cut_short_is_said(tmp_path: Path, line: str) -> None:
    """It is no rejection."""
    path = tmp_path / "results"
    path.write_text(line + line[:40])
    found = read("vegeta", path)
    assert len(found.samples) == 1
    assert found.findings.truncated
    assert not found.findings.rejected


def test_errors_in_quotation_marks_are_read(tmp_path: Path) -> None:
    """With commas, quotation marks and line ends in them, and bytes that are no UTF-8."""
    path = tmp_path / "results.csv"
    path.write_bytes(
        CSV_LINE.replace(",9,,", ',9,"a, ""b""\nc \0",').encode() + CSV_LINE.replace(",9,,", ",9,?,").encode()
    )
    path.write_bytes(path.read_bytes().replace(b"?", b"\xff"))
    assert [row["error"] for row in read("vegeta", path).samples] == ['a, "b"\nc \ufffd', "\ufffd"]


def test_the_six_columns_of_the_first_versions_are_read(tmp_path: Path) -> None:
    """There is nothing to name requests by."""
    path = tmp_path / "results.csv"
    path.write_text("1795255200000000000,200,1500000,0,9,\n")
    (row,) = read("vegeta", path).samples
    assert (row["name"], row["duration_ms"], row["scenario"]) == ("all requests", 1.5, None)
    assert row["started_at"] == datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_a_line_without_end_is_an_error(tmp_path: Path) -> None:
    """It is not held in memory."""
    path = tmp_path / "results"
    for line in (JSON_LINE, CSV_LINE):
        path.write_text(line + line[:-9] + "x" * 40_000_000)
        with pytest.raises(ResultsError, match=r"longer than|line of more than"):
            read("vegeta", path)


def test_other_files_are_not_taken_for_results(tmp_path: Path) -> None:
    """Numbers with commas, and JSON of others."""
    path = tmp_path / "other"
    for text in ("1,2,3,4,5,6\n", '{"code": 200, "latency": 3}\n', "", "Result\n"):
        path.write_text(text)
        assert not recognises("vegeta", path)


def test_a_plain_file_may_be_called_as_if_it_were_packed(tmp_path: Path) -> None:
    """What a file is called is no evidence."""
    path = tmp_path / "results.json.gz"
    path.write_bytes((RECORDED / "vegeta" / "results.json").read_bytes())
    assert len(read("vegeta", path).samples) == 40
