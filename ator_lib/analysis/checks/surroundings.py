"""What only the registry knows: who else was there, and whether anything was measured at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ator_lib.analysis.checks.check import Check, Sides, length_s, percent, run_names
from ator_lib.analysis.run_data import Overlap, RunData

SHARED = 0.05
"""Share of a run's time with others at its location above which it was not alone."""
SYNTHETIC = "synthetic"
"""Attribute of runs that were made up."""


def surrounding_checks(sides: Sides) -> Iterator[Check]:
    """Compare who else was at the location, and whether the data are made up."""
    yield _overlap(sides)
    yield _synthetic_data(sides)


def _overlap(sides: Sides) -> Check:
    if all(run.overlaps is None for run in sides.runs):
        return sides.check("overlap", _others, ok=None, message="no run says where it was, so not checked")
    shared = [[run for run in side if _shared(run) > SHARED] for side in sides]
    disturbed = [*shared[0], *shared[1]]
    if disturbed:
        message = f"others took a part of the location of {run_names(disturbed)} at the same time"
        one_sided = bool(shared[0]) != bool(shared[1])
        return sides.check("overlap", _others, ok=False, message=message, blocking=one_sided)
    if any(run.overlaps is None for run in sides.runs):
        return sides.check("overlap", _others, ok=None, message="not every run says where it was, so not checked")
    return sides.check("overlap", _others, ok=True, message="nobody else took a part of the location")


def _shared(run: RunData) -> float:
    """Share of the run's time with one of the others, the one that was there longest; those of no factor aside."""
    longest, whole_s = max((other.seconds for other in _sharing(run)), default=0.0), length_s(run)
    return min(longest / whole_s, 1.0) if whole_s else 0.0


def _sharing(run: RunData) -> Sequence[Overlap]:
    return [other for other in run.overlaps or () if other.factor]


def _others(run: RunData) -> str | None:
    if run.overlaps is None:
        return None
    told = [
        f"run {other.run_id} ({other.test or 'no test name'}, factor {other.factor}) for {other.seconds:.0f} s"
        for other in _sharing(run)
    ]
    return f"{percent(_shared(run))}: {' + '.join(told)}" if told else "nobody"


def _synthetic_data(sides: Sides) -> Check:
    made_up = [run for run in sides.runs if _is_synthetic(run)]
    if not made_up:
        return sides.check("synthetic data", _origin, ok=True, message="none is marked so")
    is_mixed = len(made_up) < len(sides.runs)
    message = f"{run_names(made_up)} is made up" if is_mixed else "all runs are made up: this says nothing of a system"
    return sides.check("synthetic data", _origin, ok=False, message=message, blocking=is_mixed)


def _is_synthetic(run: RunData) -> bool:
    return bool(run.attributes.get(SYNTHETIC)) or SYNTHETIC in (run.attributes.get("tags") or ())


def _origin(run: RunData) -> str:
    return "made up" if _is_synthetic(run) else "measured"
