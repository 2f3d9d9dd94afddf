"""The Arrow IPC streams of a capture, and what stands at their heads and ends.

A folder holds one stream ``<role>-<pid>.arrows`` per process: columns out of ``schema.SAMPLES``,
a batch per second (it may be empty) with the metadata ``at`` (epoch seconds) and ``users``
(virtual users running in that process then). The stream's own metadata is ``stream_metadata``.
A stream that lacks Arrow's end-of-stream mark was cut short; its whole batches count.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError

SUFFIX = ".arrows"
CONTINUATION = b"\xff\xff\xff\xff"
"""What every stream begins with."""
END_OF_STREAM = CONTINUATION + bytes(4)


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
        file.seek(max(0, size - len(END_OF_STREAM)))
        return file.read() == END_OF_STREAM


def head_of(stream: pa.Schema, path: Path) -> dict[str, str]:
    """Read the metadata of a stream by its schema.

    Raises
    ------
    ResultsError
        It is no capture, or one of a newer ATOR.
    """
    head = {key.decode(): value.decode() for key, value in (stream.metadata or {}).items()}
    version = head.get("ator_schema")
    if version is None:
        raise ResultsError(f"{path} is an Arrow stream, but no ATOR capture.")
    if int(version) > schema.VERSION:
        raise ResultsError(f"{path} was written by a newer ATOR (schema {version}). Update ATOR to read it.")
    return head


def only(columns: Sequence[int]) -> pa.ipc.IpcReadOptions:
    """Read these columns of a stream and leave the others packed."""
    return pa.ipc.IpcReadOptions(included_fields=list(columns), use_threads=False)
