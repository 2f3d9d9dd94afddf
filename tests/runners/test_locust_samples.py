"""The recorder's own part, without Locust: events in, an Arrow stream out."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from ator_lib.runners._locust_samples import RequestListener, SampleStream, describe_error, words_of
from tests.support.capture import read_capture

EVENT = {
    "request_type": "GET",
    "name": "/a",
    "response_time": 1.25,
    "response_length": 27,
    "exception": None,
    "response": SimpleNamespace(status_code=200),
    "context": {},
    "start_time": 1_700_000_000.000001,
    "url": "http://127.0.0.1/a",
}


@pytest.fixture
def stream(tmp_path: Path) -> SampleStream:
    """Begin a stream in the test's folder."""
    return SampleStream(tmp_path / "local-1.arrows", worker="local-0", tool_version="2.47.0")


@pytest.fixture
def record(stream: SampleStream) -> RequestListener:
    """Its listener, with plain error texts."""
    return stream.listener(lambda error: describe_error(error, []))


def rows_of(stream: SampleStream, folder: Path) -> list[dict[str, object]]:
    """Close the stream and read its rows."""
    stream.flush(users=1)
    stream.close()
    rows: list[dict[str, object]] = read_capture(folder).samples.read_all().to_pylist()
    return rows


def test_request_keeps_its_figures(stream: SampleStream, record: RequestListener, tmp_path: Path) -> None:
    """Start to the microsecond, duration unrounded, and null for what Locust does not say."""
    record(**EVENT)
    (row,) = rows_of(stream, tmp_path)
    assert row["started_at"].isoformat() == "2023-11-14T22:13:20.000001+00:00"  # type: ignore[attr-defined]
    known = {name: value for name, value in row.items() if value is not None and name != "started_at"}
    assert known == {
        "duration_ms": 1.25,
        "name": "/a",
        "method": "GET",
        "status_code": 200,
        "success": True,
        "bytes_received": 27,
        "worker": "local-0",
        "weight": 1,
    }


def test_failed_request(stream: SampleStream, record: RequestListener, tmp_path: Path) -> None:
    """An exception is a failure with its text; a connection that never was has no status."""
    record(**EVENT | {"exception": ConnectionRefusedError(111, "no"), "response": SimpleNamespace(status_code=0)})
    record(**EVENT | {"exception": "said by hand"})
    refused, by_hand = rows_of(stream, tmp_path)
    assert (refused["success"], refused["status_code"]) == (False, None)
    assert refused["error"] == "ConnectionRefusedError(111, 'no')"
    assert (by_hand["success"], by_hand["error"]) == (False, "said by hand")


def test_client_that_fires_without_start_time(stream: SampleStream, record: RequestListener, tmp_path: Path) -> None:
    """The start of a custom client's request is its end minus its duration."""
    record(request_type="grpc", name="call", response_time=60_000, response_length=0)
    (row,) = rows_of(stream, tmp_path)
    assert time.time() - row["started_at"].timestamp() > 59  # type: ignore[attr-defined]
    assert row["duration_ms"] == 60_000.0


def test_client_that_fires_without_response_time(stream: SampleStream, record: RequestListener, tmp_path: Path) -> None:
    """A request without a duration lasts from its start to the event."""
    record(**EVENT | {"response_time": None, "start_time": time.time() - 60})
    (row,) = rows_of(stream, tmp_path)
    assert row["duration_ms"] > 59_000  # type: ignore[operator]


@pytest.mark.parametrize(
    ("fired", "kept"),
    [
        ({"name": b"/raw"}, {"name": "/raw"}),
        ({"name": b"\xff"}, {"name": "\ufffd"}),
        ({"name": "\ud800"}, {"name": "?"}),
        ({"response": SimpleNamespace(status_code=99_999)}, {"status_code": None}),
        ({"response": SimpleNamespace(status_code="OK")}, {"status_code": None}),
        ({"response_length": None}, {"bytes_received": None}),
        ({"response_length": "27"}, {"bytes_received": None}),
        ({"request_type": None}, {"method": None}),
    ],
)
def test_odd_events_lose_no_request(
    stream: SampleStream, record: RequestListener, tmp_path: Path, fired: dict[str, object], kept: dict[str, object]
) -> None:
    """What a custom client fires is kept as well as it can be, and spoils no other request."""
    record(**EVENT)
    record(**EVENT | fired)
    plain, odd = rows_of(stream, tmp_path)
    assert plain["name"] == "/a"
    assert {name: odd[name] for name in kept} == kept
    assert odd["duration_ms"] == 1.25


def test_flushes_are_batches_with_users(stream: SampleStream, record: RequestListener, tmp_path: Path) -> None:
    """Each flush is a batch, an empty one too, and says how many users there were; none at first."""
    stream.flush(users=3)
    record(**EVENT)
    stream.flush(users=5)
    assert len(rows_of(stream, tmp_path)) == 1
    metrics = read_capture(tmp_path).metrics
    assert metrics["value"].to_pylist() == [0.0, 3.0, 5.0, 1.0]
    assert set(metrics["metric"].to_pylist()) == {"users"}
    assert set(metrics["source"].to_pylist()) == {"local-0"}


def test_stream_that_was_not_closed_is_readable(stream: SampleStream, record: RequestListener, tmp_path: Path) -> None:
    """A killed process loses what was not flushed, and nothing else."""
    record(**EVENT)
    stream.flush(users=1)
    record(**EVENT)
    reading = read_capture(tmp_path)
    assert reading.findings.truncated
    assert reading.samples.read_all().num_rows == 1


def test_full_disk_is_told_in_the_systems_words() -> None:
    """Arrow hands on the system's own error when a write fails."""
    with pytest.raises(OSError, match="No space left") as caught:
        SampleStream(Path("/dev/full"), worker="local-0", tool_version="2.47.0")
    assert words_of(caught.value) == "No space left on device"


def test_errors_are_bounded() -> None:
    """A huge response in an error does not end up in every row."""
    text = describe_error(ValueError("x" * 10_000), [])
    assert len(text) == 300
    assert text.startswith("ValueError('xxx")
    assert text.endswith("…")


def test_equal_errors_have_equal_texts() -> None:
    """Memory addresses and query strings, which differ per request, are cut out."""
    first = describe_error(OSError("<Conn object at 0x7f01> for http://h/a?id=1&token=abc"), [])
    second = describe_error(OSError("<Conn object at 0x7f02> for http://h/a?id=2&token=def"), [])
    assert first == second
    assert "token" not in first


def test_batches_have_no_dictionaries(stream: SampleStream, record: RequestListener, tmp_path: Path) -> None:
    """A follower can decode any batch with the stream's head alone."""
    record(**EVENT)
    stream.flush(users=1)
    with pa.OSFile(str(tmp_path / "local-1.arrows")) as file, pa.ipc.open_stream(file) as reading:
        assert not any(pa.types.is_dictionary(field.type) for field in reading.schema)
