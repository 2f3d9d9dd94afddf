"""May these runs be compared at all? Each check is a row with its figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ator_lib.analysis.options import CompareOptions
from ator_lib.analysis.run_data import TOTAL, Endpoint, RunData
from ator_lib.errors import UsageError
from ator_lib.model import LoadProfile, RunStatus

DURATION_TOLERANCE = 0.2
"""Longest over shortest run, minus 1: the warm-up's share and slow leaks depend on how long a run was."""
RATE_TOLERANCE = 0.1
"""Achieved rate, largest over smallest minus 1; only where the load is open and so was meant to be the same."""
MINIMUM_REQUESTS = 20
"""Per run: a median needs ten values on each side."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One condition for a comparison.

    Attributes
    ----------
    baseline, contender
        The facts as text; null where they are not known.
    ok
        Null where a fact is unknown: it is printed and does not block.
    blocking
        Whether a failure makes the verdict ``not comparable``.
    waived
        The caller accepts it: a failure does not block.
    """

    name: str
    baseline: str | None
    contender: str | None
    ok: bool | None
    blocking: bool
    message: str
    waived: bool = False

    @property
    def blocks(self) -> bool:
        """Whether this check makes the verdict ``not comparable``."""
        return self.ok is False and self.blocking and not self.waived


def run_checks(contender: Sequence[RunData], baseline: Sequence[RunData], options: CompareOptions) -> tuple[Check, ...]:
    """Check everything that would make a difference mean something else than "it got faster or slower".

    Raises
    ------
    UsageError
        ``options.waive`` names a check that does not exist.
    """
    found = (
        *(_same(name, fact, blocking, contender, baseline) for name, (fact, blocking) in _FACTS.items()),
        _finished(contender, baseline),
        _alike("duration", "duration_s", "s", DURATION_TOLERANCE, contender, baseline),
        _requests(contender, baseline),
        _failures(contender, baseline),
        _endpoints(contender, baseline),
        _achieved_rate(contender, baseline),
    )
    unknown = set(options.waive) - {check.name for check in found}
    if unknown:
        names = ", ".join(check.name for check in found)
        raise UsageError(f"no check is called {', '.join(sorted(unknown))}: waive some of {names}.")
    return tuple(replace(check, waived=check.name in options.waive) for check in found)


def is_open(runs: Iterable[RunData]) -> bool:
    """Whether all runs had an open load model, where throughput is planned and not an outcome."""
    return all(run.load_profile is not None and run.load_profile.model == "open" for run in runs)


def _planned(field: str) -> Callable[[RunData], Any]:
    def fact(run: RunData) -> Any:
        return getattr(run.load_profile or LoadProfile(model=""), field) or None

    return fact


_FACTS: dict[str, tuple[Callable[[RunData], Any], bool]] = {
    "tool": (lambda run: run.tool, True),
    "test": (lambda run: run.test, True),
    "load model": (_planned("model"), True),
    "users": (_planned("users"), True),
    "spawn rate": (_planned("spawn_rate"), True),
    "processes": (_planned("processes"), False),  # of the generator: the load on the target is the same
    "host": (_planned("host"), False),  # two versions on two hosts is a normal comparison
    "location": (lambda run: run.location, False),
}
"""Facts that should be the same on both sides: name → how to get it, whether a difference blocks."""


def _same(
    name: str,
    fact: Callable[[RunData], Any],
    blocking: bool,
    contender: Sequence[RunData],
    baseline: Sequence[RunData],
) -> Check:
    values = {fact(run) for run in (*contender, *baseline)}
    known = values - {None}
    ok = False if len(known) > 1 else None if None in values else True
    sides = [_listed(fact(run) for run in side) for side in (baseline, contender)]
    messages = {
        True: f"{name}: the same",
        None: f"{name}: not known for every run, so not checked",
        False: f"{name} differs ({sides[0]} and {sides[1]})",
    }
    return Check(name=name, baseline=sides[0], contender=sides[1], ok=ok, blocking=blocking, message=messages[ok])


