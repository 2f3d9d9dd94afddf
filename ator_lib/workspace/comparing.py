"""Reading runs for a comparison: the same part of each, and each once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.analysis.block_summaries import summaries_of_blocks
from ator_lib.analysis.blocks import block_seconds
from ator_lib.analysis.run_data import Overlap, RunData
from ator_lib.analysis.standstill import standstill_s
from ator_lib.analysis.warm_up import settled_after_s, users_reached
from ator_lib.errors import UsageError
from ator_lib.model import Run
from ator_lib.results import index
from ator_lib.results.base import Blocks
from ator_lib.results.extent import seconds_between
from ator_lib.workspace.parts import Parts

if TYPE_CHECKING:
    from ator_lib.analysis.options import CompareOptions
    from ator_lib.workspace.run import RunHandle


def load(
    contender: Sequence[RunHandle], baseline: Sequence[RunHandle], options: CompareOptions
) -> tuple[list[RunData], list[RunData]]:
    """Read what the analysis needs of every run, the warm-up of the slowest left out of all.

    Raises
    ------
    UsageError
        A run has no requests, or the warm-up that was given is all of it.
    """
    sides = [[run.comparable_run() for run in side] for side in (contender, baseline)]
    runs = [run for side in sides for run in side]
    warm_up_s = _longest_warm_up_s(runs) if isinstance(options.warm_up, str) else float(options.warm_up)
    loaded = [[run.data(warm_up_s) for run in side] for side in sides]
    return loaded[0], loaded[1]


def _longest_warm_up_s(runs: Iterable[ComparableRun]) -> float:
    """Give what has to be left out of all runs; nothing if it could not be left out of one of them."""
    runs = list(runs)
    if not all(run.can_be_cut for run in runs):
        return 0.0
    settled = [run.settled_after_s for run in runs]
    needed = max((s for s in settled if s is not None and math.isfinite(s)), default=0.0)
    return min([needed, *(run.duration_s / 2 for run in runs)])


@dataclass(frozen=True)
class ComparableRun:
    """A run with results, and what a comparison reads of it."""

    parts: Parts
    record: Run
    ingest_id: str

    @cached_property
    def settled_after_s(self) -> float | None:
        """When it had settled, as ``warm_up.settled_after_s`` says."""
        return settled_after_s(self._timeline)

    @cached_property
    def _timeline(self) -> pa.Table:
        return self.parts.store.timeline(self.ingest_id)

    @cached_property
    def duration_s(self) -> float:
        """Length of the load window; 0 where nobody knows it."""
        return float(self._total["duration_s"] or 0.0)

    @property
    def can_be_cut(self) -> bool:
        """Whether its beginning can be left out: what a tool has summed up cannot be taken apart."""
        report = index.report_of(self.parts.engine, self.record.run_id)
        has_samples = report is None or "summaries" in report.computed
        return has_samples and self._started_at is not None and self.duration_s > 0

    def data(self, warm_up_s: float = 0.0) -> RunData:
        """Read it without its beginning; that ends with the time block in which the warm-up does.

        Raises
        ------
        UsageError
            The warm-up is all of it.
        """
        blocks = self._blocks(warm_up_s)
        run = RunData(
            run_id=self.record.run_id,
            label=f"run {self.record.run_id}" + (f" ({self.record.stream})" if self.record.stream else ""),
            tool=self.record.tool,
            test=self.record.test,
            location=self.record.location,
            load_profile=self.record.load_profile,
            status=self.record.status,
            summaries=self._summaries if blocks.summaries is None else blocks.summaries,
            distributions=blocks.distributions,
            timeline=blocks.timeline,
            stream=self.record.stream,
            environment=self.record.environment,
            factor=self.record.factor,
            started_at=self._started_at or self.record.start_time,
            attributes=self.record.attributes,
            errors=self.parts.store.errors(self.ingest_id),
            warm_up_s=seconds_between(self._started_at, blocks.since) or 0.0,
            settled_after_s=self.settled_after_s,
            users_reached=users_reached(self._timeline),
            standstill_s=standstill_s(self._timeline),
            overlaps=self._overlaps(),
        )
        if run.warm_up_s and blocks.summaries is None:  # the samples have expired
            return replace(run, summaries=summaries_of_blocks(run, self.duration_s - run.warm_up_s))
        return run

    def _blocks(self, warm_up_s: float) -> Blocks:
        """Cut it; whole blocks are left out, so that it makes no difference whether the samples have expired."""
        block_s = block_seconds(self.duration_s)
        since = None
        if warm_up_s > 0 and self.can_be_cut and self._started_at is not None:
            left_out_s = math.ceil(round(warm_up_s / block_s, 6)) * block_s
            if left_out_s >= self.duration_s:
                raise UsageError(
                    f"a warm-up of {warm_up_s:g} s leaves nothing of run {self.record.run_id}, which lasted "
                    f"{self.duration_s:.4g} s: give a shorter one"
                )
            since = self._started_at + timedelta(seconds=left_out_s)
        return self.parts.store.blocks(self.ingest_id, block_s, since=since, precision=self._total["precision"])

    @cached_property
    def _summaries(self) -> pa.Table:
        return index.summaries(self.parts.engine, [self.record.run_id]).drop_columns(["run_id"])

    @cached_property
    def _total(self) -> dict[str, Any]:
        totals: list[dict[str, Any]] = self._summaries.filter(pc.field("scope") == "total").to_pylist()
        if not totals:
            raise UsageError(
                f"run {self.record.run_id} has no requests, so there is nothing to compare: see its cases()"
            )
        return totals[0]

    @cached_property
    def _started_at(self) -> datetime | None:
        """When its first request started."""
        window = index.window_of(self.parts.engine, self.record.run_id)
        return None if window is None else window[0]

    def _overlaps(self) -> tuple[Overlap, ...] | None:
        others = self.parts.registry.overlapping(self.record)
        return None if others is None else tuple(overlap_of(self.record, other) for other in others)


def overlap_of(run: Run, other: Run) -> Overlap:
    """Say for how long both ran; one that has not ended goes on until now."""
    now = datetime.now(UTC)
    starts = [moment for moment in (run.start_time, other.start_time) if moment is not None]
    seconds = (min(run.end_time or now, other.end_time or now) - max(starts, default=now)).total_seconds()
    return Overlap(run_id=other.run_id, test=other.test, factor=other.factor, seconds=max(seconds, 0.0))
