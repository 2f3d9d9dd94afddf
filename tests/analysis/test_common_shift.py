import math
from dataclasses import replace

import numpy as np
import pytest

from ator_lib.analysis.common_shift import MINIMUM_ENDPOINTS, split
from ator_lib.analysis.comparison import CompareOptions, Verdict, compare
from ator_lib.analysis.evidence import Change
from ator_lib.analysis.sides import RunEstimate
from tests.analysis.synthetic import Truth, made_run

TRUTHS = {f"/{number}": Truth(requests=1500, median_ms=20 + 5 * number, sigma=0.3) for number in range(10)}
QUICK = CompareOptions(replicates=200)


def _slower(names, factor: float = 1.25) -> dict[str, Truth]:
    return {
        name: replace(truth, median_ms=truth.median_ms * (factor if name in names else 1))
        for name, truth in TRUTHS.items()
    }


def _compared(contender: dict[str, Truth], runs: int = 3, run_sd: float = 0.02):
    sides = [
        [made_run(truths, seed=seed, run_sd=run_sd) for seed in range(first, first + runs)]
        for first, truths in ((20, contender), (1, TRUTHS))
    ]
    return compare(*sides, QUICK)


def _rows(result, scope: str, metric: str = "p95_ms"):
    return {row.name: row for row in result.rows if row.scope == scope and row.metric == metric}


def test_one_slower_endpoint_is_found_in_runs_that_differ_as_a_whole():
    """Runs that differ by 10 % as a whole hide no endpoint that is 25 % slower, and blame none of the others."""
    result = _compared(_slower(["/3"]), run_sd=0.1)
    found = {row.name for row in result.rows if row.verdict in (Verdict.REGRESSED, Verdict.IMPROVED)}
    assert found == {"/3"}
    row = _rows(result, "name")["/3"]
    assert row.low < 0.25 < row.high
    assert row.effect == pytest.approx((1 + row.change) / (1 + row.common) - 1)
    assert row.common == _rows(result, "common")[None].change
    assert "of its own" in result.headline()


def test_all_endpoints_slower_together_are_one_regression():
    """It is said once, as all endpoints, and a note names the environment as a possibility."""
    result = _compared(_slower(list(TRUTHS)))
    assert result.verdict is Verdict.REGRESSED
    assert _rows(result, "common")[None].verdict is Verdict.REGRESSED
    assert Verdict.REGRESSED not in {row.verdict for row in _rows(result, "name").values()}
    assert result.headline().startswith("regressed: all endpoints ")
    assert any("until the environment is shown to have done it" in note for note in result.notes)


def test_endpoints_that_stood_still_while_most_moved_did_not_improve():
    """Six of ten are slower: the other four moved against them, and not by figures of their own."""
    result = _compared(_slower([f"/{number}" for number in range(6)]))
    still = [row for name, row in _rows(result, "name").items() if name >= "/6"]
    assert {row.verdict for row in still} == {Verdict.NOT_ENOUGH_EVIDENCE}
    assert any("changed against the other endpoints" in row.reason for row in still)
    assert result.verdict is Verdict.REGRESSED


def test_few_endpoints_have_no_common_shift():
    """Below the minimum, a shift of several is not told from one of all."""
    few = dict(list(TRUTHS.items())[: MINIMUM_ENDPOINTS - 1])
    result = compare([made_run(few, seed=2)], [made_run(few, seed=1)], QUICK)
    assert {row.scope for row in result.rows} == {"total", "name"}
    assert {row.common for row in result.rows} == {None}


def test_rows_come_as_total_common_and_endpoints():
    """The order in which they are read."""
    scopes = [row.scope for row in _compared(TRUTHS, runs=1).rows]
    assert sorted(scopes, key=("total", "common", "name").index) == scopes


def _change(point: float, values: list[list[float]], variance: float = 1e-4) -> Change:
    sides = iter(
        tuple(
            RunEstimate(
                run_id=10 * side + place, value=value, variance=variance, weight=1 / len(runs), replicates=np.zeros(3)
            )
            for place, value in enumerate(runs)
        )
        for side, runs in enumerate(values)
    )
    return Change(point=point, contender=next(sides), baseline=next(sides), run_noise=0.02)


def test_a_minority_does_not_move_the_common_shift():
    """Three of ten moved by 50 %: what is common stays at 2 %."""
    parts = split([_change(0.52 if number < 3 else 0.02, [[0.0], [0.0]]) for number in range(10)])
    assert parts.common.point == pytest.approx(0.02)
    assert [change.point for change in parts.own] == pytest.approx([0.5] * 3 + [0.0] * 7)


def test_shifts_of_whole_runs_are_no_noise_of_an_endpoint():
    """Runs that are 20 % apart in every endpoint leave the endpoints without noise, and the common shift with all."""
    parts = split([_change(0.0, [[-0.2, 0.2], [0.2, -0.2]]) for _ in range(10)])
    assert max(change.between_runs for change in parts.own) == pytest.approx(0.0, abs=1e-12)
    assert parts.common.between_runs == pytest.approx(2 * 0.08 / 2)
    assert parts.own[0].run_noise < 0.02 < math.sqrt(parts.common.between_runs)


def test_one_noisy_endpoint_does_not_make_all_noisy():
    """The typical noise is that of most; the noisy one keeps its own."""
    quiet = [_change(0.0, [[-d, d], [d, -d]]) for d in np.linspace(-0.01, 0.01, 10)]
    parts = split([*quiet, _change(0.0, [[-0.5, 0.5], [0.5, -0.5]])])
    assert parts.own[0].run_noise < 0.02
    assert parts.own[-1].between_runs > 0.4


def test_single_runs_show_own_noise_by_how_far_the_endpoints_are_apart():
    """Changes that lie together let less be assumed; changes that lie apart, as some may be real, never more."""
    noise = [
        split([_change(spread * number, [[0.0], [0.0]]) for number in range(-6, 7)]).own[0].run_noise
        for spread in (0.001, 0.1)
    ]
    assert noise[0] < 0.015
    assert noise[1] == 0.02


def test_endpoints_without_any_noise_are_answered():
    """Constant figures: no division by zero, and the shift is still the median."""
    parts = split([_change(0.01 * number, [[0.0], [0.0]], variance=0.0) for number in range(9)])
    assert parts.common.point == pytest.approx(0.04)


def test_runs_and_endpoints_in_another_order_give_the_same():
    """Deterministic: no order of the input is in the answer."""
    changes = [_change(0.01 * number, [[0.01 * number, 0.0], [0.02, -0.01 * number]]) for number in range(9)]
    forward, backward = split(changes), split(changes[::-1])
    assert forward.common.point == backward.common.point
    assert [change.point for change in forward.own] == [change.point for change in backward.own][::-1]
