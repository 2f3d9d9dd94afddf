"""Figures that do not move."""

import numpy as np
import pyarrow as pa
import pytest

from ator_lib import schema
from ator_lib.analysis.standstill import standstill_s
from tests.analysis.synthetic import START_US


def _timeline(means, requests) -> pa.Table:
    rows = [
        {
            "interval_start": START_US + i * 1_000_000,
            "interval_s": 1.0,
            "requests": int(count),
            "failures": 0,
            "throughput_rps": float(count),
            **dict.fromkeys(("mean_ms", "p50_ms", "p99_ms", "max_ms"), float(mean) if count else None),
        }
        for i, (mean, count) in enumerate(zip(means, requests, strict=True))
    ]
    return pa.Table.from_pylist(rows, schema=schema.TIMELINE)


MOVING = np.random.default_rng(1).lognormal(3, 0.1, 30)


def test_figures_of_a_run_move():
    """No two seconds are alike."""
    assert standstill_s(_timeline(MOVING, [50] * 30)) == 0


def test_a_repeated_row_is_a_standstill():
    """A stuck collector tells the same of twelve seconds."""
    means = [*MOVING[:10], *[33.0] * 12, *MOVING[22:]]
    assert standstill_s(_timeline(means, [50] * 30)) == 12


@pytest.mark.parametrize(("mean", "count"), [(2.0, 50), (33.0, 1), (33.0, 0)])
def test_likeness_by_chance_is_none(mean, count):
    """Two milliseconds by a clock of milliseconds, one request a second, and seconds without any."""
    assert standstill_s(_timeline([mean] * 30, [count] * 30)) == 0


def test_nothing_is_known_without_a_timeline():
    """A tool may have summed up."""
    assert standstill_s(schema.TIMELINE.empty_table()) is None
