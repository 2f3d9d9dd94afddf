"""One run as a comparison reads it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.analysis.block_summaries import summaries_of_blocks
from ator_lib.analysis.blocks import block_seconds
from ator_lib.analysis.run_data import Overlap, RunData
from ator_lib.analysis.standstill import standstill_s
from ator_lib.analysis.warm_up import settled_after_s, users_reached
from ator_lib.errors import UsageError
from ator_lib.model import IngestReport, Run
from ator_lib.results import index
from ator_lib.results.base import Blocks
from ator_lib.results.extent import seconds_between
from ator_lib.workspace.overlaps import overlap_of
from ator_lib.workspace.parts import Parts


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
        has_samples = self._report is None or "summaries" in self._report.computed
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
            summaries=self._summaries if blocks.summaries is None else blocks.summaries,
            distributions=blocks.distributions,
            timeline=blocks.timeline,
            errors=self.parts.store.errors(self.ingest_id),
            warm_up_s=seconds_between(self._started_at, blocks.since) or 0.0,
            settled_after_s=self.settled_after_s,
            users_reached=users_reached(self._timeline),
            standstill_s=standstill_s(self._timeline),
            overlaps=self._overlaps(),
            **self._facts(),
        )
        if run.warm_up_s and blocks.summaries is None:  # stored blocks were cut, and not the samples
            return replace(run, summaries=summaries_of_blocks(run, self.duration_s - run.warm_up_s))
        return run

    def _facts(self) -> dict[str, Any]:
        """Give what the registry has of it, under the names of ``RunData``."""
        record = self.record
        same = ("run_id", "test", "location", "load_profile", "status", "stream", "environment", "factor", "attributes")
        return {name: getattr(record, name) for name in same} | {
            "label": f"run {record.run_id}" + (f" ({record.stream})" if record.stream else ""),
            "tool": record.tool or (self._report.tool if self._report else None),
            "started_at": self._started_at or record.start_time,
        }

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
    def _report(self) -> IngestReport | None:
        """What was read; nobody wrote it down for results of before there were reports."""
        return index.report_of(self.parts.engine, self.record.run_id)

    @cached_property
    def _started_at(self) -> datetime | None:
        """When its first request started."""
        window = index.window_of(self.parts.engine, self.record.run_id)
        return None if window is None else window[0]

    def _overlaps(self) -> tuple[Overlap, ...] | None:
        others = self.parts.registry.overlapping(self.record)
        return None if others is None else tuple(overlap_of(self.record, other) for other in others)
