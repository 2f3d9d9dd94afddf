"""Reads a folder of capture streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source
from ator_lib.readers.capture.streams import CONTINUATION, SUFFIX, ended_cleanly, head_of, only


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
        return source.head.startswith(CONTINUATION)

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
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file, options=only(())) as stream:
            head = head_of(stream.schema, path)
            while True:
                _, metadata = stream.read_next_batch_with_custom_metadata()
                batches += 1
                users.append((float(metadata[b"at"]), int(metadata[b"users"])))
    except StopIteration:
        pass
    except (pa.ArrowInvalid, OSError):
        _refuse_foreign(path)
    return _Scan(path=path, head=head, batches=batches, users=users, clean=ended_cleanly(path))


def _refuse_foreign(path: Path) -> None:
    """Let a stream that was cut short pass, and nothing else under its name."""
    with path.open("rb") as file:
        if not CONTINUATION.startswith(file.read(len(CONTINUATION))):
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