def _finished(contender: Sequence[RunData], baseline: Sequence[RunData]) -> Check:
    runs = (*contender, *baseline)
    cut_short = [run.run_id for run in runs if run.status not in (RunStatus.SUCCESS, RunStatus.FAILURE)]
    message = f"run {', '.join(map(str, cut_short))} did not run to its end" if cut_short else "all ran to their end"
    sides = [_listed(str(run.status) for run in side) for side in (baseline, contender)]
    return Check(
        name="finished",
        baseline=sides[0],
        contender=sides[1],
        ok=not cut_short,
        blocking=not all(run.status.is_final for run in runs),
        message=message,
    )


def _alike(
    name: str, column: str, unit: str, tolerance: float, contender: Sequence[RunData], baseline: Sequence[RunData]
) -> Check:
    figures = [[_totals(run).get(column) for run in side] for side in (baseline, contender)]
    known = [figure for side in figures for figure in side if figure]
    complete = len(known) == len(contender) + len(baseline)
    spread = max(known) / min(known) - 1 if known else 0.0
    ok = False if spread > tolerance else True if complete else None
    sides = [_listed(f"{figure:.4g} {unit}" if figure else None for figure in side) for side in figures]
    how = f"{name}: {spread * 100:.0f} % between the smallest and the largest"
    message = f"{how}, {tolerance * 100:.0f} % at most" if complete else f"{name}: not known for every run"
    return Check(name=name, baseline=sides[0], contender=sides[1], ok=ok, blocking=True, message=message)


def _achieved_rate(contender: Sequence[RunData], baseline: Sequence[RunData]) -> Check:
    check = _alike("achieved rate", "throughput_rps", "requests/s", RATE_TOLERANCE, contender, baseline)
    if is_open((*contender, *baseline)):
        return check
    message = "achieved rate: an outcome in a closed load model, so not checked and not judged"
    return replace(check, ok=None, blocking=False, message=message)


def _requests(contender: Sequence[RunData], baseline: Sequence[RunData]) -> Check:
    counts = [[_totals(run).get("requests", 0) for run in side] for side in (baseline, contender)]
    fewest = min(min(side) for side in counts)
    message = "enough requests" if fewest >= MINIMUM_REQUESTS else f"a run has only {fewest} requests"
    return Check(
        name="requests",
        baseline=_listed(counts[0]),
        contender=_listed(counts[1]),
        ok=fewest >= MINIMUM_REQUESTS,
        blocking=fewest == 0,
        message="a run has no requests" if fewest == 0 else message,
    )


def _failures(contender: Sequence[RunData], baseline: Sequence[RunData]) -> Check:
    rates = [[_totals(run).get("error_rate") for run in side] for side in (baseline, contender)]
    ok = not any(rate == 1 for side in rates for rate in side)
    sides = [_listed(None if rate is None else f"{rate * 100:.3g} %" for rate in side) for side in rates]
    message = "not every request failed" if ok else "every request of a run failed: its latencies are those of errors"
    return Check(name="failures", baseline=sides[0], contender=sides[1], ok=ok, blocking=True, message=message)


def _endpoints(contender: Sequence[RunData], baseline: Sequence[RunData]) -> Check:
    names = [
        {endpoint for run in side for endpoint in run.summary_rows() if endpoint != TOTAL}
        for side in (baseline, contender)
    ]
    common = names[0] & names[1]
    lonely = sorted((names[0] ^ names[1]), key=lambda endpoint: (endpoint.label, endpoint))
    message = f"all {len(common)} endpoints are on both sides"
    if lonely:
        message = f"on one side only, so the totals mix other requests: {_labels(lonely)}"
    return Check(
        name="endpoints",
        baseline=f"{len(names[0])} endpoints",
        contender=f"{len(names[1])} endpoints",
        ok=not lonely and bool(common),
        blocking=not common,
        message=message if common else "no endpoint is on both sides",
    )


def _labels(endpoints: Sequence[Endpoint], most: int = 5) -> str:
    shown = ", ".join(endpoint.label for endpoint in endpoints[:most])
    return f"{shown} and {len(endpoints) - most} more" if len(endpoints) > most else shown


def _totals(run: RunData) -> Mapping[str, Any]:
    return run.summary_rows().get(TOTAL, {})


def _listed(facts: Iterable[Any]) -> str | None:
    """Each different fact once, in the runs' order; ``None`` if nothing is known."""
    texts = dict.fromkeys("unknown" if fact is None else str(fact) for fact in facts)
    return None if set(texts) <= {"unknown"} else ", ".join(texts)
