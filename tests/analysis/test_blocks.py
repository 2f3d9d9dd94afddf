import pyarrow as pa
import pytest

from ator_lib import schema
from ator_lib.analysis.blocks import block_seconds, run_blocks
from ator_lib.analysis.run_data import TOTAL, Endpoint
from tests.analysis.synthetic import Truth, made_run, made_samples, run_data

A = Endpoint("/a", "GET")


@pytest.mark.parametrize("duration_s", [24, 30, 61, 119, 600, 3601, 86_400])
def test_a_run_has_24_to_60_blocks(duration_s):
    """Enough blocks to see how they differ, long enough to outlast short correlation."""
    assert 24 <= duration_s / block_seconds(duration_s) <= 60


def test_blocks_are_never_below_a_second():
    """Short runs have few blocks rather than tiny ones, and a run without a duration has one."""
    assert block_seconds(3) == 1
    assert block_seconds(0) == 1


def test_every_request_is_in_one_block():
    """Counts per block add up to the run's requests, per endpoint and in total."""
    run = made_run({"/a": Truth(requests=700), "/b": Truth(requests=300, error_rate=0.1)}, seed=1)
    blocks = run_blocks(run)
    assert blocks[A].counts.sum() == blocks[A].requests.sum() == 700
    assert blocks[TOTAL].counts.sum() == 1000
    assert (blocks[TOTAL].counts.sum(axis=1) == blocks[TOTAL].requests).all()
    assert blocks[TOTAL].failures.sum() == run.summary_rows()[TOTAL]["failures"]


def test_a_block_without_a_request_counts():
    """A stall is a block of zeros, not a missing block."""
    samples = made_samples({"/a": Truth(requests=3000)}, seed=1)
    before = samples[A[:2]]
    early = before.at_s < 10
    kept = type(before)(at_s=before.at_s[early], duration_ms=before.duration_ms[early], failed=before.failed[early])
    blocks = run_blocks(run_data({A[:2]: kept}, block_s=2.0))[A]
    assert blocks.counts.shape[0] == 30
    assert (blocks.counts.sum(axis=1) > 0).sum() == 5


def test_a_whole_run_histogram_is_one_block():
    """Histograms without time (as some tools report) still merge."""
    run = made_run({"/a": Truth(requests=100)}, seed=1)
    index = run.distributions.schema.get_field_index("block_start")
    nulls = pa.nulls(run.distributions.num_rows, schema.DISTRIBUTIONS.field("block_start").type)
    untimed = run.distributions.set_column(index, "block_start", nulls)
    whole = type(run)(**{**vars(run), "distributions": untimed})
    assert run_blocks(whole)[A].counts.shape[0] == 1
    assert run_blocks(whole)[A].counts.sum() == 100


def test_a_run_without_requests_has_no_blocks():
    """Empty tables are no error."""
    assert run_blocks(run_data({})) == {}
