"""When a run has settled, on made courses whose truth is known."""

import math

import numpy as np
import pyarrow as pa
import pytest

from ator_lib import schema
from ator_lib.analysis.warm_up import settled_after_s, users_reached
from tests.analysis.synthetic import START_US


def _timeline(shape: np.ndarray, *, seed: int, requests=None, users=None, interval_s: float = 1.0) -> pa.Table:
    """Make a course: latencies of that shape with autocorrelated noise, and sampling noise of 50 requests."""
    generator = np.random.default_rng(seed)
    noise = generator.normal(0, 0.05, len(shape))
    for second in range(1, len(shape)):
        noise[second] = 0.6 * noise[second - 1] + 0.8 * noise[second]
    counts = generator.poisson(50, len(shape)) if requests is None else requests
    means = 40 * shape * np.exp(noise + generator.normal(0, 0.07, len(shape)))
    rows = [
        {
            "interval_start": START_US + int(i * interval_s * 1e6),
            "interval_s": interval_s,
            "users": None if users is None else int(users[i]),
            "requests": int(count),
            "failures": 0,
            "throughput_rps": count / interval_s,
            "mean_ms": float(mean) if count else None,
        }
        for i, (count, mean) in enumerate(zip(counts, means, strict=True))
    ]
    return pa.Table.from_pylist(rows, schema=schema.TIMELINE)


def _share(name: str, length: int, runs: int = 40) -> np.ndarray:
    """When runs of that shape had settled, as shares of their length."""
    at = np.arange(length) / length
    shapes = {
        "flat": np.ones(length),
        "cold start": np.where(at < 0.1, 1.5, 1.0),
        "fast start": np.where(at < 0.1, 0.6, 1.0),
        "slow settling": 1 + np.exp(-at / 0.05),
        "drift": 1 + at,
        "saw-tooth": 1 + 0.2 * ((at * 10) % 1),
        "late step": np.where(at < 0.6, 1.0, 1.3),
    }
    return np.array([settled_after_s(_timeline(shapes[name], seed=seed)) for seed in range(runs)]) / length


@pytest.mark.parametrize("length", [10, 20, 60, 600])
@pytest.mark.parametrize("name", ["flat", "saw-tooth", "late step"])
def test_a_run_that_was_settled_at_once_loses_nothing(name, length):
    """Noise, a regular pattern and a change in the second half are no warm-up, in runs of any length."""
    assert (_share(name, length) > 0).mean() <= 0.05


@pytest.mark.parametrize("length", [60, 600])
@pytest.mark.parametrize("name", ["cold start", "fast start"])
def test_another_level_at_the_beginning_is_left_out(name, length):
    """The first tenth was slower, or faster while nothing was in the way: about that much goes."""
    shares = _share(name, length)
    assert np.median(shares) == pytest.approx(0.1, abs=0.02)
    assert (shares >= 0.1).mean() >= 0.9
    assert (shares <= 0.25).mean() >= 0.9


def test_slow_settling_is_left_out_until_it_is_lost_in_noise():
    """An exponential approach of a twentieth of the run as time constant: two to three of them."""
    assert np.median(_share("slow settling", 600)) == pytest.approx(0.13, abs=0.04)


def test_a_run_that_drifts_all_the_time_never_settles_or_at_the_end_of_its_first_half():
    """Half of a run is the most that is left out; what comes later is said to be never."""
    shares = _share("drift", 600)
    assert (shares[np.isfinite(shares)] <= 0.5).all()
    assert (shares >= 0.4).mean() >= 0.9
    assert np.isinf(shares).any()


@pytest.mark.parametrize(("ramp_s", "expected"), [(0, 0.0), (5, 5.0), (14, 14.0), (29, math.inf)])
def test_a_ramp_of_users_ends_when_they_are_all_there(ramp_s, expected):
    """In a run of 30 s; a ramp that ends in the second half leaves no run to speak of."""
    users = np.minimum((np.arange(30) + 1) / max(ramp_s, 1), 1) * 40
    found = settled_after_s(_timeline(np.ones(30), seed=1, users=users))
    assert found == pytest.approx(expected, abs=1) if math.isfinite(expected) else math.isinf(found)


def test_a_ramp_of_the_rate_counts_where_nobody_counted_users():
    """An open load that starts slowly."""
    rate = np.minimum((np.arange(60) + 1) / 10, 1) * 200
    counts = np.random.default_rng(1).poisson(rate)
    assert settled_after_s(_timeline(np.ones(60), seed=1, requests=counts)) == pytest.approx(8, abs=3)


def test_one_slow_interval_is_no_warm_up():
    """A time-out among the first requests moves a mean, and nothing is wrong with the others."""
    shape = np.ones(30)
    shape[3] = 20
    assert settled_after_s(_timeline(shape, seed=1)) == 0


def test_intervals_may_have_any_length():
    """A tool's own timeline may tell every ten seconds."""
    at = np.arange(60) / 60
    assert 60 <= settled_after_s(_timeline(np.where(at < 0.1, 1.5, 1.0), seed=1, interval_s=10.0)) <= 120


@pytest.mark.parametrize("length", [0, 1, 9])
def test_too_short_to_tell(length):
    """A run of less than ten seconds has no beginning."""
    assert settled_after_s(_timeline(np.ones(length), seed=1)) is None


def test_empty_intervals_say_nothing():
    """A generator that began to send after a while, and one that sent nothing."""
    counts = np.where(np.arange(30) < 5, 0, 50)
    assert settled_after_s(_timeline(np.ones(30), seed=1, requests=counts)) == pytest.approx(5, abs=1)
    assert settled_after_s(_timeline(np.ones(30), seed=1, requests=np.zeros(30, int))) == 0


def test_users_reached_are_the_most_that_there_were():
    """Whatever came before, and whether they left one by one; a run that is too short, or untold, does not say."""
    users = [*range(0, 40, 4), *[40] * 5, *range(40, 10, -2)]
    assert users_reached(_timeline(np.ones(30), seed=1, users=users)) == 40
    assert users_reached(_timeline(np.ones(30), seed=1)) is None
    assert users_reached(_timeline(np.ones(5), seed=1, users=[9] * 5)) is None
