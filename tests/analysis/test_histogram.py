import numpy as np
import pytest

from ator_lib.analysis.blocks import run_blocks
from ator_lib.analysis.histogram import Histogram, quantile
from ator_lib.analysis.run_data import TOTAL
from tests.analysis.synthetic import Truth, made_samples, run_data


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
def test_merged_percentiles_are_those_of_all_requests_within_a_bin(q):
    """Merging two runs' histograms gives the percentile of all their raw samples to 1 %, not the runs' average."""
    fast = made_samples({"/a": Truth(median_ms=10)}, seed=1)
    slow = made_samples({"/a": Truth(median_ms=300, requests=500)}, seed=2)
    raw = np.concatenate([s[("/a", "GET")].duration_ms for s in (fast, slow)])
    parts = [run_blocks(run_data(s))[TOTAL] for s in (fast, slow)]
    assert Histogram.merged(parts).quantile(q) == pytest.approx(np.quantile(raw, q), rel=0.011)


def test_many_rows_at_once_agree_with_one_at_a_time():
    """The vectorised search finds what a plain search finds, in every row."""
    generator = np.random.default_rng(3)
    edges = np.arange(1.0, 42.0)
    counts = generator.integers(0, 5, size=(50, 40)).astype(float)
    together = quantile(counts.cumsum(axis=1), edges[:-1], edges[1:], 0.9)
    for row, found in zip(counts, together, strict=True):
        assert abs(found - np.quantile(np.repeat(edges[:-1] + 0.5, row.astype(int)), 0.9)) <= 1.0


def test_no_requests_have_no_percentile():
    """A row of zeros is nan, beside a row that has one."""
    values = quantile(np.array([[0.0, 0.0], [0.0, 4.0]]), np.array([1.0, 2.0]), np.array([2.0, 3.0]), 0.5)
    assert np.isnan(values[0])
    assert values[1] == pytest.approx(2.5)


def test_a_sparse_tail_is_interpolated_between_its_order_statistics():
    """Between two far values lies what Hyndman-Fan 7 says, not the edge of one of their bins."""
    values = np.array([10.5] * 98 + [100.5, 500.5])
    edges = np.arange(1.0, 502.0)
    counts = np.histogram(values, edges)[0].astype(float)
    found = quantile(counts.cumsum()[np.newaxis, :], edges[:-1], edges[1:], 0.995)[0]
    assert found == pytest.approx(np.quantile(values, 0.995), abs=0.5)
