"""Over time: whether a figure was on the wrong side for too long at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ator_lib.analysis.gates.data import Course, GateData, Intervals, endpoints_of
from ator_lib.analysis.gates.findings import Finding, of_each, unknown
from ator_lib.analysis.gates.limits import HOLDS, SPOKEN
from ator_lib.analysis.gates.model import GateSpec
from ator_lib.analysis.gates.result import Outcome
from ator_lib.analysis.gates.units import SECONDS


@dataclass(frozen=True, kw_only=True)
class Streak:
    """Intervals one after the other that are all on the wrong side."""

    start_s: float
    end_s: float
    worst: float

    @property
    def length_s(self) -> float:
        """From the start of its first interval to the end of its last one."""
        return self.end_s - self.start_s


def judge_course(gate: GateSpec, data: GateData) -> Finding:
    """Judge what must never be for some time, in every endpoint."""
    course = data.courses[gate.measure.name]
    endpoints = endpoints_of(gate.of, list(data.rows()))
    return of_each(endpoints, lambda endpoint: _judge_endpoint(gate, course.by_endpoint.get(endpoint), course))


def _judge_endpoint(gate: GateSpec, intervals: Intervals | None, course: Course) -> Finding:
    for_s, after_s = gate.for_s or 0.0, gate.after_s or 0.0
    seen = None if intervals is None else intervals.after(after_s)
    if seen is None or not seen.span_s:
        return unknown("there are no figures over time")
    if seen.span_s < for_s:
        return unknown(f"its figures span {SECONDS.write(seen.span_s)}, and {SECONDS.write(for_s)} are looked for")
    longest = longest_streak(seen, gate.sign, gate.bound.value, for_s)
    length_s = 0.0 if longest is None else longest.length_s
    return Finding(
        outcome=Outcome.FAILED if length_s >= for_s else Outcome.PASSED,
        message=_told(gate, longest) + (f" ({course.precision})" if course.precision else ""),
        measured=length_s,
        limit=for_s,
        unit=SECONDS.shown,
        severity=length_s,
    )


def _told(gate: GateSpec, longest: Streak | None) -> str:
    unit = gate.measure.unit
    side = f"{SPOKEN[gate.sign]}{unit.write(gate.bound.value)}"
    if longest is None:
        return f"never {side}"
    since = f"from {SECONDS.write(longest.start_s)} after the start, at worst {unit.write(longest.worst)}"
    return f"{side} for {SECONDS.write(longest.length_s)} {since}"


def longest_streak(seen: Intervals, sign: str, bound: float, for_s: float) -> Streak | None:
    """Give the longest streak of intervals on the wrong side; ``None`` if there is no such interval.

    An interval that is not there, for it had no request, says nothing and ends no streak; a gap of ``for_s`` or more
    does, as nobody knows what was in it.

    Examples
    --------
    >>> start_s = np.array([0.0, 1, 3, 4, 5])
    >>> seen = Intervals(start_s=start_s, length_s=np.ones(5), value=np.array([9.0, 9, 9, 1, 9]))
    >>> longest_streak(seen, ">", 5, for_s=3)
    Streak(start_s=0.0, end_s=4.0, worst=9.0)
    """
    is_wrong = HOLDS[sign](seen.value, bound)
    if not is_wrong.any():
        return None
    end_s = seen.start_s + seen.length_s
    goes_on = is_wrong[1:] & is_wrong[:-1] & (seen.start_s[1:] - end_s[:-1] < for_s)
    firsts = np.flatnonzero(is_wrong & ~np.concatenate([[False], goes_on]))
    lasts = np.flatnonzero(is_wrong & ~np.concatenate([goes_on, [False]]))
    longest = int(np.argmax(end_s[lasts] - seen.start_s[firsts]))
    first, last = firsts[longest], lasts[longest]
    values = seen.value[first : last + 1]
    worst = values.max() if sign == ">" else values.min()
    return Streak(start_s=float(seen.start_s[first]), end_s=float(end_s[last]), worst=float(worst))
