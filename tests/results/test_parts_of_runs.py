"""A part of a run: its summaries, its blocks, and blocks that were counted at ingest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ator_lib import schema
from ator_lib.errors import NotFoundError
from ator_lib.results import staging
from ator_lib.results.parquet import ParquetStore
from tests.results.synthetic import START, failed, random_table, reading, sample


def at(seconds: float) -> Any:
    """Give a time after the first request."""
    return START + timedelta(seconds=seconds)


def written(store: ParquetStore, rows: pa.Table | list[dict[str, Any]]) -> str:
    """Write samples; the id of their set."""
    return store.write(reading(rows)).ingest_id


def total(summaries: pa.Table) -> dict[str, Any]:
    """Row of the whole run."""
    row: dict[str, Any] = summaries.to_pylist()[-1]
    return row


def from_start(rows: int) -> pa.Table:
    """Give random samples of a run that begins at ``START``."""
    return pa.concat_tables([pa.Table.from_pylist([sample(0)], schema=schema.SAMPLES), random_table(rows)])


# --- summaries ---


def test_a_part_has_the_figures_of_its_samples(store: ParquetStore) -> None:
    """As exact as the whole: of what started from the first bound on and before the second."""
    samples = random_table(2000)
    inside = samples.filter((pc.field("started_at") >= at(2)) & (pc.field("started_at") < at(7)))
    found = store.summaries(written(store, samples), since=at(2), until=at(7))
    row, values = total(found), inside["duration_ms"].to_numpy()
    assert found.schema.equals(schema.SUMMARIES)
    assert (row["requests"], row["failures"]) == (len(values), inside.filter(~pc.field("success")).num_rows)
    assert (row["duration_s"], row["throughput_rps"]) == (5.0, len(values) / 5)
    expected = np.quantile(values, list(schema.PERCENTILES.values()))
    assert [row[column] for column in schema.PERCENTILES] == pytest.approx(expected.tolist())
    assert sum(name["requests"] for name in found.to_pylist()[:-1]) == row["requests"]


def test_all_of_a_run_has_the_stored_summaries(store: ParquetStore) -> None:
    """Without bounds, and with bounds that lie outside."""
    staged = store.write(reading(random_table(500)))
    assert store.summaries(staged.ingest_id).equals(staged.summaries)
    assert store.summaries(staged.ingest_id, since=at(-60), until=at(3600)).equals(staged.summaries)


def test_the_window_is_the_part_of_the_load_in_it(store: ParquetStore) -> None:
    """From the bound to the end of the last request, which started within and may end later."""
    ingest_id = written(store, [sample(0), sample(4), sample(9, 3000.0)])
    assert total(store.summaries(ingest_id, since=at(2)))["duration_s"] == 10.0
    assert total(store.summaries(ingest_id, until=at(5)))["duration_s"] == pytest.approx(4.01)
    assert total(store.summaries(ingest_id, since=at(8), until=at(10)))["duration_s"] == 2.0


def test_a_long_request_before_the_last_one_ends_the_run(store: ParquetStore) -> None:
    """Whoever ends last need not have started last, nor be the longest of all."""
    rows = [sample(0, 1000.0), sample(0.5, 9000.0), sample(3, 7000.0), sample(4, 10.0)]
    assert total(store.summaries(written(store, rows)))["duration_s"] == 10.0


def test_requests_of_unknown_start_are_in_no_part(store: ParquetStore) -> None:
    """They are in the whole."""
    ingest_id = written(store, [sample(0), sample(1), sample(None)])
    assert total(store.summaries(ingest_id))["requests"] == 3
    assert total(store.summaries(ingest_id, since=at(0)))["requests"] == 2


def test_rows_that_stand_for_several_count_so(store: ParquetStore) -> None:
    """In parts as in the whole; a row of weight 0 is none."""
    ingest_id = written(store, [sample(0, weight=5), sample(2, weight=3), sample(3, weight=0)])
    assert total(store.summaries(ingest_id, since=at(1)))["requests"] == 3


@pytest.mark.parametrize(("since", "until"), [(100, None), (None, -1), (3, 3)])
def test_an_empty_part_has_no_request(store: ParquetStore, since: float | None, until: float | None) -> None:
    """Nothing is wrong with asking."""
    bounds = {name: s if s is None else at(s) for name, s in (("since", since), ("until", until))}
    row = total(store.summaries(written(store, random_table(50)), **bounds))
    assert (row["requests"], row["p95_ms"]) == (0, None)


def test_samples_that_have_expired_have_no_parts(store: ParquetStore) -> None:
    """Their blocks have."""
    ingest_id = written(store, from_start(200))
    store.condense(ingest_id, 1.0)
    store.expire(ingest_id)
    with pytest.raises(NotFoundError, match="expired"):
        store.summaries(ingest_id, since=at(1))
    blocks = store.blocks(ingest_id, 1.0, since=at(4))
    assert (blocks.since, blocks.summaries) == (at(4), None)
    assert pc.min(blocks.distributions["block_start"]).as_py() == at(4)


# --- blocks ---


def test_blocks_of_a_part_are_those_of_the_whole_from_there(store: ParquetStore) -> None:
    """Where the bound is the start of a block, whether they are counted anew or were stored."""
    ingest_id = written(store, from_start(1000))
    whole, part = store.blocks(ingest_id, 2.0), store.blocks(ingest_id, 2.0, since=at(4))
    assert part.distributions.equals(whole.distributions.filter(pc.field("block_start") >= at(4)))
    assert part.timeline.equals(whole.timeline.filter(pc.field("interval_start") >= at(4)))
    assert part.summaries is not None
    assert total(part.summaries) == total(store.summaries(ingest_id, since=at(4)))
    store.condense(ingest_id, 2.0)
    stored = store.blocks(ingest_id, 2.0, since=at(4))
    assert (stored.distributions, stored.timeline) == (part.distributions, part.timeline)


def test_blocks_may_be_long_and_many(store: ParquetStore) -> None:
    """A run of two hours in blocks of 200 s: microseconds do not fit into 32 bits."""
    rows = [sample(second) for second in range(0, 7200, 10)]
    blocks = store.blocks(written(store, rows), 200.0)
    whole = [row for row in blocks.timeline.to_pylist() if row["name"] is None]
    assert [row["requests"] for row in whole] == [20] * 36
    assert whole[-1]["interval_start"] == at(7000)


def test_many_samples_are_counted_at_ingest(store: ParquetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then a comparison need not look at them; the figures are the same, and other lengths are still counted anew."""
    samples = pa.concat_tables([random_table(1000), pa.Table.from_pylist([failed(3), sample(None)], schema.SAMPLES)])
    later = written(store, samples)
    monkeypatch.setattr(staging, "CONDENSED_FROM", 1000)
    now = written(store, samples)
    with store.lend(later) as without, store.lend(now) as condensed:
        assert (without.block_s, condensed.block_s) == (None, 1.0)
    known = pc.field("block_start").is_valid()  # of the run that is counted anew, those of unknown start are there, too
    assert store.blocks(now, 1.0).distributions.equals(store.blocks(later, 1.0).distributions.filter(known))
    assert store.blocks(now, 1.0).timeline.equals(store.blocks(later, 1.0).timeline)
    assert store.distributions(now).equals(store.distributions(later))
    assert store.blocks(now, 2.5).distributions.equals(store.blocks(later, 2.5).distributions)
    store.condense(now, 1.0)
    store.expire(now)
    assert store.blocks(now, 1.0).timeline.equals(store.blocks(later, 1.0).timeline)
