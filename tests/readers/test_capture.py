"""Capture streams: whole, cut short, foreign, and while they grow."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ator_lib import schema
from ator_lib.errors import ResultsError, UsageError
from ator_lib.readers.capture.follower import CaptureFollower
from ator_lib.readers.capture.streams import ended_cleanly, stream_metadata, streams
from ator_lib.readers.formats import FORMATS, reader
from tests.support.capture import read_capture

COLUMNS = pa.schema([schema.SAMPLES.field(name) for name in ("started_at", "duration_ms", "name", "success")])


class Writer:
    """Writes a stream as a load tool's process does."""

    def __init__(self, path: Path, *, worker: str = "local-0", started_at: float | None = None) -> None:
        head = stream_metadata(
            tool="locust", tool_version="2.47.0", worker=worker, started_at=started_at or time.time()
        )
        self.path = path
        self._file = pa.OSFile(str(path), "wb")
        self._stream = pa.ipc.new_stream(self._file, COLUMNS.with_metadata(head))

    def batch(self, durations: list[float], *, at: float | None = None, users: int = 1, failed: int = 0) -> None:
        """Append a batch, its last ``failed`` requests being failures."""
        rows = len(durations)
        success = [index < rows - failed for index in range(rows)]
        arrays = [
            pa.array([0] * rows, pa.int64()).cast(COLUMNS.field(0).type),
            pa.array(durations, pa.float64()),
            pa.array(["/a"] * rows, pa.string()),
            pa.array(success, pa.bool_()),
        ]
        metadata = {"at": repr(at or time.time()), "users": str(users)}
        self._stream.write_batch(pa.record_batch(arrays, schema=COLUMNS), custom_metadata=metadata)

    def close(self) -> None:
        """End cleanly."""
        self._stream.close()
        self._file.close()


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    """Begin a stream in the test's folder; the test closes it or not."""
    return Writer(tmp_path / "local-1.arrows")


def durations(folder: Path) -> list[float]:
    """Read the durations of all samples."""
    read: list[float] = read_capture(folder).samples.read_all()["duration_ms"].to_pylist()
    return read


def test_reads_all_streams_of_the_folder(tmp_path: Path) -> None:
    """Every process has its stream; together they are the run."""
    for index, worker in enumerate(["worker-0", "worker-1"]):
        writer = Writer(tmp_path / f"worker-{index}.arrows", worker=worker)
        writer.batch([1.0 + index, 2.0 + index], at=1000.0, users=3)
        writer.batch([], at=1001.0, users=0)
        writer.close()
    reading = read_capture(tmp_path)
    assert (reading.tool, reading.tool_version, reading.precision) == ("locust", "2.47.0", "exact")
    assert not reading.findings.truncated
    assert sorted(reading.samples.read_all()["duration_ms"].to_pylist()) == [1.0, 2.0, 2.0, 3.0]
    users = zip(reading.metrics["source"].to_pylist(), reading.metrics["value"].to_pylist(), strict=True)
    assert list(users) == [("worker-0", 3.0), ("worker-0", 0.0), ("worker-1", 3.0), ("worker-1", 0.0)]
    assert reading.metrics["timestamp"][0].as_py().timestamp() == 1000.0


def test_rows_are_canonical(tmp_path: Path, writer: Writer) -> None:
    """All columns are there: null where the tool does not report, weight 1."""
    writer.batch([1.0])
    writer.close()
    reading = read_capture(tmp_path)
    assert reading.samples.schema.equals(schema.SAMPLES)
    assert reading.metrics.schema.equals(schema.METRICS)
    (row,) = reading.samples.read_all().to_pylist()
    assert row["weight"] == 1
    assert [name for name, value in row.items() if value is None] == [
        name for name in schema.SAMPLES.names if name not in (*COLUMNS.names, "weight")
    ]


def test_any_cut_leaves_the_whole_batches(tmp_path: Path, writer: Writer) -> None:
    """Wherever a killed process stopped, whole batches are read and the loss is said."""
    ends = []
    for value in (1.0, 2.0, 3.0):
        writer.batch([value])
        writer._file.flush()
        ends.append(writer.path.stat().st_size)
    writer.close()
    whole = writer.path.read_bytes()
    cut = tmp_path / "cut"
    cut.mkdir()
    for size in range(0, len(whole), 7):
        (cut / "local-1.arrows").write_bytes(whole[:size])
        assert durations(cut) == [1.0, 2.0, 3.0][: sum(end <= size for end in ends)]
        assert read_capture(cut).findings.truncated


def test_clean_end(writer: Writer) -> None:
    """Only a closed stream ended cleanly."""
    writer.batch([1.0])
    assert not ended_cleanly(writer.path)
    writer.close()
    assert ended_cleanly(writer.path)


def test_process_killed_before_its_first_byte(tmp_path: Path) -> None:
    """An empty stream is a truncated one without samples."""
    (tmp_path / "local-1.arrows").touch()
    reading = read_capture(tmp_path)
    assert reading.findings.truncated
    assert reading.samples.read_all().num_rows == 0
    assert reading.metrics.num_rows == 0


def test_folder_without_streams(tmp_path: Path) -> None:
    """Nothing recorded is an error, not an empty result."""
    with pytest.raises(ResultsError, match="there is no capture stream"):
        read_capture(tmp_path)


