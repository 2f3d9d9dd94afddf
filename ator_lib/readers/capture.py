"""Samples that ATOR records inside a load tool's own processes, as Arrow IPC streams.

A folder holds one stream ``<role>-<pid>.arrows`` per process: columns out of ``schema.SAMPLES``,
a batch per second (it may be empty) with the metadata ``at`` (epoch seconds) and ``users``
(virtual users running in that process then). The stream's own metadata is ``stream_metadata``.
A stream that lacks Arrow's end-of-stream mark was cut short; its whole batches count.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.model import Progress
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source

SUFFIX = ".arrows"
_CONTINUATION = b"\xff\xff\xff\xff"
_END_OF_STREAM = _CONTINUATION + bytes(4)
_WINDOW_S = 5.0  # what "now" means in live figures
_CHUNK = 64 * 2**20  # bytes that a follower takes in at once
_LIVE_COLUMNS = ("duration_ms", "success")


def stream_metadata(*, tool: str, tool_version: str, worker: str, started_at: float) -> dict[str, str]:
    """Give what stands at the head of a stream; ``started_at`` is in epoch seconds."""
    return {
        "ator_schema": str(schema.VERSION),
        "tool": tool,
        "tool_version": tool_version,
        "worker": worker,
        "started_at": repr(started_at),
    }


def streams(folder: Path) -> list[Path]:
    """List the streams in ``folder``, which need not exist."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def ended_cleanly(stream: Path) -> bool:
    """Say whether the process that wrote ``stream`` came to its regular end."""
    with stream.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - len(_END_OF_STREAM)))
        return file.read() == _END_OF_STREAM


class CaptureReader:
    """Reads a folder of capture streams, a batch at a time."""

    about: ClassVar[Format] = Format(
        name="capture",
        tool="locust",
        files=f"streams (*{SUFFIX}) that ATOR records inside a load tool, a file per process",
        gives="samples, metrics (users)",
        precision=schema.EXACT,
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it is an Arrow stream."""
        return source.head.startswith(_CONTINUATION)

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the streams; a truncated tail is left out and said.

        Raises
        ------
        ResultsError
            A file is no stream, or one written by a newer ATOR.
        """
        if not sources:
            raise ResultsError("nothing was recorded: there is no capture stream.")
        recorded = [source for source in sources if source.name.endswith(SUFFIX)] or sources  # not what lies beside
        scans = [_scan(source.path) for source in recorded]
        heads = [scan.head for scan in scans if scan.head]
        findings = Findings(truncated=not all(scan.clean for scan in scans))
        return Reading(
            samples=pa.RecordBatchReader.from_batches(schema.SAMPLES, _samples(scans)),
            metrics=pa.concat_tables([_users(scan) for scan in scans]),
            tool=next((head["tool"] for head in heads if "tool" in head), "unknown"),
            tool_version=next((head["tool_version"] for head in heads if "tool_version" in head), None),
            precision=schema.EXACT,
            findings=findings,
        )


@dataclass(frozen=True, kw_only=True)
class _Scan:
    """What a first pass over a stream found; it touches no rows."""

    path: Path
    head: dict[str, str]
    batches: int
    users: Sequence[tuple[float, int]]
    clean: bool


def _scan(path: Path) -> _Scan:
    head: dict[str, str] = {}
    users: list[tuple[float, int]] = []
    batches = 0
    try:
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file, options=_only(())) as stream:
            head = _head(stream.schema, path)
            while True:
                _, metadata = stream.read_next_batch_with_custom_metadata()
                batches += 1
                users.append((float(metadata[b"at"]), int(metadata[b"users"])))
    except StopIteration:
        pass
    except (pa.ArrowInvalid, OSError):
        _refuse_foreign(path)
    return _Scan(path=path, head=head, batches=batches, users=users, clean=ended_cleanly(path))


def _only(columns: Sequence[int]) -> pa.ipc.IpcReadOptions:
    return pa.ipc.IpcReadOptions(included_fields=list(columns), use_threads=False)


def _head(schema_: pa.Schema, path: Path) -> dict[str, str]:
    head = {key.decode(): value.decode() for key, value in (schema_.metadata or {}).items()}
    version = head.get("ator_schema")
    if version is None:
        raise ResultsError(f"{path} is an Arrow stream, but no ATOR capture.")
    if int(version) > schema.VERSION:
        raise ResultsError(f"{path} was written by a newer ATOR (schema {version}). Update ATOR to read it.")
    return head


def _refuse_foreign(path: Path) -> None:
    """Let a stream that was cut short pass, and nothing else under its name."""
    with path.open("rb") as file:
        if not _CONTINUATION.startswith(file.read(len(_CONTINUATION))):
            raise ResultsError(f"{path} is no capture stream.")


def _samples(scans: Sequence[_Scan]) -> Iterator[pa.RecordBatch]:
    for scan in scans:
        if scan.batches:
            with pa.memory_map(str(scan.path)) as file, pa.ipc.open_stream(file) as stream:
                for _ in range(scan.batches):
                    batch = stream.read_next_batch()
                    if batch.num_rows:
                        yield _conform(batch)


