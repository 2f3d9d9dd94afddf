"""Summaries of a part of a run whose samples have expired, from its time blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from ator_lib import schema
from ator_lib.analysis.blocks import EndpointBlocks, FloatArray, run_blocks
from ator_lib.analysis.histogram import quantile
from ator_lib.analysis.run_data import Endpoint, RunData

PRECISION = "±1%"
"""Of what is read off bins that are 1 % wide."""


def summaries_of_blocks(run: RunData, duration_s: float) -> pa.Table:
    """Return ``schema.SUMMARIES`` of the blocks of a run; counts are exact, latencies are known to the bins' width."""
    blocks = run_blocks(run).items()
    rows = [_row(endpoint, found, duration_s) for endpoint, found in blocks if found.requests.sum()]
    return pa.Table.from_pylist(rows, schema=schema.SUMMARIES)


def _row(endpoint: Endpoint, blocks: EndpointBlocks, duration_s: float) -> dict[str, Any]:
    requests, failures = int(blocks.requests.sum()), int(blocks.failures.sum())
    counts = blocks.counts.sum(axis=0)
    centres = (blocks.lower_ms + blocks.upper_ms) / 2
    return {
        **endpoint._asdict(),
        "requests": requests,
        "failures": failures,
        "duration_s": duration_s,
        "throughput_rps": requests / duration_s,
        "error_rate": failures / requests,
        "mean_ms": float(np.average(centres, weights=counts)),
        **{column: _quantile(blocks, counts, q) for column, q in schema.PERCENTILES.items()},
        "precision": PRECISION,
    }


def _quantile(blocks: EndpointBlocks, counts: FloatArray, q: float) -> float:
    return float(quantile(counts.cumsum()[None, :], blocks.lower_ms, blocks.upper_ms, q)[0])
