"""What a comparison reads of runs: the same part of each, and what the registry knows of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pytest

import ator_lib as ator
from ator_lib import schema
from ator_lib.analysis.options import CompareOptions
from ator_lib.errors import NotFoundError, UsageError
from ator_lib.workspace.comparing import load
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.run import RunHandle
from ator_lib.workspace.workspace import Workspace
from tests.support.files import synthetic_csv
from tests.support.racing import set_end

START = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
SECONDS = 40
SUMMARY_ONLY = """\
Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,Max Response Time,\
Average Content Size,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%
GET,/a,1000,0,20,21,10,90,100,25,0,20,22,24,25,28,32,40,50,80,90,90
,Aggregated,1000,0,20,21,10,90,100,25,0,20,22,24,25,28,32,40,50,80,90,90
"""


@pytest.fixture
def ws(empty_data: Path) -> Workspace:
    """A workspace of the test's own."""
    return ator.connect(empty_data)


def ingested(ws: Workspace, folder: Path, seed: int, *, slow_s: int = 0, **identity: Any) -> RunHandle:
    """Make a run of two endpoints whose first seconds were three times slower."""
    generator = np.random.default_rng(seed)
    rows = 50 * SECONDS
    at_s = np.arange(rows) / 50
    durations = generator.lognormal(3, 0.3, rows) * np.where(at_s < slow_s, 3, 1)
    columns = {
        "started_at": [(START + timedelta(seconds=float(second))).isoformat() for second in at_s],
        "duration_ms": durations,
        "name": [f"/{row % 2}" for row in range(rows)],
        "success": generator.random(rows) > 0.01,
    }
    path = folder / f"{seed}-{slow_s}.csv"
    csv.write_csv(pa.table(columns), str(path))
    return ws.ingest(path, test="shop", **identity)


def test_the_longest_warm_up_is_left_out_of_all_runs(ws: Workspace, tmp_path: Path) -> None:
    """So that the same part of each is compared: tables and summaries begin there, and the check says it."""
    slow, quick = ingested(ws, tmp_path, 1, slow_s=5), ingested(ws, tmp_path, 2)
    [[contender], [baseline]] = load([quick], [slow], CompareOptions())
    assert baseline.settled_after_s == pytest.approx(5, abs=1)
    assert contender.settled_after_s == 0
    assert contender.warm_up_s == baseline.warm_up_s >= 5
    for run, handle in ((contender, quick), (baseline, slow)):
        expected = handle.summary(since=run.warm_up_s)
        assert run.summaries.to_pandas().equals(expected)
        assert run.timeline["requests"].to_numpy().sum() == 2 * expected.requests.iloc[-1]
        assert sum(run.distributions["count"].to_pylist()) == 2 * expected.requests.iloc[-1]
    check = ws.compare(quick, slow).checks.set_index("name").loc["warm-up"]
    assert check.ok
    assert "left out, settled at once" in check.contender


def test_a_warm_up_that_was_given_is_left_out(ws: Workspace, tmp_path: Path) -> None:
    """Whole time blocks of it; 0 leaves all in, and the check then says that it is."""
    slow, quick = ingested(ws, tmp_path, 1, slow_s=5), ingested(ws, tmp_path, 2)
    [[contender], [baseline]] = load([quick], [slow], CompareOptions(warm_up=2.5))
    assert (contender.warm_up_s, baseline.warm_up_s) == (3.0, 3.0)
    checks = ws.compare(quick, slow, warm_up=0).checks.set_index("name")
    assert "had not settled" in checks.message["warm-up"]
    assert checks.contender["requests"] == str(50 * SECONDS)


def test_a_warm_up_as_long_as_the_run_is_refused(ws: Workspace, tmp_path: Path) -> None:
    """The message names the run and its length."""
    runs = [ingested(ws, tmp_path, seed) for seed in (1, 2)]
    with pytest.raises(UsageError, match="a warm-up of 60 s leaves nothing of run 2, which lasted 40"):
        ws.compare(runs[1], runs[0], warm_up=60)


