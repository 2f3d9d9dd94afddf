"""Gates on functional outcomes."""

from __future__ import annotations

import pytest

from ator_lib.analysis.gates.data import Missing
from tests.analysis.gates.made import cases, data, row

NOW = cases(("s", "a", "passed"), ("s", "b", "failed"), ("t", "c", "error"), ("t", "d", "skipped"))


@pytest.mark.parametrize(
    ("gate", "measured"),
    [
        ("cases >= 4", 4),
        ("passed_cases >= 1", 1),
        ("failed_cases <= 2", 2),
        ("skipped_cases <= 1", 1),
        ("pass_rate >= 33 %", 100 / 3),
        ("pass_rate of s >= 50 %", 50),
        ("cases of t >= 2", 2),
        ("cases of '%' >= 4", 4),
    ],
)
def test_cases_are_counted(gate: str, measured: float) -> None:
    """Errors are failures, and the skipped ones are no part of the rate."""
    found = row(gate, data(cases=NOW))
    assert (found.outcome, found.measured) == ("passed", pytest.approx(measured))


def test_failed_cases_are_named() -> None:
    """With their suites."""
    assert row("no failed cases", data(cases=NOW)).message == "2 cases, not 0 cases: s › b, t › c"


def test_only_what_did_not_fail_before_is_new() -> None:
    """In any of the baseline runs; a case that is new and fails is a new failure."""
    earlier = [cases(("s", "a", "passed"), ("s", "b", "passed")), cases(("s", "b", "error"), ("t", "x", "failed"))]
    found = row("no new failures", data(cases=NOW, baseline_cases=earlier))
    assert (found.outcome, found.measured, found.message) == ("failed", 1, "1 case, not 0 cases: t › c")
    assert row("no new failures of s", data(cases=NOW, baseline_cases=earlier)).outcome == "passed"


@pytest.mark.parametrize(
    ("gate", "known", "told"),
    [
        ("no failed cases", cases(), "the run has no test cases"),
        (
            "no failed cases of smok",
            cases(("smoke", "a", "passed")),
            "no suite is called 'smok': did you mean 'smoke'?",
        ),
        ("pass_rate >= 1 %", cases(("s", "a", "skipped")), "all 1 cases were skipped"),
        ("no new failures", NOW, "no run before it"),
    ],
)
def test_no_cases_are_no_pass(gate: str, known: object, told: str) -> None:
    """Nothing was tested, so nothing can be said."""
    found = row(gate, data(cases=known, baseline_cases=Missing(reason="no run before it")))
    assert (found.outcome, found.message) == ("unknown", told)


def test_the_number_of_cases_may_be_0() -> None:
    """It is what was asked for, and fails."""
    assert row("cases >= 1", data()).outcome == "failed"


def test_a_baseline_without_cases_is_none() -> None:
    """Not one in which nothing failed."""
    found = row("no new failures", data(cases=NOW, baseline_cases=[cases()]))
    assert (found.outcome, found.reason) == ("unknown", "no baseline")
