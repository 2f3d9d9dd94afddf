"""Binary logs of Gatling: what they hold, cut short at any place, and corrupt. All of them are synthetic."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ator_lib.errors import ResultsError
from ator_lib.readers.base import NO_OPTIONS, Reading, Source
from ator_lib.readers.gatling.binary import GatlingBinaryReader
from tests.readers.gatling_logs import START_MS, BinaryLog, Request, string

RECORDED = Path(__file__).parents[1] / "recorded"
Read = Callable[[bytes], tuple[Reading, list[dict[str, Any]]]]

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
requests = st.builds(
    lambda name, groups, start, duration, ok, message: Request(
        name=name, groups=groups, start=start, end=start + duration, ok=ok, message=message
    ),
    name=texts,
    groups=st.lists(texts.filter(bool), max_size=3).map(tuple),
    start=st.integers(0, 2**30),
    duration=st.integers(0, 2**29),
    ok=st.booleans(),
    message=texts,
)


def source(path: Path) -> Source:
    return Source(path=path, name=path.name)


def read_files(*paths: Path) -> tuple[Reading, list[dict[str, Any]]]:
    reading = GatlingBinaryReader().read([source(path) for path in paths], NO_OPTIONS)
    assert isinstance(reading.samples, pa.RecordBatchReader)
    return reading, reading.samples.read_all().to_pylist()


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read bytes as a log."""

    def read_it(data: bytes) -> tuple[Reading, list[dict[str, Any]]]:
        path = tmp_path / "simulation.log"
        path.write_bytes(data)
        return read_files(path)

    return read_it


def log_of(*requests: Request) -> BinaryLog:
    log = BinaryLog()
    for request in requests:
        log.request(request)
    return log


def told(row: dict[str, Any]) -> tuple[Any, ...]:
    start = round(row["started_at"].timestamp() * 1000) - START_MS
    return start, row["duration_ms"], row["name"], row["group"], row["success"], row["error"]


def expected(request: Request) -> tuple[Any, ...]:
    group = " / ".join(request.groups) or None
    error = None if request.ok else request.message or None
    return request.start, request.end - request.start, request.name or "unnamed", group, request.ok, error


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(requests, min_size=1, max_size=30))
def test_what_gatling_writes_is_read(read: Read, written: list[Request]) -> None:
    """Times, names, groups, outcomes and messages, in any script, between records of other kinds."""
    log = BinaryLog(description="nightly 🌙")
    for request in written:
        log.user(request.start, starts=True)
        log.request(request)
        log.group(("all", *request.groups), request.start, request.end)
        log.error(f"boom {request.message}", request.end)
    reading, rows = read(log.data)
    assert [told(row) for row in rows] == [expected(request) for request in written]
    assert (reading.tool, reading.tool_version) == ("gatling", "3.14.3")
    assert not reading.findings.truncated
    assert any(note.endswith(f": {len(written)}") for note in reading.findings.notes)


def test_the_recorded_log_is_that_of_the_text(tmp_path: Path) -> None:
    """The same simulation in both kinds of log, which write a comma in a group differently only."""
    _, rows = read_files(RECORDED / "gatling-binary" / "gatling-3.14.log")
    text = (RECORDED / "gatling" / "gatling-3.9.log").read_text().splitlines()
    lines = [line.split("\t") for line in text if line.startswith("REQUEST")]
    assert [(row["name"], row["group"] or "", row["success"]) for row in rows] == [
        (cells[2], cells[1].replace(",", " / "), cells[5] == "OK") for cells in lines
    ]
    assert [told(row)[:2] for row in rows] == [
        (int(cells[3]) - START_MS, int(cells[4]) - int(cells[3])) for cells in lines
    ]


def test_users_are_counted_as_in_gatlings_charts(read: Read) -> None:
    """A user counts in every second in any part of which it ran."""
    log = log_of(Request())
    for at, starts in [(0, True), (100, True), (1900, False), (4000, True), (4500, False), (5000, False)]:
        log.user(at, starts=starts)
    reading, _ = read(log.data)
    users = {
        round(row["timestamp"].timestamp()) - START_MS // 1000: row["value"] for row in reading.metrics.to_pylist()
    }
    assert users == {0: 2, 2: 1, 4: 2, 5: 1, 6: 0}


def test_a_log_of_many_windows(read: Read) -> None:
    """Records and new strings lie across the borders of what is read at once."""
    written = [
        Request(name=f"request {number % 50}", start=number, end=number + 7, groups=("a", "b")[: number % 3])
        if number % 100
        else Request(start=number, end=number + 7, ok=False, message=f"failure {number} " + "x" * 10_000)
        for number in range(60_000)
    ]
    data = log_of(*written).data
    assert len(data) > 6 * 2**20
    reading, rows = read(data)
    assert [(row["name"], row["group"], row["error"]) for row in rows] == [
        expected(request)[2:4] + expected(request)[5:] for request in written
    ]
    assert not reading.findings.truncated


def test_logs_of_injectors_are_one_run(tmp_path: Path) -> None:
    """Each request and each count of users says whose it is."""
    for name, requests in (("one.log", 2), ("two.log", 1)):
        log = log_of(*[Request()] * requests)
        log.user(0, starts=True)
        (tmp_path / name).write_bytes(log.data)
    reading, rows = read_files(tmp_path / "one.log", tmp_path / "two.log")
    assert [row["worker"] for row in rows] == ["one.log", "one.log", "two.log"]
    assert reading.metrics.column("source").to_pylist() == ["one.log", "two.log"]


