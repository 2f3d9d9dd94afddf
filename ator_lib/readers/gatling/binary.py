"""Gatling's binary ``simulation.log``, of version 3.13 and newer: one for each injector of a run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import tables
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source
from ator_lib.readers.gatling.records import ERROR, REQUEST, USER, Log, Window, opened, windows
from ator_lib.readers.gatling.shared import BETWEEN_GROUPS, UNNAMED, note_errors, note_unmatched, users

_FIRST_BYTES = re.compile(rb"\x00\x00\x00\x00([\x03-\x40])(\d+\.\d[\w.+-]*)")


class GatlingBinaryReader:
    """Reads binary logs, a window at a time."""

    about: ClassVar[Format] = Format(
        name="gatling-binary",
        tool="gatling",
        files="simulation.log of Gatling 3.13 and newer, one for each injector",
        gives="samples, metrics (users)",
        precision="exact, in whole milliseconds",
        limits="no status codes, bytes or connect times; no times of groups, only which group a request is in",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it begins with a RUN record and a version."""
        found = _FIRST_BYTES.match(source.head)
        return found is not None and len(found[2]) >= found[1][0]

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the logs of a run's injectors: once for users and faults, and once more while samples are consumed.

        Raises
        ------
        ResultsError
            There is no request in them, or a record is corrupt; the message names the byte at which it stands.
        """
        findings = Findings(truncated=any(source.truncated for source in sources))
        logs = [opened(source) for source in sources]
        surveys = [_surveyed(log, findings) for log in logs]
        if not any(survey.requests for survey in surveys):
            raise ResultsError(f"{sources[0].name} holds no request: did the simulation send any?")
        workers = [source.name if len(sources) > 1 else None for source in sources]
        return Reading(
            tool="gatling",
            tool_version=logs[0].version,
            precision=schema.EXACT,
            samples=tables.stream(_samples(logs, workers, findings)),
            metrics=pa.concat_tables([survey.users for survey in surveys]),
            findings=findings,
        )


@dataclass(frozen=True, kw_only=True)
class _Survey:
    """What the first pass over a log found."""

    requests: int
    users: pa.Table


def _surveyed(log: Log, findings: Findings) -> _Survey:
    requests = errors = 0
    changes: Counter[int] = Counter()
    for window in windows(log, findings):
        requests += len(window.of_kind(REQUEST))
        errors += len(window.of_kind(ERROR))
        rows = window.of_kind(USER)
        starts = window.bytes[rows + 5] == 1
        seconds = (log.start_ms + window.integers[rows + 6].astype(np.int64)) // 1000
        changes.update(seconds[starts].tolist())
        changes.subtract((seconds[~starts] + 1).tolist())
    note_errors(findings, log.source, errors)
    return _Survey(requests=requests, users=users(changes, log.source))


def _samples(logs: Sequence[Log], workers: Sequence[str | None], findings: Findings) -> Iterator[pa.RecordBatch]:
    for log, worker in zip(logs, workers, strict=True):
        unmatched = 0
        for window in windows(log, findings):
            batch, left_out = _batch(window, worker, findings)
            unmatched += left_out
            yield batch
        note_unmatched(findings, log.source, unmatched)


def _batch(window: Window, worker: str | None, findings: Findings) -> tuple[pa.RecordBatch, int]:
    """Give the requests of a window, and how many messages that no check waited for stood among them."""
    rows = window.of_kind(REQUEST)
    after_groups = rows + 5 + 4 * window.bytes[rows + 4].astype(np.int64)
    start, end = (window.integers[after_groups + offset].astype(np.int64) for offset in (4, 8))
    unmatched = end == np.int64(-window.log.start_ms).astype(np.int32)  # their end is what is left of Long.MinValue
    for row in rows[(end < start) & ~unmatched]:
        findings.reject(window.log.source, None, f"the request at byte {window.place(row)} ends before it starts")
    kept = (end >= start) & ~unmatched
    rows, after_groups, start, end = rows[kept], after_groups[kept], start[kept], end[kept]
    success = window.bytes[after_groups + 12] == 1
    names, messages = window.texts(after_groups), window.texts(after_groups + 13)
    batch = tables.samples_batch(
        len(rows),
        started_at=pa.array((window.log.start_ms + start) * 1000),
        duration_ms=(end - start).astype(np.float64),
        name=pc.if_else(pc.equal(names, ""), UNNAMED, names),
        success=success,
        error=pc.if_else(pc.or_(success, pc.equal(messages, "")), None, messages),
        worker=None if worker is None else pa.repeat(worker, len(rows)),
        group=_groups(window, rows),
    )
    return batch, int(unmatched.sum())


def _groups(window: Window, rows: Any) -> pa.Array:
    depths = window.bytes[rows + 4].astype(np.int64)
    levels = [
        window.texts(np.where(depths > level, rows + 5 + 4 * level, rows + 5), depths > level)
        for level in range(depths.max(initial=0))
    ]
    if not levels:
        return pa.nulls(len(rows), pa.string())
    outermost = pc.fill_null(levels[0], "")  # of a row of nulls only, Arrow 26 makes no row
    joined = pc.binary_join_element_wise(outermost, *levels[1:], BETWEEN_GROUPS, null_handling="skip")
    return pc.if_else(depths > 0, joined, None)
