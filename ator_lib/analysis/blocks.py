"""A run cut into time blocks: its histograms and counts as dense numpy arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.analysis.run_data import Endpoint, RunData

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
ComplexArray = npt.NDArray[np.complex128]

_STEPS = (1, 2, 5, 10)
_MOST_BLOCKS = 60


@dataclass(frozen=True, kw_only=True, eq=False)
class EndpointBlocks:
    """One endpoint of one run in B time blocks and K histogram bins.

    Attributes
    ----------
    lower_ms, upper_ms
        Edges of the K bins, ascending.
    counts
        B × K requests; a run without time blocks has one row.
    requests, failures
        B counts each, for every block of the run: a block without this endpoint counts 0.
    """

    lower_ms: FloatArray
    upper_ms: FloatArray
    counts: FloatArray
    requests: FloatArray
    failures: FloatArray


def block_seconds(duration_s: float) -> float:
    """Return the block length for a run: 1, 2, 5, 10, 20, 50 … seconds, such that there are 24 to 60 blocks.

    A block is at least one second, so a run below 24 s has fewer. A block should outlast the correlation between
    neighbouring requests, and there must be enough of them to see how they differ.

    Examples
    --------
    >>> block_seconds(12), block_seconds(120), block_seconds(3600)
    (1.0, 2.0, 100.0)
    """
    shortest = duration_s / _MOST_BLOCKS
    if shortest <= 1:
        return 1.0
    scale = 10.0 ** math.floor(math.log10(shortest))
    return next(step * scale for step in _STEPS if step * scale >= shortest)


def run_blocks(run: RunData) -> dict[Endpoint, EndpointBlocks]:
    """Cut a run into blocks, per endpoint and for the total. Endpoints without a histogram are left out.

    Whole-run histograms (``block_start`` null) are used only when there are none per block: they still merge, but
    show no noise.
    """
    bins = run.distributions
    timed = bins.filter(pc.is_valid(bins["block_start"]))
    bins = timed if timed.num_rows else bins
    starts = np.unique(np.concatenate([_instants(bins["block_start"]), _instants(run.timeline["interval_start"])]))
    if not timed.num_rows:
        starts = starts[:1]
    counted = _counts_by_endpoint(run.timeline, starts)
    nothing = np.zeros((2, len(starts)))
    block = _block_numbers(bins["block_start"], starts)
    edges = edge_pairs(bins["lower_ms"].to_numpy(), bins["upper_ms"].to_numpy())
    count = bins["count"].to_numpy()
    return {
        endpoint: _endpoint_blocks(block[rows], edges[rows], count[rows], counted.get(endpoint, nothing))
        for endpoint, rows in rows_by_endpoint(bins).items()
    }


def edge_pairs(lower_ms: FloatArray, upper_ms: FloatArray) -> ComplexArray:
    """Put both edges of a bin into one (complex) number: numpy sorts these by the first, then by the second."""
    pairs = np.empty(len(lower_ms), dtype=np.complex128)
    pairs.real, pairs.imag = lower_ms, upper_ms
    return pairs


def _endpoint_blocks(block: IntArray, edges: ComplexArray, count: IntArray, counted: FloatArray) -> EndpointBlocks:
    unique_edges, columns = np.unique(edges, return_inverse=True)
    counts = np.zeros((max(counted.shape[1], 1), len(unique_edges)))
    np.add.at(counts, (block, columns), count)
    return EndpointBlocks(
        lower_ms=unique_edges.real,
        upper_ms=unique_edges.imag,
        counts=counts,
        requests=counted[0],
        failures=counted[1],
    )


def _counts_by_endpoint(timeline: pa.Table, starts: IntArray) -> dict[Endpoint, FloatArray]:
    """Count requests and failures (2 × B) of each endpoint in each block."""
    block = _block_numbers(timeline["interval_start"], starts)
    values = np.stack([timeline["requests"].to_numpy(), timeline["failures"].to_numpy()]).astype(np.float64)
    counted = {}
    for endpoint, rows in rows_by_endpoint(timeline).items():
        counts = np.zeros((2, len(starts)))
        np.add.at(counts.T, block[rows], values[:, rows].T)
        counted[endpoint] = counts
    return counted


def _block_numbers(instants: Any, starts: IntArray) -> IntArray:
    """Find the block of each row; all of them are block 0 where the run is not cut into blocks."""
    if len(starts) < 2:
        return np.zeros(len(instants), dtype=np.int64)
    return np.searchsorted(starts, _instants(instants)).astype(np.int64)


def rows_by_endpoint(table: pa.Table) -> dict[Endpoint, IntArray]:
    """Row numbers of each name and method; a null name is the whole run."""
    names, name_codes = _codes(table["name"])
    methods, method_codes = _codes(table["method"])
    codes = name_codes * max(len(methods), 1) + method_codes
    order = np.argsort(codes, kind="stable")
    found, firsts = np.unique(codes[order], return_index=True)
    rows: dict[Endpoint, IntArray] = {}
    for code, chosen in zip(found, np.split(order, firsts[1:]), strict=False):
        rows[Endpoint.named(names[code // len(methods)], methods[code % len(methods)])] = chosen
    return rows


def _codes(column: Any) -> tuple[list[str | None], IntArray]:
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)


def _instants(column: Any) -> IntArray:
    """Microseconds since 1970; nulls are left out."""
    instants: IntArray = column.drop_null().cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy()
    return instants
