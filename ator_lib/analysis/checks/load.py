"""Whether it was the same load that reached the target."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from ator_lib.analysis.checks.check import Check, Sides, totals
from ator_lib.analysis.checks.load_model import is_closed, is_open, load_model
from ator_lib.analysis.run_data import RunData

DURATION_TOLERANCE = 0.2
"""Longest over shortest run, minus 1: slow leaks and caches depend on how long a run was."""
RATE_TOLERANCE = 0.1
"""Achieved rate, largest over smallest minus 1; only where the load is open and so was meant to be the same."""
USERS_TOLERANCE = 0.1
"""Users that were counted, most over fewest minus 1; only where the load is closed and so they were planned."""


def load_checks(sides: Sides) -> Iterator[Check]:
    """Compare what was achieved: duration, users, rate; and say what a closed load hides."""
    yield _alike("duration", lambda run: totals(run).get("duration_s"), "s", DURATION_TOLERANCE, sides)
    yield _users_reached(sides)
    yield _achieved_rate(sides)
    yield _coordinated_omission(sides)


def _alike(name: str, figure: Callable[[RunData], float | None], unit: str, tolerance: float, sides: Sides) -> Check:
    known = [value for run in sides.runs if (value := figure(run))]
    is_complete = len(known) == len(sides.runs)
    spread = max(known) / min(known) - 1 if known else 0.0
    ok = False if spread > tolerance else True if is_complete else None
    message = f"{spread * 100:.0f} % between the smallest and the largest, {tolerance * 100:.0f} % at most"
    if ok is None:
        message = "not known for every run, so not checked"

    def told(run: RunData) -> str | None:
        value = figure(run)
        return f"{value:.4g} {unit}" if value else None

    return sides.check(name, told, ok=ok, message=message, blocking=True)


def _users_reached(sides: Sides) -> Check:
    check = _alike("users reached", lambda run: run.users_reached, "users", USERS_TOLERANCE, sides)
    return check if is_closed(sides.runs) else _outcome(check, unless="closed")


def _achieved_rate(sides: Sides) -> Check:
    check = _alike("achieved rate", lambda run: totals(run).get("throughput_rps"), "requests/s", RATE_TOLERANCE, sides)
    return check if is_open(sides.runs) else _outcome(check, unless="open")


def _outcome(check: Check, *, unless: str) -> Check:
    """Show the figures of a check that there is nothing to check of: nobody planned them."""
    message = f"{check.name}: an outcome unless the load is {unless}, so not checked"
    return replace(check, ok=None, blocking=False, message=message)


def _coordinated_omission(sides: Sides) -> Check:
    messages = {
        True: "the load is open: requests did not wait for each other",
        False: (
            "the load is closed: while an answer is late, the requests that would have met the same delay are not "
            "sent, so high percentiles are lower bounds on both sides"
        ),
        None: "the load model is not known for every run: if it is closed, high percentiles are lower bounds",
    }
    kind = True if is_open(sides.runs) else False if is_closed(sides.runs) else None
    return sides.check("coordinated omission", load_model, ok=True if kind else None, message=messages[kind])
