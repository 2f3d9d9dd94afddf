"""Summaries read off histograms, beside those of the samples."""

import pytest

from ator_lib import schema
from ator_lib.analysis.block_summaries import summaries_of_blocks
from tests.analysis.synthetic import Truth, made_run, run_data


def test_they_are_those_of_the_samples_to_the_width_of_the_bins():
    """Counts exactly, latencies to 1 %."""
    run = made_run({"/a": Truth(error_rate=0.1), "/b": Truth(requests=500, median_ms=400)}, seed=1)
    found = {row["name"]: row for row in summaries_of_blocks(run, 60.0).to_pylist()}
    for row in run.summaries.to_pylist():
        for column in ("scope", "method", "requests", "failures", "error_rate", "throughput_rps", "duration_s"):
            assert found[row["name"]][column] == row[column], column
        for column in ("mean_ms", *schema.PERCENTILES):
            assert found[row["name"]][column] == pytest.approx(row[column], rel=0.01), column
        assert found[row["name"]]["precision"] == "±1%"


def test_no_blocks_have_no_rows():
    """Nothing is left of a run that was over before."""
    assert summaries_of_blocks(run_data({}), 60.0).num_rows == 0
