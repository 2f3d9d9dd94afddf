"""What moved between real runs of known truth: taken in from files, read back from the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import update

from ator_lib.sql.engine import write
from ator_lib.sql.tables import test_executions
from ator_lib.workspace.connect import connect
from ator_lib.workspace.explanation import Explanation
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.run import RunHandle
from ator_lib.workspace.workspace import Workspace
from tests.support.racing import set_end

START = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
TRUTH = {
    "/a": {"requests": 500, "connect": 2.0, "wait": 40.0, "rest": 3.0},
    "/b": {"requests": 300, "connect": 2.0, "wait": 80.0, "rest": 3.0},
    "/c": {"requests": 200, "connect": 2.0, "wait": 20.0, "rest": 3.0},
}
Truths = Mapping[str, Mapping[str, float]]


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace that tests share: the same requests, taken in again, are the same run."""
    return connect(tmp_path_factory.mktemp("explained") / "data")


@pytest.fixture
def empty(empty_data: Path) -> Workspace:
    """A workspace of its own, for tests of what else ran at a location."""
    return connect(empty_data)


def changed(**values: Mapping[str, float]) -> Truths:
    """The truth with another endpoint ``/b``, say."""
    return {name: {**facts, **values.get(name[1:], {})} for name, facts in TRUTH.items()}


def taken_in(
    ws: Workspace, truths: Truths, *, at_min: float = 0, seed: int = 1, phases: bool = True, **facts: Any
) -> RunHandle:
    """Make a minute of synthetic requests, write them as Parquet, and ingest the file."""
    rng = np.random.default_rng(seed)
    tables = [_requests(name, rng, START + timedelta(minutes=at_min), **values) for name, values in truths.items()]
    table = pa.concat_tables(tables)
    path = ws.data / f"synthetic-{seed}-{at_min}.parquet"
    pq.write_table(table if phases else table.drop_columns(["connect_ms", "ttfb_ms"]), path)
    return ws.ingest(path, **{"test": "shop", "location": "lab-1"} | facts)


def _requests(
    name: str,
    rng: np.random.Generator,
    start: datetime,
    *,
    requests: int,
    connect: float,
    wait: float,
    rest: float,
    failed: float = 0.0,
) -> pa.Table:
    at_us = rng.uniform(0, 60e6, requests).astype(int)
    answered = connect + wait * rng.lognormal(0, 0.2, requests)
    fails = rng.random(requests) < failed
    return pa.table(
        {
            "started_at": pa.array(int(start.timestamp() * 1e6) + at_us, pa.timestamp("us", tz="UTC")),
            "duration_ms": answered + rest,
            "name": pa.array([name] * requests),
            "method": pa.array(["GET"] * requests),
            "status_code": pa.array(np.where(fails, 503, 200), pa.int16()),
            "success": ~fails,
            "connect_ms": np.full(requests, connect),
            "ttfb_ms": answered,
        }
    )


def part(explanation: Explanation, kind: str, name: str, measure: str = "mean_ms") -> pd.Series:
    """One row of the table."""
    table = explanation.table
    (row,) = table[(table.measure == measure) & (table.kind == kind) & (table.part == name)].iloc
    return row


def assert_adds_up(explanation: Explanation) -> None:
    """Each kind is the whole change once more."""
    whole = explanation.moved.set_index("measure").difference
    sums = explanation.table.groupby(["measure", "kind"]).contribution.sum()
    for (measure, _), total in sums.items():
        assert total == pytest.approx(whole[measure], abs=1e-9)


def test_the_endpoint_and_phase_that_moved_are_found(ws: Workspace) -> None:
    """Slower to the first byte by 40 % on one endpoint: it contributes nearly all, and connecting nothing."""
    before, after = taken_in(ws, TRUTH), taken_in(ws, changed(b={"wait": 112.0}), at_min=10, seed=2)
    comparison = ws.compare(after, before)
    explanation = comparison.explain()
    assert_adds_up(explanation)
    assert part(explanation, "endpoint", "GET /b").contribution == pytest.approx(0.3 * 32 * np.exp(0.02), rel=0.15)
    assert explanation.table.part[0] == "GET /b"
    assert part(explanation, "phase", "first byte").share == pytest.approx(1.0)
    assert part(explanation, "phase", "connect").contribution == 0
    assert "GET /b contributes +" in explanation.headline
    totals = comparison.table.query("scope == 'total' and metric == 'mean_ms'").iloc[0]
    assert tuple(explanation.moved.loc[0, ["baseline", "contender"]]) == pytest.approx(
        (totals.baseline, totals.contender)
    )
    assert explanation.moved.set_index("measure").baseline["beyond_p95"] == pytest.approx(0.05, abs=1e-3)


