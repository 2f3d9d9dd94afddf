"""Who else was at a run's location meanwhile, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd

from ator_lib.analysis.run_data import Overlap
from ator_lib.model import Run

COLUMNS = ("run_id", "test", "stream", "factor", "start_time", "end_time", "overlap_s", "share")


def overlap_of(run: Run, other: Run, *, now: datetime | None = None) -> Overlap:
    """Say for how long both ran; one that has not ended goes on until now, which may be given."""
    now = now or datetime.now(UTC)
    starts = [moment for moment in (run.start_time, other.start_time) if moment is not None]
    seconds = (min(run.end_time or now, other.end_time or now) - max(starts, default=now)).total_seconds()
    return Overlap(run_id=other.run_id, test=other.test, factor=other.factor, seconds=max(seconds, 0.0))


def overlaps_frame(run: Run, others: Sequence[Run]) -> pd.DataFrame:
    """Give a row per other run with ``COLUMNS``; ``share`` is of this run's time, until now while it runs."""
    now = datetime.now(UTC)  # one for all of them, or a share could be above 1
    length_s = overlap_of(run, run, now=now).seconds
    rows = []
    for other in others:
        overlap_s = overlap_of(run, other, now=now).seconds
        share = overlap_s / length_s if length_s else None
        rows.append({**vars(other), "overlap_s": overlap_s, "share": share})
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    for column in ("start_time", "end_time"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    return frame.astype({"overlap_s": "float64", "share": "float64"})
