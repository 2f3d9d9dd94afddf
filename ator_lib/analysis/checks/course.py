"""Whether each run went on as a run does: settled, always moving, without holes."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ator_lib.analysis.checks.check import Check, Sides, length_s, percent, run_names, totals
from ator_lib.analysis.run_data import RunData
from ator_lib.analysis.standstill import COARSE_MS
from ator_lib.analysis.timelines import longest_stretch, whole_run

FROZEN = 0.1
"""Share of a run's time in which no figure moved: measurements do not repeat themselves."""
FROZEN_S = 10.0
"""And for how long at least."""
EMPTY = 0.05
"""Share of a run's time in one stretch without a request, above which the check fails."""
TOO_EMPTY = 0.2
"""Above this share the rest is not the run that was planned, and the check blocks."""
EXPECTED = 20.0
"""Requests that the run's rate would have put into an empty stretch, at least: fewer may be missing by chance."""


def course_checks(sides: Sides) -> Iterator[Check]:
    """Check the warm-up, and look for stretches in which nothing moved or nothing was there."""
    yield _warm_up(sides)
    yield _frozen_data(sides)
    yield _empty_stretches(sides)


def _warm_up(sides: Sides) -> Check:
    cut = [run for run in sides.runs if run.warm_up_s]
    whole = [run for run in sides.runs if not run.warm_up_s]
    if cut and whole:
        message = f"left out of {run_names(cut)} and not of {run_names(whole)}, of which there are no samples"
        return sides.check("warm-up", _warm_up_of, ok=False, message=message, blocking=True)
    unsettled = [run for run in sides.runs if run.settled_after_s is not None and run.settled_after_s > run.warm_up_s]
    unknown = [run for run in sides.runs if run.settled_after_s is None]
    if unsettled:
        message = f"{run_names(unsettled)} had not settled when the figures begin"
        return sides.check("warm-up", _warm_up_of, ok=False, message=message)
    message = "left out of every run" if cut else "none was seen"
    if unknown:
        message = f"cannot be told for {run_names(unknown)}, whose timeline is too short or missing"
    return sides.check("warm-up", _warm_up_of, ok=None if unknown else True, message=message)


def _warm_up_of(run: RunData) -> str:
    left_out = f"{run.warm_up_s:g} s left out" if run.warm_up_s else "nothing left out"
    if run.settled_after_s is None:
        return left_out
    settled = f"after {run.settled_after_s:g} s" if math.isfinite(run.settled_after_s) else "not in its first half"
    return f"{left_out}, settled {settled}" if run.settled_after_s else f"{left_out}, settled at once"


def _frozen_data(sides: Sides) -> Check:
    constant = {run.run_id: _constant_ms(run) for run in sides.runs}
    same = [run for run in sides.runs if (constant[run.run_id] or 0.0) >= COARSE_MS]
    coarse = [run for run in sides.runs if constant[run.run_id] is not None and run not in same]
    zero = [run for run in coarse if constant[run.run_id] == 0]
    frozen = [run for run in sides.runs if _is_frozen(run)]
    ok: bool | None = False
    blocking = True
    if same:
        message = f"all requests of {run_names(same)} took exactly the same time: that is no measurement"
    elif frozen:
        message = f"the figures of {run_names(frozen)} stood still for a part of the time: that is no measurement"
    elif zero:
        message = f"all requests of {run_names(zero)} took 0 ms: latencies are below what the tool's clock can tell"
        blocking = any(all(run in zero for run in side) for side in sides)
    elif coarse:  # 1 ms by a clock of milliseconds is what a fast target looks like
        ok, message = None, f"all requests of {run_names(coarse)} were too short for the clock to tell them apart"
    elif any(run.standstill_s is None for run in sides.runs):
        ok, message = None, "not every run has a timeline, so not checked"
    else:
        ok, message = True, "figures move all the time"
    return sides.check("frozen data", _standstill_of, ok=ok, message=message, blocking=blocking)


def _constant_ms(run: RunData) -> float | None:
    """Give what every request of a run took, if that is the same."""
    total = totals(run)
    low, high = total.get("min_ms"), total.get("max_ms")
    return float(low) if low is not None and low == high and total["requests"] > 1 else None


def _is_frozen(run: RunData) -> bool:
    still = run.standstill_s or 0.0
    return still >= FROZEN_S and still > FROZEN * length_s(run)


def _standstill_of(run: RunData) -> str | None:
    constant_ms = _constant_ms(run)
    if constant_ms is not None:
        return f"always {constant_ms:g} ms"
    return None if run.standstill_s is None else f"{run.standstill_s:g} s without a move"


def _empty_stretches(sides: Sides) -> Check:
    shares = {run.run_id: _longest_hole(run) for run in sides.runs}
    known = [share for share in shares.values() if share is not None]

    def told(run: RunData) -> str | None:
        share = shares[run.run_id]
        return None if share is None else f"{percent(share)} of the time in one" if share else "none"

    most, least = max(known, default=0.0), min(known, default=0.0)
    is_planned = least > most / 2  # every run has such a pause
    holed = [run for run in sides.runs if (shares[run.run_id] or 0.0) > EMPTY]
    if holed and not is_planned:
        message = f"{run_names(holed)} had no requests for a part of the time: the target or the generator stood still"
        return sides.check("empty stretches", told, ok=False, message=message, blocking=most > TOO_EMPTY)
    if len(known) < len(sides.runs):
        return sides.check("empty stretches", told, ok=None, message="not every run has a timeline, so not checked")
    return sides.check("empty stretches", told, ok=True, message="in every run alike" if holed else "none")


def _longest_hole(run: RunData) -> float | None:
    """Share of the run's time of its longest stretch without requests, if some were to be expected; else 0."""
    requests = whole_run(run.timeline)["requests"].to_numpy()
    if len(requests) < 2:
        return None
    longest = longest_stretch(requests == 0)
    expected = longest * requests.sum() / len(requests)
    return longest / len(requests) if expected >= EXPECTED else 0.0
