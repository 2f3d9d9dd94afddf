"""All checks of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ator_lib.analysis.checks.check import Check, Sides
from ator_lib.analysis.checks.counts import count_checks
from ator_lib.analysis.checks.course import course_checks
from ator_lib.analysis.checks.facts import fact_checks
from ator_lib.analysis.checks.load import load_checks
from ator_lib.analysis.checks.outcomes import outcome_checks
from ator_lib.analysis.checks.surroundings import surrounding_checks
from ator_lib.analysis.options import CompareOptions
from ator_lib.analysis.run_data import RunData
from ator_lib.errors import UsageError

_GROUPS = (fact_checks, load_checks, count_checks, outcome_checks, course_checks, surrounding_checks)
"""In the order in which they are shown."""


def run_checks(contender: Sequence[RunData], baseline: Sequence[RunData], options: CompareOptions) -> tuple[Check, ...]:
    """Check everything that would make a difference mean something else than "it got faster or slower".

    Raises
    ------
    UsageError
        ``options.waive`` names a check that does not exist.
    """
    sides = Sides(baseline=baseline, contender=contender)
    found = [check for group in _GROUPS for check in group(sides)]
    unknown = set(options.waive) - {check.name for check in found}
    if unknown:
        names = ", ".join(check.name for check in found)
        raise UsageError(f"no check is called {', '.join(sorted(unknown))}: waive some of {names}.")
    return tuple(replace(check, waived=check.ok is False and check.name in options.waive) for check in found)
