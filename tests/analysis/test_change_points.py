import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ator_lib.analysis.change_points import ChangePointOptions, change_points
from ator_lib.errors import UsageError


def noisy(*levels, seed=1, sd=1.0):
    """Levels, each as (value, how often), amid normal noise."""
    values = np.concatenate([np.full(count, float(level)) for level, count in levels])
    return values + sd * np.random.default_rng(seed).standard_normal(len(values))


def indexes(values, **options):
    return [point.index for point in change_points(values, ChangePointOptions(**options))]


def test_a_step_is_found_at_its_first_value_with_its_size():
    """The point is the first value of the new level; the interval holds the true change, and its levels are told."""
    (point,) = change_points(noisy((200, 30), (240, 30), sd=4))
    assert point.index == 30
    assert point.before == pytest.approx(200, rel=0.02)
    assert point.after == pytest.approx(240, rel=0.02)
    assert point.change == pytest.approx(point.after / point.before - 1)
    assert point.low < 0.2 < point.high
    assert 0 <= point.p_value < 1e-6


def test_intervals_hold_the_true_change_as_often_as_they_say():
    """Of many steps of 20 %, about 95 % of the intervals hold it."""
    found = [change_points(noisy((100, 20), (120, 20), seed=seed, sd=3)) for seed in range(200)]
    held = [points[0].low <= 0.2 <= points[0].high for points in found if len(points) == 1]
    assert len(held) > 180
    assert 0.9 < np.mean(held) <= 1


@pytest.mark.parametrize("seed", range(20))
def test_six_values_are_enough_for_a_clear_step(seed):
    """Three values at 100 and three at 120, with noise of 1 %."""
    assert indexes(noisy((100, 3), (120, 3), seed=seed)) == [3]


def test_fewer_than_six_values_have_no_change_point():
    """Two levels need three values each."""
    assert indexes([100, 100, 100, 200, 200]) == []
    assert indexes([1, 2]) == []
    assert indexes([]) == []


