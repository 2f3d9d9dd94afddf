"""Figures that stand still are not measured: a stuck collector, a replay, a mock."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ator_lib.analysis.timelines import longest_stretch, numbers, whole_run

COARSE_MS = 10.0
"""Below this, latencies in whole milliseconds may well be all the same."""
_FIGURES = ("requests", "failures", "mean_ms", "p50_ms", "p99_ms", "max_ms")
FEWEST = 5
"""Requests of an interval: fewer may be like those of the next one by chance."""


def standstill_s(timeline: pa.Table) -> float | None:
    """Return the length in seconds of the longest stretch in which each interval has the figures of the one before it.

    ``None`` without a timeline (``schema.TIMELINE``, of which the rows of the whole run are read). Intervals with less
    than ``FEWEST`` requests, or with latencies below ``COARSE_MS``, say nothing.
    """
    rows = whole_run(timeline)
    if not rows.num_rows:
        return None
    figures = np.column_stack([numbers(rows, name) for name in _FIGURES])
    telling = (figures[1:, 0] >= FEWEST) & (figures[1:, 2] >= COARSE_MS)
    alike = ((figures[1:] == figures[:-1]) | np.isnan(figures[1:])).all(axis=1)
    longest = longest_stretch(alike & telling)
    return float(rows["interval_s"][0].as_py() * (longest + 1)) if longest else 0.0
