"""Reading runs for a comparison: the same part of each, and each once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ator_lib.analysis.options import CompareOptions
from ator_lib.analysis.run_data import RunData
from ator_lib.workspace.comparable import ComparableRun
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