def test_runs_of_summaries_alone_are_compared_whole(ws: Workspace, tmp_path: Path) -> None:
    """What a tool has summed up cannot be cut: nothing is left out of the other one either, and a given one is told."""
    stats = tmp_path / "x_stats.csv"
    stats.write_text(SUMMARY_ONLY)
    summed, slow = ws.ingest(stats, test="shop"), ingested(ws, tmp_path, 1, slow_s=5)
    [[contender], [baseline]] = load([summed], [slow], CompareOptions())
    assert (contender.warm_up_s, baseline.warm_up_s, contender.settled_after_s) == (0, 0, None)
    given = ws.compare(summed, slow, warm_up=5, waive=["tool"]).checks.set_index("name").loc["warm-up"]
    assert not given.ok
    assert "left out of run 2 and not of run 1" in given.message
    with pytest.raises(NotFoundError, match="its source's own summary is of the whole run alone"):
        summed.summary(since=5)


@pytest.mark.parametrize("parts", ["sqlite", "postgres with results"], indirect=True)
def test_a_run_whose_samples_expired_is_cut_alike(parts: Parts, tmp_path: Path) -> None:
    """The same blocks are left out; counts are exact, latencies known to the bins' width."""
    ws = Workspace(parts)
    slow, quick = ingested(ws, tmp_path, 1, slow_s=5), ingested(ws, tmp_path, 2)
    [before], _ = load([slow], [quick], CompareOptions())
    set_end(parts, slow.run_id, datetime(2020, 1, 31, tzinfo=UTC))
    assert list(ws.purge("30d").run_id) == [slow.run_id]
    [after], _ = load([slow], [quick], CompareOptions())
    assert after.warm_up_s == before.warm_up_s > 0
    assert after.distributions.equals(before.distributions)
    assert after.timeline.equals(before.timeline)
    exact, read_off = before.summaries.to_pylist()[-1], after.summaries.to_pylist()[0]
    assert (read_off["scope"], read_off["precision"]) == ("total", "±1%")
    assert read_off["requests"] == exact["requests"]
    assert read_off["throughput_rps"] == pytest.approx(exact["throughput_rps"], rel=1e-3)
    assert all(read_off[column] == pytest.approx(exact[column], rel=0.01) for column in schema.PERCENTILES)


def test_what_the_registry_knows_is_told(ws: Workspace, tmp_path: Path) -> None:
    """Who else was at the location and for how long; facts that only it has."""
    ws.locations.add("lab")
    other = ws.register(test="batch", location="lab", factor="0.25")
    run = ws.register(test="shop", location="lab", factor="0.5", environment="lab", stream="main")
    run.complete("success")
    other.complete("success")
    data = ws.ingest(synthetic_csv(tmp_path / "run.csv", [10.0] * 30), run=run.run_id).comparable()
    assert (data.environment, data.stream, str(data.factor), data.test) == ("lab", "main", "0.5", "shop")
    assert data.overlaps is not None
    [found] = data.overlaps
    assert (found.run_id, found.test, str(found.factor)) == (other.run_id, "batch", "0.25")
    assert 0 <= found.seconds < 60


# --- parts of a run ---


def test_a_part_of_a_run_is_as_exact_as_the_whole(ws: Workspace, tmp_path: Path) -> None:
    """By seconds from the start, by durations, or by times."""
    run = ingested(ws, tmp_path, 1)
    samples = run.samples(["started_at", "duration_ms"])
    first, end = (START + timedelta(seconds=seconds) for seconds in (10, 20))
    inside = samples[(samples.started_at >= first) & (samples.started_at < end)]
    for since, until in ((10, 20), ("10s", "20s"), (first, end)):
        total = run.summary(since=since, until=until).iloc[-1]
        assert (total.requests, total.duration_s, total.precision) == (len(inside), 10.0, "exact")
        assert total.p95_ms == pytest.approx(np.quantile(inside.duration_ms, 0.95))
    assert run.summary(since=0).equals(run.summary())


@pytest.mark.parametrize("bad", [{"since": "soon"}, {"until": -3}])
def test_what_is_no_time_of_a_run_is_refused(ws: Workspace, tmp_path: Path, bad: dict[str, Any]) -> None:
    """With words on what to write instead."""
    with pytest.raises(UsageError, match=next(iter(bad))):
        ingested(ws, tmp_path, 1).summary(**bad)