def test_several_runs_a_side_are_put_together(ws: Workspace) -> None:
    """Each request counts the same, whichever run it is of."""
    before = [taken_in(ws, TRUTH, at_min=n, seed=n) for n in (1, 2, 3)]
    after = [taken_in(ws, changed(a={"connect": 22.0}), at_min=n, seed=n) for n in (11, 12)]
    explanation = ws.compare(after, before, warm_up=0).explain()
    assert_adds_up(explanation)
    assert part(explanation, "phase", "connect").contribution == pytest.approx(10.0)
    assert part(explanation, "endpoint phase", "GET /a · connect").contribution == pytest.approx(10.0)
    requests = [run.summary().query("scope == 'name'").set_index("name") for run in before]
    pooled = sum(r.loc["/a", "mean_ms"] * r.loc["/a", "requests"] for r in requests) / 1500
    assert part(explanation, "endpoint", "GET /a").baseline == pytest.approx(pooled)


def test_the_warm_up_that_the_comparison_leaves_out_is_left_out_here_too(ws: Workspace) -> None:
    """The figures of the whole are the comparison's."""
    before, after = taken_in(ws, TRUTH), taken_in(ws, changed(b={"wait": 112.0}), at_min=10, seed=2)
    comparison = ws.compare(after, before, warm_up=20)
    total = comparison.table.query("scope == 'total' and metric == 'mean_ms'").iloc[0]
    moved = comparison.explain().moved.iloc[0]
    assert (moved.baseline, moved.contender) == pytest.approx((total.baseline, total.contender))
    assert moved.baseline != pytest.approx(before.summary().iloc[-1].mean_ms, rel=1e-6)


def test_requests_that_went_elsewhere_are_mix(ws: Workspace) -> None:
    """Twice as many to the slow endpoint, as fast as before."""
    before = taken_in(ws, TRUTH)
    after = taken_in(ws, changed(b={"requests": 600}, a={"requests": 200}), at_min=10, seed=2)
    explanation = ws.compare(after, before).explain()
    assert_adds_up(explanation)
    sums = explanation.table.query("measure == 'mean_ms' and kind == 'endpoint'")[["own", "mix"]].sum()
    assert sums.mix > 10
    assert abs(sums.own) < 1.5
    assert part(explanation, "phase", "mix of endpoints").contribution == pytest.approx(sums.mix)


def test_failures_are_told_by_status(ws: Workspace) -> None:
    """A tenth of one endpoint's requests failed: the error rate is that endpoint's, and that status'."""
    before, after = taken_in(ws, TRUTH), taken_in(ws, changed(b={"failed": 0.1}), at_min=10, seed=2)
    explanation = ws.compare(after, before).explain()
    assert_adds_up(explanation)
    assert part(explanation, "status", "503, failed", "error_rate").share == pytest.approx(1.0)
    assert part(explanation, "endpoint", "GET /b", "error_rate").share == pytest.approx(1.0)


@pytest.mark.parametrize("parts", ["sqlite", "postgres with results"], indirect=True)
def test_purged_runs_are_explained_as_far_as_they_can_be(parts: Parts) -> None:
    """The same contributions of the endpoints and times; phases and statuses are gone, and it is said."""
    ws = Workspace(parts)
    before, after = taken_in(ws, TRUTH), taken_in(ws, changed(b={"wait": 112.0}), at_min=10, seed=2)
    whole = ws.compare(after, before, warm_up=0).explain()
    for run in (before, after):
        set_end(ws.parts, run.run_id, datetime(2020, 1, 31, tzinfo=UTC))
    ws.purge("30d")
    rest = ws.compare(after, before, warm_up=0).explain()
    assert_adds_up(rest)
    for name in ("GET /a", "GET /b", "GET /c"):
        assert part(rest, "endpoint", name).own == pytest.approx(part(whole, "endpoint", name).own)
        beyond = [part(e, "endpoint", name, "beyond_p95").contribution for e in (whole, rest)]
        assert beyond[1] == pytest.approx(beyond[0], abs=0.005)
    assert set(rest.table[rest.table.measure == "mean_ms"].kind) == {"endpoint", "time"}
    assert any("no samples" in note for note in rest.notes)


def test_sources_without_phases_say_so(ws: Workspace) -> None:
    """Nothing is made of what was not measured."""
    before, after = taken_in(ws, TRUTH, phases=False), taken_in(ws, TRUTH, phases=False, at_min=10, seed=2)
    explanation = ws.compare(after, before).explain()
    assert not {"phase", "endpoint phase"} & set(explanation.table.kind)
    assert any("Phases of requests" in note for note in explanation.notes)


def test_one_sample_and_failures_alone(ws: Workspace) -> None:
    """The smallest runs there are: figures that add up, and no exception."""
    one = {"/a": {**TRUTH["/a"], "requests": 1}}
    before, after = taken_in(ws, one), taken_in(ws, {"/a": {**one["/a"], "failed": 1.0}}, at_min=10, seed=2)
    explanation = ws.compare(after, before).explain()
    assert_adds_up(explanation)
    assert part(explanation, "status", "503, failed", "error_rate").contribution == 1.0
    assert explanation.figure("error_rate").data