def _conform(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Give the batch all columns of SAMPLES: null where the tool does not report, weight 1."""
    known = set(batch.schema.names)
    columns = []
    for field in schema.SAMPLES:
        if field.name in known:
            columns.append(batch.column(field.name).cast(field.type))
        elif field.name == "weight":
            columns.append(pa.array(np.ones(batch.num_rows, np.int64)))
        else:
            columns.append(pa.nulls(batch.num_rows, field.type))
    return pa.record_batch(columns, schema=schema.SAMPLES)


def _users(scan: _Scan) -> pa.Table:
    rows = len(scan.users)
    at_us = [round(at * 1e6) for at, _ in scan.users]
    columns = [
        pa.array(at_us, pa.int64()).cast(schema.METRICS.field("timestamp").type),
        pa.array(["users"] * rows, pa.string()),
        pa.array([users for _, users in scan.users], pa.float64()),
        pa.nulls(rows, pa.string()),
        pa.array([scan.head.get("worker", scan.path.stem)] * rows, pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=schema.METRICS)


class CaptureFollower:
    """Reads along while the streams in ``folder`` (which need not exist yet) are written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tails: dict[Path, _Tail] = {}

    def poll(self) -> Progress:
        """Take in what is new; rates and p95 are of the last five seconds.

        Raises
        ------
        ResultsError
            A file there is no capture stream.
        """
        for path in streams(self._folder):
            self._tails.setdefault(path, _Tail(path)).advance()
        tails = [tail for tail in self._tails.values() if tail.started_at is not None]
        if not tails:
            return Progress(elapsed_s=0.0)
        moment = max(tail.at for tail in tails) if all(tail.ended for tail in tails) else time.time()
        return _progress(tails, moment)


def _progress(tails: Sequence[_Tail], moment: float) -> Progress:
    recent = [tail.since(moment - _WINDOW_S) for tail in tails]
    durations = np.concatenate([part for _, parts in recent for part in parts] or [np.empty(0)])
    rates = [sum(map(len, parts)) / span_s for span_s, parts in recent if span_s > 0]
    return Progress(
        elapsed_s=max(0.0, moment - min(tail.started_at for tail in tails if tail.started_at is not None)),
        requests=sum(tail.requests for tail in tails),
        failures=sum(tail.failures for tail in tails),
        users=sum(tail.users for tail in tails),
        throughput_rps=sum(rates) if rates else None,
        p95_ms=float(np.percentile(durations, 95)) if durations.size else None,
    )


class _Tail:
    """One growing stream: whole batches are taken in, a half-written one waits for the next time."""

    def __init__(self, path: Path) -> None:
        self.started_at: float | None = None
        self.at = 0.0
        self.ended = False
        self.requests = 0
        self.failures = 0
        self.users = 0
        self._path = path
        self._offset = 0
        self._header = b""
        self._columns: list[int] = []
        self._recent: deque[tuple[float, float, np.ndarray]] = deque()  # from, to, durations

    def advance(self) -> None:
        """Take in what was appended since the last time."""
        with self._path.open("rb") as file:
            while not self.ended:
                file.seek(self._offset)
                fresh = file.read(_CHUNK)
                if not self._header:
                    self._open(fresh)
                elif not self._take(fresh):
                    return
                if not self._header:
                    return

    def since(self, moment: float) -> tuple[float, list[np.ndarray]]:
        """Give the durations of the batches that ended after ``moment``, and the seconds they cover."""
        while self._recent and self._recent[0][1] <= moment:
            self._recent.popleft()
        if not self._recent:
            return 0.0, []
        return self._recent[-1][1] - self._recent[0][0], [durations for _, _, durations in self._recent]

    def _open(self, fresh: bytes) -> None:
        source = pa.BufferReader(fresh)
        try:
            schema_ = pa.ipc.open_stream(source).schema
        except (pa.ArrowInvalid, OSError):
            return  # still being written
        self._offset = source.tell()
        self._header = fresh[: self._offset]
        self._columns = sorted(schema_.get_field_index(name) for name in _LIVE_COLUMNS)
        self.started_at = self.at = float(_head(schema_, self._path)["started_at"])

    def _take(self, fresh: bytes) -> bool:
        """Take the whole batches out of ``fresh``; says whether there was any."""
        source = pa.BufferReader(self._header + fresh)
        stream = pa.ipc.open_stream(source, options=_only(self._columns))
        taken = 0
        try:
            while True:
                batch, metadata = stream.read_next_batch_with_custom_metadata()
                taken = source.tell() - len(self._header)
                self._count(batch, float(metadata[b"at"]), int(metadata[b"users"]))
        except StopIteration:
            self.ended = fresh[taken:].startswith(_END_OF_STREAM)
        except (pa.ArrowInvalid, OSError):
            pass  # a batch that is still being written
        self._offset += taken
        return taken > 0

    def _count(self, batch: pa.RecordBatch, at: float, users: int) -> None:
        if batch.num_rows:
            self.requests += batch.num_rows
            self.failures += batch.num_rows - (batch.column("success").true_count)
        self._recent.append((self.at, at, batch.column("duration_ms").to_numpy(zero_copy_only=False).copy()))
        self.at, self.users = at, users
        while self._recent[0][1] < at - 2 * _WINDOW_S:  # a long stream taken in at once
            self._recent.popleft()
