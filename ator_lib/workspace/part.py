"""A part of a run's time, by default all of it: what can be said of it, and what no more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.errors import NotFoundError, UsageError
from ator_lib.figures.intervals import readable_s
from ator_lib.model import IngestReport
from ator_lib.registry.history import as_utc
from ator_lib.results import index
from ator_lib.results.staging import STORED_INTERVAL_S
from ator_lib.workspace.durations import seconds_of
from ator_lib.workspace.parts import Parts

Moment: TypeAlias = float | str | timedelta | date
"""A time, as such or as text like ``2026-11-21T20:01:05Z``, or how long after the run's start."""

_DATED = re.compile(r"\d{4}-")


@dataclass(frozen=True, kw_only=True)
class RunPart:
    """The requests of a run that started in a part of its time: from ``since`` up to, not including, ``until``."""

    parts: Parts
    run_id: int
    ingest_id: str
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self.since is None and self.until is None

    @cached_property
    def window(self) -> tuple[datetime, datetime] | None:
        """When the part began and ended, as far as there was load; null when nobody knows."""
        known = index.window_of(self.parts.engine, self.run_id)
        return None if known is None else (max(known[0], self.since or known[0]), min(known[1], self.until or known[1]))

    def summaries(self) -> pa.Table:
        """Return ``schema.SUMMARIES``; of less than the whole they are computed from the samples.

        Raises
        ------
        NotFoundError
            There are no samples, or no more, and this is not the whole.
        """
        stored = index.summaries(self.parts.engine, [self.run_id]).drop_columns(["run_id"])
        if self.is_whole or not stored.num_rows:  # of cases or measurements alone there are none
            return stored
        self.check_has_parts()
        precision = stored["precision"][0].as_py()
        return self.parts.store.summaries(self.ingest_id, since=self.since, until=self.until, precision=precision)

    def check_has_parts(self) -> None:
        """Tell of runs that are known as a whole alone: their samples have expired, or never were.

        Raises
        ------
        NotFoundError
            It is one of these.
        """
        check_has_samples(self.parts, self.run_id)
        if self._is_taken("summaries"):
            raise NotFoundError(f"run {self.run_id} has no samples: its source's own summary is of the whole run alone")

    def timeline(self, interval_s: float, *, total_only: bool = False) -> pa.Table:
        """Return ``schema.TIMELINE``, computed from the samples; without any, the stored intervals that start in it.

        Raises
        ------
        NotFoundError
            Other intervals than the stored ones are wanted, and there are no samples, or no more.
        """
        if interval_s != STORED_INTERVAL_S:
            self._check_can_be_cut()
        bounds = {"since": self.since, "until": self.until}
        if self._can_be_cut:
            return self.parts.store.timeline(self.ingest_id, interval_s, **bounds, total_only=total_only)
        return self.parts.store.stored_timeline(self.ingest_id, **bounds, total_only=total_only)

    def readable_s(self) -> float:
        """Return the length of intervals that a figure of it can show; where nothing can be cut, the stored one."""
        if self.window is None or not self._can_be_cut:
            return STORED_INTERVAL_S
        length_s = (self.window[1] - self.window[0]).total_seconds()
        return readable_s(length_s) if self.is_whole else readable_s(length_s, throughput_rps=self._throughput_rps())

    def _throughput_rps(self) -> float:
        """Return that of the whole run."""
        whole = index.summaries(self.parts.engine, [self.run_id]).filter(pc.field("scope") == "total")
        return next((rate for rate in whole["throughput_rps"].to_pylist() if rate is not None), 0.0)

    def _check_can_be_cut(self) -> None:
        check_has_samples(self.parts, self.run_id)
        if not self._can_be_cut:
            stored = f"{STORED_INTERVAL_S:g}s"
            raise NotFoundError(
                f'run {self.run_id} has no samples: interval="{stored}" gives its source\'s own intervals'
            )

    @cached_property
    def _can_be_cut(self) -> bool:
        """Whether other intervals can be made than those that are stored."""
        has_expired = index.samples_purged_at(self.parts.engine, self.run_id) is not None
        return not has_expired and not self._is_taken("timeline")

    def _is_taken(self, table: str) -> bool:
        """Whether a table is the source's own."""
        return self._report is not None and table in self._report.taken

    @cached_property
    def _report(self) -> IngestReport | None:
        return index.report_of(self.parts.engine, self.run_id)


def part_of(
    parts: Parts, run_id: int, ingest_id: str, since: Moment | None = None, until: Moment | None = None
) -> RunPart:
    """Find the part between two moments, each of which may be left open.

    Raises
    ------
    UsageError
        One of them is no time, or counted from a start that nobody knows.
    """

    def moment(name: str, value: Moment | None) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, date) or (isinstance(value, str) and _DATED.match(value)):
            return as_utc(name, value)
        window = index.window_of(parts.engine, run_id)
        if window is None:
            RunPart(parts=parts, run_id=run_id, ingest_id=ingest_id).check_has_parts()
            raise UsageError(f"nobody knows when run {run_id} started, so {name}={value!r} is no time of it")
        return window[0] + timedelta(seconds=seconds_of(value, name, may_be_zero=True))

    return RunPart(
        parts=parts,
        run_id=run_id,
        ingest_id=ingest_id,
        since=moment("since", since),
        until=moment("until", until),
    )


def check_has_samples(parts: Parts, run_id: int) -> None:
    """Tell of samples that have expired; a source that never had any gives none.

    Raises
    ------
    NotFoundError
        They have.
    """
    purged_at = index.samples_purged_at(parts.engine, run_id)
    if purged_at is not None:
        raise NotFoundError(
            f"the samples of run {run_id} expired on {purged_at:%Y-%m-%d}: its summary, its timeline in "
            f"intervals of {STORED_INTERVAL_S:g} s, errors, distributions and cases are left"
        )
