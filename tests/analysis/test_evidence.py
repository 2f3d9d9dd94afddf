import math

import numpy as np
import pytest

from ator_lib.analysis.evidence import ASSUMED_NOISE_DF, Change, weigh
from ator_lib.analysis.sides import RunEstimate
from ator_lib.analysis.student import critical_value


def _side(*values: float, variance: float = 0.0) -> list[RunEstimate]:
    return [
        RunEstimate(run_id=i, value=value, variance=variance, weight=1 / len(values), replicates=np.zeros(2))
        for i, value in enumerate(values)
    ]


def _change(contender: list[RunEstimate], baseline: list[RunEstimate], point: float = 0.1, **facts) -> Change:
    return Change(point=point, contender=tuple(contender), baseline=tuple(baseline), **{"run_noise": 0.02, **facts})


def _half(contender: list[RunEstimate], baseline: list[RunEstimate], **facts) -> float:
    found = weigh(_change(contender, baseline, **facts), confidence=0.95)
    assert (found.low + found.high) / 2 == pytest.approx(0.1)
    return found.high - 0.1


def test_one_run_a_side_adds_the_assumed_noise():
    """Two single runs: t with the assumption's degrees of freedom × √(both variances + twice the assumed one)."""
    half = _half(_side(0.1, variance=0.0004), _side(0.0, variance=0.0001), run_noise=0.02)
    assert half == pytest.approx(critical_value(0.95, ASSUMED_NOISE_DF) * math.sqrt(0.0005 + 2 * 0.02**2))


def test_more_runs_narrow_the_interval():
    """Quiet repeated runs are worth running."""
    one = _half(_side(0.1), _side(0.0))
    three = _half(_side(0.10, 0.11, 0.12), _side(0.0, 0.01, -0.01))
    assert three < 0.7 * one


def test_noise_that_was_observed_is_believed_in_full():
    """Runs that differ by 30 % are not talked quiet by an assumption of 2 %: only they count, and they are few."""
    side = _side(-0.3, 0.0, 0.3)
    assert _half(side, side) == pytest.approx(critical_value(0.95, 4) * math.sqrt(2 * 0.09 / 3))


def test_agreement_by_luck_does_not_remove_the_noise():
    """Two runs a side that agree to the last digit still leave most of the assumed noise."""
    assert _half(_side(0.1, 0.1), _side(0.0, 0.0)) > 0.03


def test_without_any_noise_a_change_is_certain():
    """No noise at all: the p value is 0 for a change and 1 for none, instead of a division by zero."""
    found = [weigh(_change(_side(p), _side(0.0), point=p, run_noise=0.0), confidence=0.95) for p in (0.1, 0.0)]
    assert [f.p_value for f in found] == [0.0, 1.0]


def test_noise_seen_in_many_endpoints_is_doubted_only_by_far_more():
    """Beside a typical noise that was seen, twice as much is chance; ten times as much stands alone."""
    seen = {"noise_df": 40.0, "noise_is_seen": True}
    typical = _half(_side(0.1, 0.1, 0.1), _side(0.0, 0.0, 0.0), **seen)
    twice, ten_times = (
        _half(_side(0.1 - d, 0.1, 0.1 + d), _side(-d, 0.0, d), **seen) for d in (0.02 * 2**0.5, 0.02 * 10**0.5)
    )
    assert twice < 1.1 * typical
    assert ten_times == pytest.approx(critical_value(0.95, 4) * math.sqrt(10 * 0.02**2 * 2 / 3))


def test_the_error_of_what_was_taken_out_is_in_the_interval():
    """Taking out an uncertain common shift makes the rest as uncertain."""
    sides = _side(0.1), _side(0.0)
    with_error = _half(*sides, removed_error=3 * 0.02**2)
    assert with_error == pytest.approx(_half(*sides) * math.sqrt(5 / 2))
