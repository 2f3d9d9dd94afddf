"""A part of a run, from each store: its timeline, sparklines of the whole, and what is left without samples."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ator_lib.errors import NotFoundError, UsageError
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.run import RunHandle
from ator_lib.workspace.workspace import Workspace
from tests.support.files import START, synthetic_csv

pytestmark = pytest.mark.parametrize("parts", ["sqlite", "postgres with results"], indirect=True)
REQUESTS = 600
DURATIONS_MS = np.random.default_rng(1).lognormal(3, 0.5, REQUESTS)
"""A request a second, of two endpoints by turns."""


@pytest.fixture
def ws(parts: Parts) -> Workspace:
    """A workspace on each database, with results in files or in it."""
    return Workspace(parts)


@pytest.fixture
def run(ws: Workspace, tmp_path: Path) -> RunHandle:
    """Ten minutes of synthetic requests."""
    return ws.ingest(synthetic_csv(tmp_path / "t.csv", DURATIONS_MS, failures=2), test="t")


def totals(timeline: pd.DataFrame) -> pd.DataFrame:
    """Rows of the whole run."""
    return timeline[timeline["name"].isna()].reset_index(drop=True)


def test_a_part_has_the_percentiles_of_its_requests(run: RunHandle) -> None:
    """Cut anew for any interval; also where the part begins or ends within one."""
    rows = totals(run.timeline("1min", since=90, until="4min"))
    assert list(rows["interval_start"]) == [START + timedelta(minutes=minute) for minute in (1, 2, 3)]
    cuts = [DURATIONS_MS[90:120], DURATIONS_MS[120:180], DURATIONS_MS[180:240]]
    assert list(rows["requests"]) == [30, 60, 60]
    assert list(rows["p95_ms"]) == pytest.approx([np.quantile(cut, 0.95) for cut in cuts])


def test_stored_intervals_of_a_part_are_those_of_its_samples(run: RunHandle) -> None:
    """By whole seconds the same rows as those that are kept, by name, too."""
    kept = run.timeline()
    chosen = kept[
        (kept["interval_start"] >= START + timedelta(seconds=30))
        & (kept["interval_start"] < START + timedelta(seconds=40))
    ]
    part = run.timeline(since=START + timedelta(seconds=30), until=START + timedelta(seconds=40))
    pd.testing.assert_frame_equal(part, chosen.reset_index(drop=True))


def test_without_samples_the_stored_intervals_are_left(ws: Workspace, run: RunHandle) -> None:
    """They are whole ones; others cannot be had, and summaries of a part neither."""
    before = run.timeline()
    ws.purge("0.001s")
    part = run.timeline(since=30, until=40)
    assert list(totals(part)["interval_start"]) == [START + timedelta(seconds=s) for s in range(30, 40)]
    pd.testing.assert_frame_equal(run.timeline(), before)
    assert len(run.figure("timeline", since=30, until=40).data[0].x) == 10
    for ask in (lambda: run.timeline("5s", since=30), lambda: run.summary(since=30)):
        with pytest.raises(NotFoundError, match="expired"):
            ask()


def test_the_whole_is_drawn_from_what_was_computed_at_ingest(ws: Workspace, run: RunHandle) -> None:
    """In intervals that can be read, with the percentiles of their samples, which are not looked at again."""
    store, ingest_id = ws.parts.store, run._results()
    kept = store.overview(ingest_id)
    computed = run.timeline("2s", until="1h")  # a part, which is all of it
    pd.testing.assert_frame_equal(kept.to_pandas(), computed)
    drawn = run.figure("timeline")
    assert drawn.layout.xaxis2.title.text == "time (UTC), in intervals of 2 s"
    store.condense(ingest_id, 10.0)
    store.expire(ingest_id)
    assert store.timeline(ingest_id, 2.0).equals(kept)
    assert set(store.timeline(ingest_id, 2.0, total_only=True)["name"].to_pylist()) == {None}


@pytest.mark.parametrize("odd", ["yesterday", -5, {}])
def test_what_is_no_moment_is_refused(run: RunHandle, odd: object) -> None:
    """In our words."""
    with pytest.raises(UsageError, match="since"):
        run.timeline(since=odd)  # type: ignore[arg-type]


@pytest.mark.parametrize("start", ["0s", np.int64(0), timedelta(0), START.date()])
def test_moments_may_be_said_in_many_ways(run: RunHandle, start: object) -> None:
    """A number of seconds also in NumPy's class or as text, a length of time, a day."""
    for end in ("30", np.int64(30), np.float32(30), "30s", timedelta(seconds=30), START + timedelta(seconds=30)):
        assert run.summary(since=start, until=end)["requests"].iloc[-1] == 30  # type: ignore[arg-type]


def test_a_part_of_a_run_without_requests_has_no_summary(ws: Workspace, tmp_path: Path) -> None:
    """As the whole has none."""
    cases = tmp_path / "cases.xml"
    cases.write_text('<testsuite name="s"><testcase name="a" time="0.1"/></testsuite>')
    assert ws.ingest(cases, test="t").summary(since="2026-01-01").empty


# --- sparklines ---


def test_sparklines_follow_each_endpoint(run: RunHandle) -> None:
    """The highest percentile of each point's time, counts added up; the total last."""
    highest = run.sparklines(points=10, metric="max_ms")
    assert list(zip(highest["name"], highest["scope"], strict=True))[:2] == [
        ("/synthetic/0", "name"),
        ("/synthetic/1", "name"),
    ]
    assert list(highest["scope"])[2:] == ["total"]
    minutes = DURATIONS_MS.reshape(10, 60)
    assert highest["values"].iloc[2] == pytest.approx(minutes.max(axis=1))
    assert highest["values"].iloc[1] == pytest.approx(minutes[:, 1::2].max(axis=1))
    assert run.sparklines(10, "requests")["values"].iloc[0] == [30.0] * 10
    assert run.sparklines(10, "throughput_rps")["values"].iloc[2] == pytest.approx([1.0] * 10)
    assert run.sparklines(10, "mean_ms")["values"].iloc[2] == pytest.approx(minutes.mean(axis=1))
    assert run.sparklines(10, "error_rate")["values"].iloc[2] == pytest.approx([0.0] * 9 + [2 / 60])