def test_foreign_file(tmp_path: Path) -> None:
    """A file under a stream's name that is none is refused by name."""
    (tmp_path / "a.arrows").write_text("name,duration\n/a,1\n")
    with pytest.raises(ResultsError, match=r"a\.arrows is no capture stream"):
        read_capture(tmp_path)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [({"ator_schema": str(schema.VERSION + 1)}, "newer ATOR"), ({}, "no ATOR capture")],
)
def test_other_version(tmp_path: Path, metadata: dict[str, str], words: str) -> None:
    """A stream of a newer ATOR, or of anybody else, is not guessed at."""
    path = str(tmp_path / "a.arrows")
    with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, COLUMNS.with_metadata(metadata)) as stream:
        stream.write_table(COLUMNS.empty_table())
    with pytest.raises(ResultsError, match=words):
        read_capture(tmp_path)


def test_samples_are_streamed(tmp_path: Path, writer: Writer) -> None:
    """Batches come one by one, as they were written."""
    for value in (1.0, 2.0, 3.0):
        writer.batch([value] * 10)
    writer.close()
    assert [batch.num_rows for batch in read_capture(tmp_path).samples] == [10, 10, 10]


def test_follower_before_anything_is_there(tmp_path: Path) -> None:
    """A run that is starting has no figures yet, and its folder need not exist."""
    progress = CaptureFollower(tmp_path / "none").poll()
    assert (progress.elapsed_s, progress.requests, progress.users) == (0.0, 0, None)
    assert (progress.throughput_rps, progress.p95_ms, progress.error_rate) == (None, None, None)


def test_follower_takes_in_what_is_new(tmp_path: Path, writer: Writer) -> None:
    """Counts are of the whole run; each batch counts once."""
    follower = CaptureFollower(tmp_path)
    writer.batch([1.0] * 8, users=2, failed=2)
    first = follower.poll()
    assert (first.requests, first.failures, first.users) == (8, 2, 2)
    assert follower.poll().requests == 8
    writer.batch([1.0] * 2, users=5)
    last = follower.poll()
    assert (last.requests, last.failures, last.users) == (10, 2, 5)
    assert last.error_rate == pytest.approx(0.2)
    assert CaptureFollower(tmp_path).poll().requests == 10


def test_follower_sums_over_processes(tmp_path: Path) -> None:
    """Users, requests and rates of all processes are added; percentiles are taken over all durations."""
    now = time.time()
    for index in range(2):
        writer = Writer(tmp_path / f"worker-{index}.arrows", started_at=now - 4)
        writer.batch([10.0 * (index + 1)] * 50, at=now - 2, users=3)
        writer.batch([10.0 * (index + 1)] * 50, at=now, users=3)
    progress = CaptureFollower(tmp_path).poll()
    assert (progress.users, progress.requests) == (6, 200)
    assert progress.throughput_rps == pytest.approx(50.0)
    assert progress.p95_ms == 20.0
    assert progress.elapsed_s >= 4.0


def test_follower_forgets_old_figures(tmp_path: Path) -> None:
    """Rates and p95 are of the last seconds; the slow beginning is over."""
    now = time.time()
    writer = Writer(tmp_path / "local-1.arrows", started_at=now - 100)
    writer.batch([9000.0] * 1000, at=now - 50)
    writer.batch([], at=now - 3)
    writer.batch([1.0] * 40, at=now - 1)
    progress = CaptureFollower(tmp_path).poll()
    assert progress.p95_ms == 1.0
    assert progress.requests == 1040


def test_follower_sees_a_stall(tmp_path: Path) -> None:
    """A tool that writes nothing for long has no rate, rather than an old one."""
    now = time.time()
    writer = Writer(tmp_path / "local-1.arrows", started_at=now - 100)
    writer.batch([1.0] * 100, at=now - 60)
    progress = CaptureFollower(tmp_path).poll()
    assert (progress.requests, progress.throughput_rps, progress.p95_ms) == (100, None, None)


def test_follower_waits_for_half_a_batch(tmp_path: Path, writer: Writer) -> None:
    """A batch that is being written counts when it is whole, byte by byte."""
    for value in (1.0, 2.0):
        writer.batch([value])
    writer.close()
    whole = writer.path.read_bytes()
    growing = tmp_path / "growing"
    growing.mkdir()
    follower = CaptureFollower(growing)
    counts = []
    with (growing / "local-1.arrows").open("wb", buffering=0) as file:
        for byte in range(0, len(whole), 5):
            file.write(whole[byte : byte + 5])
            counts.append(follower.poll().requests)
    assert counts == sorted(counts)
    assert set(counts) == {0, 1, 2}
    assert follower.poll().users == 1


def test_follower_of_an_ended_run_stands_still(tmp_path: Path) -> None:
    """After the clean end the elapsed time is that of the run."""
    writer = Writer(tmp_path / "local-1.arrows", started_at=1000.0)
    writer.batch([1.0] * 10, at=1002.0, users=0)
    writer.close()
    progress = CaptureFollower(tmp_path).poll()
    assert progress.elapsed_s == 2.0
    assert progress.throughput_rps == pytest.approx(5.0)


def test_follower_keeps_up_in_chunks(tmp_path: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream larger than what is taken in at once is read to its end."""
    monkeypatch.setattr("ator_lib.readers.capture.follower._CHUNK", 3000)
    for _ in range(50):
        writer.batch(list(np.ones(20)))
    assert CaptureFollower(tmp_path).poll().requests == 1000


def test_streams_of_a_missing_folder(tmp_path: Path) -> None:
    """There are none."""
    assert streams(tmp_path / "none") == []


def test_reader_table() -> None:
    """Each reader stands under its own name; an unknown one is answered with the known ones."""
    assert all(reader(name).about.name == name for name in FORMATS)
    with pytest.raises(UsageError, match=r"no reader for 'nonesuch'.*capture"):
        reader("nonesuch")
