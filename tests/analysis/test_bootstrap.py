import math

import numpy as np
import pytest

from ator_lib.analysis.blocks import EndpointBlocks, run_blocks
from ator_lib.analysis.bootstrap import (
    MINIMUM_BLOCKS,
    block_replicates,
    block_weights,
    independent_error_variance,
    variance,
)
from ator_lib.analysis.histogram import quantile
from ator_lib.analysis.run_data import Endpoint
from tests.analysis.synthetic import Truth, made_run

A = Endpoint("/a", "GET")


def _blocks(truth: Truth, seed: int = 1, duration_s: float = 60.0) -> EndpointBlocks:
    return run_blocks(made_run({"/a": truth}, seed=seed, duration_s=duration_s))[A]


def _variances(truth: Truth, seed: int = 1, duration_s: float = 60.0) -> dict[str, float]:
    blocks = _blocks(truth, seed, duration_s)
    replicates = block_replicates(blocks, block_weights(len(blocks.counts), 1000, 7))
    return {metric: variance(values) for metric, values in replicates.items()}


def test_replicates_are_those_of_the_whole_histogram():
    """Only the bins around a percentile are drawn from, and the answer is that of all bins."""
    blocks = _blocks(Truth(wave_sd=0.3))
    weights = block_weights(len(blocks.counts), 300, 7)
    found = block_replicates(blocks, weights)
    for metric, q in (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)):
        whole = np.log(quantile((weights @ blocks.counts).cumsum(axis=1), blocks.lower_ms, blocks.upper_ms, q))
        stretched = (whole - whole.mean()) * math.sqrt(30 / 27)
        assert found[metric] == pytest.approx(stretched, abs=1e-9)


def test_independent_requests_give_the_textbook_variance_of_a_mean():
    """For independent lognormal requests, var(log mean) is (e^σ² − 1) / n: found within a third."""
    truth = Truth(requests=4000, sigma=0.5, wave_sd=0.0)
    found = np.mean([_variances(truth, seed)["mean_ms"] for seed in range(10)])
    assert found == pytest.approx(math.expm1(truth.sigma**2) / truth.requests, rel=0.33)


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
        variance(
            block_replicates(
                EndpointBlocks(
                    lower_ms=np.array([1.0]),
                    upper_ms=np.array([1.01]),
                    counts=counts,
                    requests=counts[:, 0],
                    failures=failures,
                ),
                weights,
            )["error_rate"]
        )
        for failures in (spread, burst)
    ]
    assert found[1] > 5 * found[0]


def test_no_failure_seen_is_not_none_possible():
    """Twenty requests without a failure leave room for a real error rate of several percent."""
    assert math.sqrt(independent_error_variance(20, 0)) > 0.03
    assert math.sqrt(independent_error_variance(20_000, 0)) < 0.001


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
    assert weights.sum(axis=1) == pytest.approx(np.full(200, 12.0))


def test_neighbouring_blocks_are_drawn_together():
    """In 60 blocks a drawn one comes with three neighbours, the first being the last one's."""
    weights = block_weights(60, 400, 7)
    together = [np.corrcoef(weights[:, 0], weights[:, place])[0, 1] for place in (1, 3, 20, 59)]
    assert together[0] > 0.6 < together[3]
    assert together[1] > 0.1 > together[2]
