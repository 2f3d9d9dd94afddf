import math

import numpy as np
import pytest

from ator_lib.analysis.blocks import EndpointBlocks, run_blocks
from ator_lib.analysis.bootstrap import MINIMUM_BLOCKS, block_variances, block_weights
from ator_lib.analysis.run_data import Endpoint
from tests.analysis.synthetic import Truth, made_run

A = Endpoint("/a", "GET")


def _variances(truth: Truth, seed: int = 1, duration_s: float = 60.0) -> dict[str, float]:
    blocks = run_blocks(made_run({"/a": truth}, seed=seed, duration_s=duration_s))[A]
    return block_variances(blocks, block_weights(len(blocks.counts), 1000, 7))


def test_independent_requests_give_the_textbook_variance():
    """For independent lognormal requests, var(log median) is σ² π / (2 n): the bootstrap finds it within a third."""
    truth = Truth(requests=4000, sigma=0.5, wave_sd=0.0)
    found = np.mean([_variances(truth, seed)["p50_ms"] for seed in range(10)])
    assert found == pytest.approx(truth.sigma**2 * math.pi / (2 * truth.requests), rel=0.33)


def test_waves_through_the_run_widen_it():
    """Requests that move together say less than as many independent ones; a bootstrap over requests would miss it."""
    calm, wavy = Truth(wave_sd=0.0), Truth(wave_sd=0.3)
    assert _variances(wavy)["p50_ms"] > 10 * _variances(calm)["p50_ms"]


def test_failures_in_one_burst_widen_the_error_rate():
    """A hundred failures in one block vary more than a hundred spread over the run."""
    counts = np.full((30, 1), 100.0)
    spread, burst = np.full(30, 100 / 30), np.zeros(30)
    burst[4] = 100
    weights = block_weights(30, 1000, 7)
    found = [
        block_variances(
            EndpointBlocks(
                lower_ms=np.array([1.0]),
                upper_ms=np.array([1.01]),
                counts=counts,
                requests=counts[:, 0],
                failures=failures,
            ),
            weights,
        )["error_rate"]
        for failures in (spread, burst)
    ]
    assert found[1] > 5 * found[0]


def test_no_failure_seen_is_not_none_possible():
    """Twenty requests without a failure leave room for a real error rate of several percent."""
    assert math.sqrt(_variances(Truth(requests=20))["error_rate"]) > 0.03
    assert math.sqrt(_variances(Truth(requests=20_000))["error_rate"]) < 0.001


def test_identical_values_have_next_to_no_variance():
    """A constant endpoint is quiet, and no division fails."""
    assert _variances(Truth(sigma=0.0, wave_sd=0.0))["p95_ms"] < 1e-4


def test_too_few_blocks_say_nothing():
    """Below the minimum number of blocks with requests there is no estimate."""
    assert _variances(Truth(requests=500), duration_s=2.0 * (MINIMUM_BLOCKS - 1)) == {}


def test_the_seed_decides():
    """The same seed gives the same draws, each of as many blocks as there are."""
    weights = block_weights(12, 200, 7)
    assert (weights == block_weights(12, 200, 7)).all()
    assert (weights != block_weights(12, 200, 8)).any()
    assert (weights.sum(axis=1) == 12).all()