def test_no_endpoint_in_common(ws: Workspace) -> None:
    """All of it is mix, and both sides' endpoints are named."""
    before = taken_in(ws, {"/old": TRUTH["/a"]})
    explanation = ws.compare(taken_in(ws, {"/new": TRUTH["/b"]}, at_min=10, seed=2), before).explain()
    assert_adds_up(explanation)
    assert (explanation.table.own[explanation.table.kind == "endpoint"] == 0).all()
    assert sum("alone: GET /" in note for note in explanation.notes) == 2


def test_a_tool_s_own_summary_is_enough_for_the_endpoints(ws: Workspace) -> None:
    """Of a run that never had samples."""
    runs = [ws.ingest(_k6_summary(ws.data / f"k6-{n}.json", mean), test="k6") for n, mean in ((1, 20.0), (2, 30.0))]
    explanation = ws.compare(runs[1], runs[0]).explain()
    assert_adds_up(explanation)
    assert explanation.moved.difference[0] == pytest.approx(10.0)


def _k6_summary(path: Path, mean: float) -> Path:
    latency = {"avg": mean, "min": 1, "med": mean, "max": 90, "p(90)": 50, "p(95)": 60}
    metrics = {
        "http_req_duration": {"type": "trend", "contains": "time", "values": latency},
        "http_reqs": {"type": "counter", "contains": "default", "values": {"count": 600, "rate": 10}},
        "http_req_failed": {"type": "rate", "contains": "default", "values": {"rate": 0, "passes": 0, "fails": 600}},
    }
    root = {"name": "", "path": "", "groups": [], "checks": []}
    path.write_text(json.dumps({"root_group": root, "state": {"testRunDurationMs": 60000}, "metrics": metrics}))
    return path


def test_other_tests_of_the_location_that_moved_too(empty: Workspace) -> None:
    """Their last run before and after; tests elsewhere, with one run only, or cut short are left out."""
    slower = {name: {**facts, "wait": 1.5 * facts["wait"]} for name, facts in TRUTH.items()}
    earlier = taken_in(empty, TRUTH, at_min=-20, seed=3, test="search")
    before = taken_in(empty, TRUTH)
    later = taken_in(empty, slower, at_min=5, seed=4, test="search")
    taken_in(empty, slower, at_min=6, seed=5, test="lonely")
    taken_in(empty, TRUTH, at_min=-20, seed=6, test="far", location="lab-2")
    taken_in(empty, slower, at_min=6, seed=7, test="far", location="lab-2")
    taken_in(empty, TRUTH, at_min=-20, seed=8, test="cancelled")
    cancelled = taken_in(empty, slower, at_min=6, seed=9, test="cancelled")
    with write(empty.parts.engine) as connection:
        of_it = test_executions.c.run_id == cancelled.run_id
        connection.execute(update(test_executions).where(of_it).values(status="cancelled"))
    explanation = empty.compare(taken_in(empty, slower, at_min=10, seed=2), before).explain()
    (move,) = explanation.moves.to_dict("records")
    assert (move["test"], move["previous_run_id"], move["run_id"]) == ("search", earlier.run_id, later.run_id)
    assert move["change"] == pytest.approx(0.45, abs=0.1)
    assert any("Of 1 other test at lab-1, 1 moved" in note for note in explanation.notes)


def test_runs_that_overlapped_are_facts(empty: Workspace) -> None:
    """Half a minute of another test beside the contender; nobody beside the baseline."""
    before, after = taken_in(empty, TRUTH), taken_in(empty, TRUTH, at_min=10, seed=2)
    other = taken_in(empty, TRUTH, at_min=10.5, seed=3, test="search")
    explanation = empty.compare(after, before).explain()
    (row,) = explanation.overlaps.to_dict("records")
    assert (row["side"], row["run_id"], row["other_run_id"]) == ("contender", after.run_id, other.run_id)
    assert row["seconds"] == pytest.approx(30, abs=2)
    assert f"At the same location during the contender: run {other.run_id} (search)." in explanation.notes
    assert "run 3" in explanation._repr_html_()


def test_it_shows_itself_in_a_notebook(ws: Workspace) -> None:
    """The headline, a table for each way of taking the mean apart, and the notes; names are no markup."""
    before = taken_in(ws, TRUTH | {"/<b>x": TRUTH["/a"]})
    after = taken_in(ws, changed(b={"wait": 112.0}) | {"/<b>x": TRUTH["/a"]}, at_min=10, seed=2)
    explanation = ws.compare(after, before).explain()
    shown = explanation._repr_html_()
    assert "GET /b contributes" in shown
    assert "GET /&lt;b&gt;x" in shown
    assert "<b>x" not in shown
    assert repr(explanation) == f"Explanation({explanation.headline!r})"
    assert explanation.to_dict()["headline"] == explanation.headline
