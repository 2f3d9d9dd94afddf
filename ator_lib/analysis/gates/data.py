"""What gates are evaluated on: small tables of one run, and what it was compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ator_lib.analysis.blocks import FloatArray
from ator_lib.analysis.run_data import TOTAL, Endpoint
from ator_lib.analysis.wording import near

WILDCARD = "%"
"""Stands for any characters in the name of an endpoint or a suite, as in the history's filters."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Intervals:
    """A figure over time: when each interval began, in seconds after the first one, how long it was, and its value.

    Intervals without a request, of a figure that needs one, are left out.
    """

    start_s: FloatArray
    length_s: FloatArray
    value: FloatArray

    @property
    def span_s(self) -> float:
        """From the start of the first to the end of the last."""
        return float(self.start_s[-1] + self.length_s[-1] - self.start_s[0]) if len(self.start_s) else 0.0

    def after(self, start_s: float) -> Intervals:
        """Leave out those that began before."""
        kept = self.start_s >= start_s
        return Intervals(start_s=self.start_s[kept], length_s=self.length_s[kept], value=self.value[kept])


@dataclass(frozen=True, kw_only=True)
class Course:
    """A measure over time, of each endpoint; ``precision`` says what it was taken from, null if from all samples."""

    by_endpoint: Mapping[Endpoint, Intervals]
    precision: str | None = None


@dataclass(frozen=True, kw_only=True)
class Score:
    """An Apdex score; between ``low`` and ``high`` where there are no samples to take it from."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Missing:
    """Something that is not there, and why."""

    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class GateData:
    """One run as gates see it.

    Attributes
    ----------
    summaries, cases
        ``schema.SUMMARIES`` and ``schema.CASES`` of the run.
    cut_short
        Why its figures are those of a part of the test; null if they are of all of it.
    remarks
        What the reader must know of the run, in sentences.
    planned_rps
        The rate that was planned; null if nobody knows.
    courses
        Measure → its course over time.
    apdex
        Target in ms → the score of each endpoint.
    comparisons
        Number of a gate, from 0 → ``Comparison.to_dict()`` of the comparison that it asks for.
    baseline_cases
        ``schema.CASES`` of each baseline run.
    """

    summaries: pa.Table
    cases: pa.Table
    cut_short: str | None = None
    remarks: Sequence[str] = ()
    planned_rps: float | None = None
    courses: Mapping[str, Course] = field(default_factory=dict)
    apdex: Mapping[float, Mapping[Endpoint, Score]] = field(default_factory=dict)
    comparisons: Mapping[int, Mapping[str, Any] | Missing] = field(default_factory=dict)
    baseline_cases: Sequence[pa.Table] | Missing = Missing(reason="no baseline was named")

    def rows(self) -> dict[Endpoint, dict[str, Any]]:
        """Give each endpoint's row of the summaries, the whole run's under ``TOTAL``."""
        return {Endpoint.named(row["name"], row["method"]): row for row in self.summaries.to_pylist()}


def endpoints_of(of: str | None, known: Sequence[Endpoint]) -> list[Endpoint] | Missing:
    """Find what a gate is about: the whole run, the endpoints of that label or name, or those that a pattern fits.

    Examples
    --------
    >>> known = [Endpoint("/a", "GET"), Endpoint("/a", "POST"), TOTAL]
    >>> [endpoint.label for endpoint in endpoints_of("/a", known)], endpoints_of(None, known) == [TOTAL]
    (['GET /a', 'POST /a'], True)
    >>> endpoints_of("GET /b", known).reason
    "no endpoint is called 'GET /b': did you mean 'GET /a'?"
    """
    if of is None:
        return [TOTAL] if TOTAL in known else Missing(reason="the run has no requests")
    named = sorted((endpoint for endpoint in known if endpoint.scope == "name"), key=lambda endpoint: endpoint.label)
    fits = fitting(of)
    found = [e for e in named if of in (e.label, e.name)] or [e for e in named if fits(e.label) or fits(e.name or "")]
    if found:
        return found
    if not named:
        return Missing(reason="the run has no requests")
    labels = [endpoint.label for endpoint in named]
    return Missing(reason=f"no endpoint is called {of!r}{near(of, labels, most=_MOST_NAMES)}")


_MOST_NAMES = 10


def fitting(pattern: str) -> Callable[[str], bool]:
    """Say of a name whether a pattern fits: each ``%`` is any characters, and the rest is as it stands.

    Takes time that is linear in the name for each part of the pattern, whatever either is.

    Examples
    --------
    >>> fits = fitting("GET /orders/%")
    >>> fits("GET /orders/7"), fits("POST /orders/7"), fits("GET /orders")
    (True, False, False)
    """
    first, *middle = pattern.split(WILDCARD)
    if not middle:
        return pattern.__eq__
    last = middle.pop()

    def fits(name: str) -> bool:
        if not (name.startswith(first) and name.endswith(last) and len(name) >= len(first) + len(last)):
            return False
        place, end = len(first), len(name) - len(last)
        for part in middle:
            place = name.find(part, place, end)
            if place < 0:
                return False
            place += len(part)
        return True

    return fits
