"""Requests of one Locust process, as an Arrow stream. Knows Locust's request event, not Locust."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ator_lib import schema
from ator_lib.masking import masked
from ator_lib.readers.capture.streams import stream_metadata

_COLUMNS = (
    "started_at",
    "duration_ms",
    "name",
    "method",
    "status_code",
    "success",
    "error",
    "bytes_received",
    "worker",
)
_SCHEMA = pa.schema([schema.SAMPLES.field(name) for name in _COLUMNS])
_VALUES = 7  # what the hot path keeps per request
_ERROR_LENGTH = 300
_QUERY = re.compile(r"\?[^\s'\"<>)]*=[^\s'\"<>)]*")
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]+")

RequestListener = Callable[..., None]


class SampleStream:
    """The stream of one process. Requests are kept in memory until `flush`.

    Raises
    ------
    OSError
        The file cannot be made, or not be written.
    """

    def __init__(self, path: Path, *, worker: str, tool_version: str) -> None:
        self._worker = worker
        self._values: list[Any] = []
        head = stream_metadata(tool="locust", tool_version=tool_version, worker=worker, started_at=time.time())
        options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
        self._file = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_stream(self._file, _SCHEMA.with_metadata(head), options=options)
        self.flush(users=0)  # the head: followers see it, and a disk that fails does so before the load

    def listener(self, error_text: Callable[[object], str]) -> RequestListener:
        """Give the listener of Locust's request event: the hot path.

        One flat list takes the values of all requests. A tuple per request would live until the
        flush, and tens of thousands of those keep the garbage collector walking.
        """
        keep = self._values.extend
        clock = time.time

        def on_request(
            request_type: str,
            name: str,
            response_time: float | None,
            response_length: int | None,
            exception: object = None,
            response: object = None,
            start_time: float | None = None,
            context: object = None,  # named, so that the common event fills no dictionary: a third of the cost
            url: object = None,
            **_: object,
        ) -> None:
            if start_time is None:  # clients that fire the event themselves
                start_time = clock() - (response_time or 0.0) / 1000
            elif response_time is None:
                response_time = (clock() - start_time) * 1000
            status = getattr(response, "status_code", None)
            error = error_text(exception) if exception else None
            keep((start_time, response_time or 0.0, name, request_type, status, error, response_length))

        return on_request

    def flush(self, *, users: int) -> None:
        """Write what was recorded since the last time as a batch, also when that is nothing.

        Raises
        ------
        OSError
            The disk is full, or broke.
        """
        values = self._values[:]
        self._values.clear()
        metadata = {"at": repr(time.time()), "users": str(users)}
        self._writer.write_batch(to_batch(values, self._worker), custom_metadata=metadata)

    def close(self) -> None:
        """Mark the clean end."""
        self._writer.close()
        self._file.close()


def to_batch(values: Sequence[Any], worker: str) -> pa.RecordBatch:
    """Turn the flat list of `SampleStream.listener` into a batch."""
    columns = [values[i::_VALUES] for i in range(_VALUES)]
    try:
        return _convert(columns, worker)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return _convert(_cleaned(columns), worker)


def _convert(columns: Sequence[Sequence[Any]], worker: str) -> pa.RecordBatch:
    starts, durations, names, methods, statuses, errors, lengths = columns
    started_us = (np.array(starts, np.float64) * 1e6).round().astype(np.int64)
    error = pa.array(errors, pa.string())
    arrays = [
        pa.array(started_us).view(_SCHEMA.field("started_at").type),
        pa.array(durations, pa.float64()),
        pa.array(names, pa.string()),
        pa.array(methods, pa.string()),
        pa.array([status or None for status in statuses], pa.int16()),
        error.is_null(),
        error,
        pa.array(lengths, pa.int64()),
        pa.repeat(pa.scalar(worker, pa.string()), len(names)),
    ]
    return pa.record_batch(arrays, schema=_SCHEMA)


def _cleaned(columns: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Make the most of what a custom client may fire: names that are no text, statuses of its own."""
    starts, durations, names, methods, statuses, errors, lengths = columns
    return [
        [float(value) for value in starts],
        [float(value) for value in durations],
        [_encodable(text) for text in names],
        [None if text is None else _encodable(text) for text in methods],
        [_whole(status, below=2**15) for status in statuses],
        [None if text is None else _encodable(text) for text in errors],
        [_whole(length, below=2**63) for length in lengths],
    ]


def _encodable(text: object) -> str:
    raw = text if isinstance(text, bytes) else str(text).encode("utf-8", "replace")
    return raw.decode("utf-8", "replace")


def _whole(value: object, *, below: int) -> int | None:
    return value if isinstance(value, int) and 0 <= value < below else None


def describe_error(error: object, secrets: Sequence[str]) -> str:
    """Give the text of a failure: as Locust writes it, but bounded and without secrets.

    Query strings and ``secrets`` are cut out, and memory addresses too, so that equal errors have
    equal texts.

    Examples
    --------
    >>> describe_error(ValueError("no /a?token=x at 0x7f3a with k3y"), ["k3y"])
    "ValueError('no /a?… at 0x… with ***')"
    """
    text = error if isinstance(error, str) else repr(error)
    text = _ADDRESS.sub("0x…", _QUERY.sub("?…", masked(text, secrets)))
    return text if len(text) <= _ERROR_LENGTH else text[: _ERROR_LENGTH - 1] + "…"


def words_of(error: Exception) -> str:
    """Give the operating system's words for a failed write."""
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else str(error)