@pytest.mark.parametrize("length", [6, 20, 100])
def test_noise_is_no_change(length):
    """Of 500 values of noise in short series or long, at most one is called a change."""
    series = (noisy((100, length), seed=seed, sd=5) for seed in range(1000 // length))
    assert sum(len(indexes(values)) for values in series) <= 2


def test_every_step_of_many_is_found():
    """Ups, downs and a short visit of four values, each at its place."""
    values = noisy((100, 40), (130, 4), (100, 30), (80, 25), (100, 25))
    assert indexes(values) == [40, 44, 74, 99]


def test_points_that_are_close_together_do_not_hide_each_other():
    """A level every five values: none but those that chance makes too weak are missing, and none is added."""
    found = indexes(noisy(*[(100, 5), (120, 5)] * 20))
    assert set(found) <= set(range(5, 200, 5))
    assert len(found) > 35


@pytest.mark.parametrize("outlier", [-1e12, 50, 1e4, 1e299, math.inf])
@pytest.mark.parametrize("at", [0, 1, 5, 13, 18, 19])
def test_an_outlier_neither_makes_nor_hides_a_change(outlier, at):
    """Whatever its size and place."""
    flat, step = noisy((100, 20), seed=3), noisy((100, 10), (120, 10), seed=3)
    flat[at], step[at] = outlier, outlier
    assert indexes(flat) == []
    assert indexes(step) == [10]


@pytest.mark.parametrize("outlier", [292.8, 350, 1e6])
def test_an_outlier_does_not_widen_the_spread_until_it_hides_a_step(outlier):
    """What it leaves of itself is not enough: latencies of few runs with a noise of 5 %, and a step of a quarter."""
    before, after = [158.7, 166.3, 164.4, 160.7, outlier, 174.1, 147.4, 161.1, 161.4], [206, 201.9, 188.1, 224.6, 197.6]
    (point,) = change_points([*before, *after])
    assert point.index == 9
    assert point.change == pytest.approx(0.26, abs=0.02)
    assert indexes([*before, *before]) == []


def test_steps_are_found_beside_an_outlier_almost_as_often_as_without():
    """A step of 10 % amid noise of 2 %, 14 values, one of them 80 % too high."""
    generator = np.random.default_rng(3)
    clean = found = 0
    for _ in range(100):
        values = 100 * (1 + 0.02 * generator.standard_normal(14)) * np.repeat([1, 1.1], [9, 5])
        clean += near(indexes(values), 9)
        values[generator.integers(14)] *= 1.8
        found += near(indexes(values), 9)
    assert clean >= 85
    assert found >= 80


def near(found, index):
    return any(abs(one - index) <= 1 for one in found)


@pytest.mark.parametrize("runs", [3, 4, 6])
def test_the_last_runs_of_a_new_level_are_no_outliers(runs):
    """Even where the noise has grown with the level."""
    found = [
        indexes(noisy((100, 10), seed=seed).tolist() + noisy((1000, runs), seed=seed, sd=10).tolist())
        for seed in range(20)
    ]
    assert found == [[10]] * 20


def test_two_outliers_in_a_row_are_no_level():
    """A level has three values or more."""
    values = noisy((100, 30))
    values[10:12] = 500
    assert indexes(values) == []


@pytest.mark.parametrize("slope", [0.5, 2, 10])
def test_a_drift_has_no_point_where_it_changed(slope):
    """A straight line explains it better than any step."""
    assert indexes(noisy((100, 60)) + slope * np.arange(60)) == []


def test_a_step_within_a_drift_is_found():
    """What is far more than the drift is a step."""
    values = noisy((100, 30), (150, 30)) + 0.05 * np.arange(60)
    assert indexes(values) == [30]


@pytest.mark.parametrize("value", [0, 5, -3.25, 1e-300, 1e200])
def test_identical_values_have_no_change_point(value):
    """There is nothing to divide by, and no error."""
    assert indexes([value] * 50) == []
    assert indexes([value] * 20 + [7.5] + [value] * 20) == []


def test_steps_without_noise_are_found():
    """Exact values, among them rounded ones, negative ones, and levels of 0, which have no relative change."""
    assert indexes([100] * 3 + [120] * 3) == [3]
    assert indexes([100] * 20 + [120] * 20 + [100] * 20 + [150] * 20) == [20, 40, 60]
    (point,) = change_points([-5] * 6 + [-3] * 6)
    assert (point.index, point.before, point.after, point.change) == (6, -5, -3, 0.4)
    (point,) = change_points([0] * 6 + [3] * 6)
    assert (point.index, point.change, point.low, point.high) == (6, None, None, None)


def test_differences_in_the_last_digits_are_no_change():
    """0.1 + 0.2 is not 0.3, and that is nobody's regression."""
    assert indexes([0.3] * 10 + [0.1 + 0.2] * 10) == []


def test_rounded_values_that_come_and_go_are_noise():
    """A latency of whole milliseconds that is 3 or 4 by chance has stretches of three by chance."""
    generator = np.random.default_rng(5)
    found = [indexes(generator.integers(3, 5, 40)) for _ in range(50)]
    assert sum(map(len, found)) <= 4


@pytest.mark.parametrize("missing", [None, math.nan])
def test_missing_values_are_passed_over_and_counted(missing):
    """Indexes are those of the values as given."""
    values = [missing, 100, 101, 99, missing, missing, 100, 150, 151, missing, 149, 150]
    assert indexes(values) == [7]
    assert indexes([missing] * 30) == []


def test_the_smallest_magnitude_counts_between_levels_that_stay():
    """A change below it disappears, and the others are measured without it."""
    values = noisy((100, 50), (103, 50), (130, 50), sd=0.5)
    assert indexes(values) == [50, 100]
    (point,) = change_points(values, ChangePointOptions(min_magnitude=0.05))
    assert point.index == 100
    assert point.before == pytest.approx(101.5, rel=0.005)


def test_no_level_is_shorter_than_asked_for():
    """``min_segment`` is the least that counts as a level: a visit of four is none of ten."""
    values = noisy((100, 30), (104, 4), (100, 30), (120, 30))
    assert indexes(values, min_segment=10) == [64]


def test_correlated_values_do_not_raise_many_alarms():
    """Neighbours that resemble each other look like levels, and are worth fewer values."""
    generator = np.random.default_rng(8)
    alarms = 0
    for _ in range(20):
        values = generator.standard_normal(150)
        for index in range(1, 150):
            values[index] += 0.5 * values[index - 1]
        alarms += len(indexes(100 + values[50:]))
    assert alarms <= 4


@given(st.lists(st.one_of(st.none(), st.floats(), st.integers(-3, 3)), max_size=60))
def test_any_values_have_an_answer_in_order(values):
    """No value raises or warns; indexes ascend, name values that are there, and leave three a level."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        points = change_points(values)
    found = [point.index for point in points]
    present = [index for index, value in enumerate(values) if value is not None and abs(value) < 1e300]
    places = [present.index(index) for index in found]
    levels = np.diff([0, *places, len(present)])
    assert not found or min(levels) >= 3
    assert all(point.p_value <= 0.01 for point in points)


@given(st.floats(1e-9, 1e9), st.floats(-1e3, 1e3))
def test_the_unit_does_not_matter(factor, offset):
    """Milliseconds and seconds change at the same place, and so does what lies anywhere else."""
    values = noisy((100, 12), (120, 12))
    assert indexes((values + offset) * factor) == [12]


def test_the_same_values_give_the_same_answer():
    """Nothing is drawn at random, and the caller's values stay as they are."""
    values = noisy((100, 30), (110, 30), (90, 30), sd=3)
    kept = values.copy()
    assert change_points(values) == change_points(list(values))
    assert (values == kept).all()


@pytest.mark.parametrize(
    ("option", "value"),
    [("max_p_value", 0), ("max_p_value", 1), ("confidence", math.nan), ("min_magnitude", -0.1), ("min_segment", 2)],
)
def test_options_out_of_range_are_refused(option, value):
    """The error names the option and what it was."""
    with pytest.raises(UsageError, match=f"{option} is {value}"):
        ChangePointOptions(**{option: value})