def test_a_log_cut_short_at_any_byte(read: Read) -> None:
    """The whole records before it count, and it is said that there is more, unless it ends between two."""
    log = log_of(Request())
    ends = [len(log.data)]
    for number in range(4):
        log.request(Request(name=f"n{number}", groups=("g", f"h{number}"), ok=False, message=f"m{number}"))
        ends.append(len(log.data))
    for end in range(ends[0], len(log.data) + 1):
        reading, rows = read(log.data[:end])
        assert len(rows) == sum(whole <= end for whole in ends)
        assert reading.findings.truncated is (end not in ends)


def test_any_flipped_byte_is_read_or_refused(read: Read) -> None:
    """Nothing else comes of it: no other error, no endless loop, no huge memory."""
    log = log_of(*[Request(name="n", groups=("g",) * number) for number in range(3)])
    log.user(5, starts=True)
    log.group(("g",), 1, 2)
    log.error("e", 3)
    for at in range(len(log.data)):
        for flip in (0x01, 0xFF):
            damaged = bytearray(log.data)
            damaged[at] ^= flip
            try:
                read(damaged)
            except ResultsError as error:
                assert "simulation.log" in str(error)  # noqa: PT017 – most are read


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (b"\x09", "no record begins with the byte 9"),
        (b"\x00", "no record begins with the byte 0"),
        (b"\x01" + struct.pack(">i", 2**31 - 1), "2147483647 groups inside each other"),
        (b"\x01" + struct.pack(">ii", 0, 4), "string 4 is written out where 3 is the next one"),
        (b"\x01" + struct.pack(">iii", 0, 3, 2**31 - 1), "2147483647 bytes of a string"),
        (b"\x01" + struct.pack(">iii", 0, 3, 1) + b"a\x07", "a string with the coder 7"),
        (b"\x02" + struct.pack(">ibi", 0, 7, 0), "a flag is neither 0 nor 1"),
    ],
)
def test_a_corrupt_record_is_refused_with_its_place(read: Read, record: bytes, words: str) -> None:
    """What comes after it cannot be found, so that nothing of the log is kept."""
    log = log_of(Request(), Request(name="GET /items"))
    with pytest.raises(ResultsError, match=rf"simulation\.log is corrupt at byte {len(log.data)}: {words}"):
        read(log.data + record + b"\x00" * 9)


def test_a_string_that_was_never_written_is_refused(read: Read) -> None:
    """A number above all that came before it names none."""
    log = log_of(Request())
    unknown = b"\x01" + struct.pack(">iiiibi", 0, -9, 0, 1, 1, -2)
    with pytest.raises(ResultsError, match=rf"corrupt at byte {len(log.data) + 5}: there is no string 9 before it"):
        read(log.data + unknown)


def test_a_request_that_ends_before_it_starts_is_rejected(read: Read) -> None:
    """It is named by its byte; the others are kept."""
    log = log_of(Request(name="new"))
    at = len(log.data)
    log.request(Request(name="newer", start=50, end=20))
    reading, rows = read(log.data)
    assert len(rows) == 1
    assert [(row.line, row.reason) for row in reading.findings.rejected] == [
        (None, f"the request at byte {at} ends before it starts")
    ]


def test_messages_that_no_check_waited_for_are_no_requests(read: Read) -> None:
    """Their end is the lower half of Long.MinValue less the start of the run."""
    end = struct.unpack(">i", struct.pack(">q", -(2**63) - START_MS + 2**64)[4:])[0]
    reading, rows = read(log_of(Request(), Request(name="ws", end=end)).data)
    assert [row["name"] for row in rows] == ["GET /items"]
    assert not reading.findings.rejected
    assert any("no check waited for" in note for note in reading.findings.notes)


def test_control_characters_do_not_get_into_texts(read: Read) -> None:
    """Tabs and line ends become spaces, as Gatling shows them; NUL is replaced."""
    _, rows = read(log_of(Request(name="a\tb\r\nc\0d")).data)
    assert rows[0]["name"] == "a b  c\ufffdd"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (BinaryLog().data, "holds no request"),
        (BinaryLog().data[:40], r"RUN record that cannot be read \(byte \d+\): it is cut short"),
        (BinaryLog(start_ms=-1).data, "names no simulation"),
        # before the release of 3.13, strings had no coder behind them
        (
            b"\x00" + struct.pack(">i", 6) + b"3.12.1" + struct.pack(">i", 300) + b"a" * 900,
            "not those of builds before",
        ),
        (b"\x00" + struct.pack(">i", 2**30) + b"3.14.3", "1073741824 bytes of a string"),
    ],
)
def test_what_cannot_be_read_is_refused(read: Read, data: bytes, words: str) -> None:
    """The message names the file and the reason."""
    with pytest.raises(ResultsError, match=rf"simulation\.log.*{words}"):
        read(data)


@pytest.mark.parametrize(
    ("head", "is_one"),
    [
        (b"\x00" + string("3.14.3"), True),
        (b"\x00" + string("3.15.0-SNAPSHOT"), True),
        (b"\x00" + string("3.14.3")[:-3], False),
        (b"\x00" * 64, False),
        (b"\x00\x00\x00\x00\x06abcdef", False),
        (b"RUN\t", False),
    ],
)
def test_it_is_known_by_its_first_record(tmp_path: Path, head: bytes, is_one: bool) -> None:
    """A zero, and a version as a string."""
    path = tmp_path / "file"
    path.write_bytes(head)
    assert GatlingBinaryReader().recognises(source(path)) is is_one
