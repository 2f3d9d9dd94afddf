from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ator_lib import schema
from ator_lib.results.base import Blocks
from ator_lib.results.histograms import BIN_RATIO, FIRST_BIN
from ator_lib.results.parquet import ParquetStore
from tests.results.synthetic import START, failed, random_table, reading, sample

edges = st.integers(-700, 1500).map(lambda bin_: BIN_RATIO**bin_)
durations = st.one_of(
    st.floats(0, 1e7),
    edges,
    edges.map(lambda edge: float(np.nextafter(edge, 0))),
    edges.map(lambda edge: float(np.nextafter(edge, np.inf))),
)


def blocks_of(rows: list[dict[str, Any]], block_s: float) -> Blocks:
    """Cut synthetic samples into blocks, in a store of their own."""
    with TemporaryDirectory() as root:
        store = ParquetStore(Path(root))
        return store.blocks(store.write(reading(rows)).ingest_id, block_s)


@settings(max_examples=20, deadline=None)
@given(st.lists(durations, min_size=1, max_size=200))
def test_every_duration_lies_in_its_bin(values: list[float]) -> None:
    """Bins are [lower, upper), at most 1 % wide but the first, which starts at 0; each duration counts in one."""
    bins = [row for row in blocks_of([sample(0, v) for v in values], 10).distributions.to_pylist() if not row["name"]]
    for row in bins:
        assert row["count"] == sum(row["lower_ms"] <= value < row["upper_ms"] for value in values)
        assert row["lower_ms"] == 0 or row["upper_ms"] / row["lower_ms"] - 1 <= 0.01 + 1e-12
    assert sum(row["count"] for row in bins) == len(values)


def test_zero_has_a_bin_of_its_own() -> None:
    """0 ms has no logarithm: it lies in the bin from 0 to the smallest edge."""
    rows = blocks_of([sample(0, 0.0), sample(0, 1e-9), sample(0, 1.0)], 1).distributions.to_pylist()
    first = next(row for row in rows if row["lower_ms"] == 0)
    assert (first["upper_ms"], first["count"]) == (pytest.approx(BIN_RATIO**FIRST_BIN), 2)


def test_blocks_start_at_the_first_request_and_match_the_timeline() -> None:
    """Distributions and timeline have the same blocks, names and numbers; an empty block is in the timeline only."""
    rows = [sample(0), failed(0.9, name="/b"), sample(1.1, weight=3), sample(1.99), sample(3.2, method=None)]
    blocks = blocks_of(rows, 1.0)
    assert blocks.distributions.schema.equals(schema.DISTRIBUTIONS)
    assert blocks.timeline.schema.equals(schema.TIMELINE)
    counted: Counter[Any] = Counter()
    for row in blocks.distributions.to_pylist():
        counted[row["block_start"], row["name"], row["method"]] += row["count"]
    timeline = {(r["interval_start"], r["name"], r["method"]): r["requests"] for r in blocks.timeline.to_pylist()}
    assert {key: requests for key, requests in timeline.items() if requests} == dict(counted)
    runs = [
        (r["interval_start"] - START, r["requests"], r["failures"])
        for r in blocks.timeline.to_pylist()
        if not r["name"]
    ]
    assert runs == [(timedelta(seconds=s), *counts) for s, counts in enumerate([(2, 1), (4, 0), (0, 0), (1, 0)])]


def test_a_whole_run_is_the_sum_of_its_blocks(store: ParquetStore) -> None:
    """Without a block length there is one block of unknown start, and bins add up exactly."""
    ingest_id = store.write(reading(random_table(2000))).ingest_id
    parts, whole = store.distributions(ingest_id, block_s=2.0), store.distributions(ingest_id)
    assert set(whole["block_start"].to_pylist()) == {None}
    key = ["name", "method", "lower_ms", "upper_ms"]
    summed = parts.group_by(key).aggregate([("count", "sum")]).rename_columns([*key, "count"])
    order = [(column, "ascending") for column in key]
    assert summed.sort_by(order).equals(whole.select([*key, "count"]).sort_by(order).cast(summed.schema))


def test_requests_of_unknown_start_are_in_the_block_of_unknown_start(store: ParquetStore) -> None:
    """No request is lost from the distributions: without a time it has block_start null."""
    ingest_id = store.write(reading([sample(0), sample(None), sample(None)])).ingest_id
    rows = [row for row in store.distributions(ingest_id, block_s=1.0).to_pylist() if row["name"] is None]
    assert {row["block_start"]: row["count"] for row in rows} == {None: 2, START: 1}


def test_no_samples_have_no_distribution() -> None:
    """Nothing measured: two empty tables of the right schema."""
    blocks = blocks_of([], 1.0)
    assert (blocks.distributions.num_rows, blocks.timeline.num_rows) == (0, 0)
    assert blocks.distributions.schema.equals(schema.DISTRIBUTIONS)
