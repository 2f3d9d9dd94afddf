"""Reads along while capture streams are written."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from ator_lib.model import Progress
from ator_lib.readers.capture.endpoints import EndpointCounts, Recent
from ator_lib.readers.capture.streams import END_OF_STREAM, head_of, only, streams

_WINDOW_S = 5.0  # what "now" means in live figures
_CHUNK = 64 * 2**20  # bytes that a follower takes in at once
_LIVE_COLUMNS = ("duration_ms", "name", "method", "success", "error")


class CaptureFollower:
    """Reads along while the streams in ``folder`` (which need not exist yet) are written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tails: dict[Path, _Tail] = {}
        self._counts = EndpointCounts()

    def poll(self) -> Progress:
        """Take in what is new; rates and p95 are of the last five seconds.

        Raises
        ------
        ResultsError
            A file there is no capture stream.
        """
        for path in streams(self._folder):
            self._tails.setdefault(path, _Tail(path, self._counts)).advance()
        tails = [tail for tail in self._tails.values() if tail.started_at is not None]
        if not tails:
            return Progress(elapsed_s=0.0)
        moment = max(tail.at for tail in tails) if all(tail.ended for tail in tails) else time.time()
        return _progress(tails, self._counts, moment)


def _progress(tails: Sequence[_Tail], counts: EndpointCounts, moment: float) -> Progress:
    recent = [tail.since(moment - _WINDOW_S) for tail in tails]
    durations = np.concatenate([part.durations for part in recent])
    rates = [len(part.durations) / part.span_s for part in recent if part.span_s > 0]
    return Progress(
        elapsed_s=max(0.0, moment - min(tail.started_at for tail in tails if tail.started_at is not None)),
        requests=sum(tail.requests for tail in tails),
        failures=sum(tail.failures for tail in tails),
        users=sum(tail.users for tail in tails),
        throughput_rps=sum(rates) if rates else None,
        p95_ms=float(np.percentile(durations, 95)) if durations.size else None,
        endpoints=counts.progress(recent),
        errors=counts.errors(),
    )


class _Tail:
    """One growing stream: whole batches are taken in, a half-written one waits for the next time."""

    def __init__(self, path: Path, counts: EndpointCounts) -> None:
        self.started_at: float | None = None
        self.at = 0.0
        self.ended = False
        self.requests = 0
        self.failures = 0
        self.users = 0
        self._path = path
        self._counts = counts
        self._offset = 0
        self._header = b""
        self._columns: list[int] = []
        self._recent: deque[tuple[float, float, np.ndarray, np.ndarray]] = deque()  # from, to, codes, durations

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

    def since(self, moment: float) -> Recent:
        """Give the requests of the batches that ended after ``moment``."""
        while self._recent and self._recent[0][1] <= moment:
            self._recent.popleft()
        if not self._recent:
            return Recent(0.0, np.empty(0, np.int64), np.empty(0))
        begins, ends, codes, durations = zip(*self._recent, strict=True)
        return Recent(ends[-1] - begins[0], np.concatenate(codes), np.concatenate(durations))

    def _open(self, fresh: bytes) -> None:
        source = pa.BufferReader(fresh)
        try:
            schema_ = pa.ipc.open_stream(source).schema
        except (pa.ArrowInvalid, OSError):
            return  # still being written
        self._offset = source.tell()
        self._header = fresh[: self._offset]
        self._columns = sorted(schema_.get_field_index(name) for name in _LIVE_COLUMNS if name in schema_.names)
        self.started_at = self.at = float(head_of(schema_, self._path)["started_at"])

    def _take(self, fresh: bytes) -> bool:
        """Take the whole batches out of ``fresh``; says whether there was any."""
        source = pa.BufferReader(self._header + fresh)
        stream = pa.ipc.open_stream(source, options=only(self._columns))
        taken = 0
        try:
            while True:
                batch, metadata = stream.read_next_batch_with_custom_metadata()
                taken = source.tell() - len(self._header)
                self._count(batch, float(metadata[b"at"]), int(metadata[b"users"]))
        except StopIteration:
            self.ended = fresh[taken:].startswith(END_OF_STREAM)
        except (pa.ArrowInvalid, OSError):
            pass  # a batch that is still being written
        self._offset += taken
        return taken > 0

    def _count(self, batch: pa.RecordBatch, at: float, users: int) -> None:
        if batch.num_rows:
            self.requests += batch.num_rows
            self.failures += batch.num_rows - (batch.column("success").true_count)
        durations = batch.column("duration_ms").to_numpy(zero_copy_only=False).copy()
        self._recent.append((self.at, at, self._counts.take(batch), durations))
        self.at, self.users = at, users
        while self._recent[0][1] < at - 2 * _WINDOW_S:  # a long stream taken in at once
            self._recent.popleft()
