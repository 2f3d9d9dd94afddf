"""Facts of the runs that should be the same on both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ator_lib.analysis.checks.check import Check, Sides, distinct
from ator_lib.analysis.checks.load_model import load_model
from ator_lib.analysis.run_data import RunData
from ator_lib.model import LoadProfile


def _planned(field: str) -> Callable[[RunData], Any]:
    def fact(run: RunData) -> Any:
        return getattr(run.load_profile or LoadProfile(model=""), field) or None

    return fact


_FACTS: dict[str, tuple[Callable[[RunData], Any], bool]] = {
    "tool": (lambda run: run.tool, True),
    "test": (lambda run: run.test, True),
    "load model": (load_model, True),
    "users": (_planned("users"), True),
    "spawn rate": (_planned("spawn_rate"), True),
    "run time": (_planned("run_time_s"), False),  # what became of it is the duration
    "processes": (_planned("processes"), False),  # of the generator: the load on the target is the same
    "host": (_planned("host"), False),  # two versions on two hosts is a normal comparison
    "generator": (lambda run: run.attributes.get("host"), False),
    "environment": (lambda run: run.environment, False),
    "location": (lambda run: run.location, False),
    "factor": (lambda run: run.factor, False),
}
"""Name → how to get it, and whether a difference blocks."""


def fact_checks(sides: Sides) -> Iterator[Check]:
    """Compare each fact over all runs; one that is not known for all of them is printed and does not fail."""
    for name, (fact, blocking) in _FACTS.items():
        yield _same(name, fact, blocking, sides)


def _same(name: str, fact: Callable[[RunData], Any], blocking: bool, sides: Sides) -> Check:
    values = {fact(run) for run in sides.runs}
    known = values - {None}
    ok = False if len(known) > 1 else None if None in values else True
    baseline, contender = (distinct(_text(fact(run)) for run in side) for side in sides)
    messages = {
        True: f"{name}: the same",
        None: f"{name}: not known for every run, so not checked",
        False: f"{name} differs ({baseline} and {contender})",
    }
    return Check(name=name, baseline=baseline, contender=contender, ok=ok, blocking=blocking, message=messages[ok])


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return f"{value:g}" if isinstance(value, float) else str(value)
