import math

import numpy as np
import pytest

from ator_lib.analysis.evidence import ASSUMED_NOISE_DF, Change, Evidence, weigh
from ator_lib.analysis.power import detectable, runs_needed
from ator_lib.analysis.sides import RunEstimate
from ator_lib.analysis.student import critical_value


def _evidence(error: float, runs: int = 1) -> Evidence:
    side = tuple(
        RunEstimate(run_id=i, value=0.0, variance=0.0, weight=1 / runs, replicates=np.zeros(2)) for i in range(runs)
    )
    change = Change(point=0.0, contender=side, baseline=side, run_noise=error * math.sqrt(runs / 2))
    return weigh(change, confidence=0.95)


def test_a_detectable_change_is_found_in_four_of_five_cases():
    """Estimates that scatter about it reach significance and the minimum effect in 80 %."""
    evidence = _evidence(0.02)
    change = detectable(evidence, p_limit=0.001, minimum_effect=0.05)
    estimates = change + 0.02 * np.random.default_rng(1).standard_t(ASSUMED_NOISE_DF, 20_000)
    limit = max(0.05, 0.02 * critical_value(0.999, ASSUMED_NOISE_DF))
    assert np.mean(estimates > limit) == pytest.approx(0.8, abs=0.01)


def test_quiet_runs_find_little_more_than_the_minimum_effect():
    """What does not matter is not found, however quiet the runs are."""
    assert 0.05 < detectable(_evidence(0.001), p_limit=0.001, minimum_effect=0.05) < 0.052


def test_runs_needed_are_enough_and_one_less_is_not():
    """With the noise of the runs as it is, the limit holds first at that number."""
    limits = {"p_limit": 0.001, "confidence": 0.95, "minimum_effect": 0.05}
    needed = runs_needed(_evidence(0.04), **limits)
    assert needed > 2
    for runs, settled in ((needed, True), (needed - 1, False)):
        df = ASSUMED_NOISE_DF + 2 * runs - 2
        assert (critical_value(0.999, df) * 0.04 / math.sqrt(runs) <= 0.05) is settled


def test_more_noise_needs_more_runs_and_far_too_much_says_nothing():
    """No number is given that nobody would run."""
    limits = {"p_limit": 0.001, "confidence": 0.95, "minimum_effect": 0.05}
    found = [runs_needed(_evidence(error), **limits) for error in (0.005, 0.02, 0.1, 5.0)]
    assert found[0] == 1
    assert found[0] < found[1] < found[2]
    assert found[3] is None


def test_noise_that_stands_alone_needs_two_runs_at_least():
    """Where only repeated runs are believed, one a side shows nothing."""
    side = tuple(
        RunEstimate(run_id=i, value=value, variance=0.0, weight=1 / 3, replicates=np.zeros(2))
        for i, value in enumerate((-0.03, 0.0, 0.03))
    )
    evidence = weigh(Change(point=0.0, contender=side, baseline=side, run_noise=0.001), confidence=0.95)
    assert evidence.df == 4
    assert runs_needed(evidence, p_limit=0.5, confidence=0.5, minimum_effect=10.0) == 2
