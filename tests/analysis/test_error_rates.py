"""How often the comparison is wrong, on synthetic pairs whose truth is known."""

from __future__ import annotations

from collections import Counter

from ator_lib.analysis.comparison import CompareOptions, ComparisonResult, Verdict, compare
from tests.analysis.synthetic import Truth, made_run

TRUTHS = {"/a": Truth(requests=2000, median_ms=10), "/b": Truth(requests=2000), "/c": Truth(requests=2000)}
SLOWER = {**TRUTHS, "/b": Truth(requests=2000, median_ms=40 * 1.3)}
ALARMS = (Verdict.REGRESSED, Verdict.IMPROVED)


def _pairs(count: int, contender: dict[str, Truth], *, runs: int = 1) -> list[ComparisonResult]:
    """Compare pairs of sides; each run has autocorrelated waves and its own shift of 2 % standard deviation."""
    options = CompareOptions(replicates=200)
    results = []
    for pair in range(count):
        seeds = [1 + 2 * runs * pair + i for i in range(2 * runs)]
        sides = [made_run(contender, seed=s) for s in seeds[:runs]], [made_run(TRUTHS, seed=s) for s in seeds[runs:]]
        results.append(compare(*sides, options))
    return results


def test_identical_single_runs_rarely_raise_an_alarm():
    """A/A, one run a side: at most 2 of 40 pairs are called regressed or improved anywhere."""
    results = _pairs(40, TRUTHS)
    assert sum(result.verdict in ALARMS for result in results) <= 2


def test_identical_repeated_runs_rarely_raise_an_alarm():
    """A/A, three runs a side, the noise between runs observed: at most 1 of 8."""
    results = _pairs(8, TRUTHS, runs=3)
    assert sum(result.verdict in ALARMS for result in results) <= 1


def test_a_slower_endpoint_is_found_and_no_other_is_named():
    """30 % more latency on one of three endpoints: found in at least 14 of 15 single pairs, the others never named."""
    named = Counter(
        endpoint.name
        for result in _pairs(15, SLOWER)
        for endpoint in result.endpoints
        if endpoint.scope == "name" and endpoint.verdict in ALARMS
    )
    assert named["/b"] >= 14
    assert set(named) == {"/b"}
