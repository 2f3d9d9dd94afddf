"""Runs are judged once against their baselines, and everybody reads what they were judged to be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as csv
import pytest

from ator_lib.errors import StoreUnavailableError, UsageError
from ator_lib.results.parquet import ParquetStore
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.run import RunHandle
from ator_lib.workspace.verdicts import NO_BASELINE
from ator_lib.workspace.workspace import Workspace

pytestmark = pytest.mark.parametrize("parts", ["sqlite"], indirect=True)

Ingest = Callable[..., RunHandle]
ROWS = 600


@pytest.fixture
def ws(parts: Parts) -> Workspace:
    """A workspace of its own."""
    return Workspace(parts)


@pytest.fixture
def ingest(ws: Workspace, tmp_path: Path) -> Ingest:
    """Ingest a run of one endpoint that began so many days ago."""

    def made(days_ago: float, *, slower: float = 1.0, fails: bool = False, **identity: Any) -> RunHandle:
        number = len(list(tmp_path.glob("*.csv")))
        start = datetime.now(UTC) - timedelta(days=days_ago)
        columns = {
            "started_at": [(start + timedelta(seconds=row / 20)).isoformat() for row in range(ROWS)],
            "duration_ms": np.random.default_rng(number).lognormal(3, 0.2, ROWS) * slower,
            "name": ["/search"] * ROWS,
            "method": ["GET"] * ROWS,
            "success": [not fails] * ROWS,
        }
        path = tmp_path / f"{number}.csv"
        csv.write_csv(pa.table(columns), str(path))
        return ws.ingest(path, **{"test": "shop", "stream": "main", "environment": "synthetic", **identity})

    return made


def verdicts_of(ws: Workspace, **which: Any) -> dict[int, str | None]:
    frame = ws.verdicts(**which)
    words = (None if pd.isna(verdict) else verdict for verdict in frame.verdict)
    return dict(zip(frame.run_id, words, strict=True))


def baselines_of(ws: Workspace) -> dict[int, list[int]]:
    frame = ws.verdicts()
    return dict(zip(frame.run_id, frame.baseline_run_ids, strict=True))


def test_runs_are_judged_against_their_last_success(ws: Workspace, ingest: Ingest) -> None:
    """Each once; what has no earlier run is said to have none."""
    first, same, failed, slow = ingest(4), ingest(3), ingest(2, fails=True), ingest(1, slower=3)
    assert (ws.judge(), ws.judge()) == (4, 0)
    frame = ws.verdicts().set_index("run_id")
    assert list(frame.index) == [slow.run_id, failed.run_id, same.run_id, first.run_id]
    assert frame.baseline_run_ids.to_dict() == {
        slow.run_id: [same.run_id],
        failed.run_id: [same.run_id],
        same.run_id: [first.run_id],
        first.run_id: [],
    }
    assert (frame.verdict.isna()[first.run_id], frame.headline[first.run_id]) == (True, NO_BASELINE)
    assert frame.verdict[slow.run_id] == "regressed"
    comparison = ws.compare(slow, "last-success")
    assert frame.headline[slow.run_id] == comparison.headline
    change = frame.loc[slow.run_id, ["name", "metric", "change", "low", "high"]]
    assert change["name"] == "GET /search"
    loudest = comparison.table.set_index(["name", "metric"]).loc[("/search", change["metric"])]
    assert (change["change"], change["low"], change["high"]) == (loudest.effect, loudest.low, loudest.high)
    assert frame.loc[same.run_id, ["name", "metric", "change"]].isna().all()


def test_what_is_pinned_under_the_tests_name_is_the_baseline(ws: Workspace, ingest: Ingest) -> None:
    """Of runs that began later; pinning it, moving and removing it lets those be judged anew."""
    oldest, pinned, later, latest = (ingest(days).run_id for days in (5, 4, 3, 2))
    ws.judge()
    ws.baselines.pin("shop", pinned)
    assert ws.judge() == 2
    assert baselines_of(ws) == {oldest: [], pinned: [oldest], later: [pinned], latest: [pinned]}
    ws.baselines.pin("shop", oldest)
    assert ws.judge() == 3
    assert baselines_of(ws) == {oldest: [], pinned: [oldest], later: [oldest], latest: [oldest]}
    ws.baselines.pin("shop", later)
    assert ws.judge() == 3
    assert baselines_of(ws) == {oldest: [], pinned: [oldest], later: [pinned], latest: [later]}
    ws.baselines.remove("shop")
    ws.baselines.pin("another name", oldest)
    assert ws.judge() == 1
    assert baselines_of(ws)[latest] == [later]


def test_recent_runs_first_and_no_more_than_asked_for(ws: Workspace, ingest: Ingest) -> None:
    """Older ones than ``since`` are left to those who look at them."""
    ids = [ingest(days).run_id for days in (9, 3, 2, 1)]
    assert ws.judge(limit=2) == 2
    assert list(ws.verdicts().run_id) == [ids[3], ids[2]]
    assert ws.judge(since="36h") == 0
    assert ws.judge() == 1
    assert ws.judge(since=timedelta(days=30)) == 1
    for bad in ({"limit": -1}, {"limit": True}, {"since": "soon"}, {"since": 0}):
        with pytest.raises(UsageError):
            ws.judge(**bad)


def test_a_verdict_is_made_when_somebody_asks_for_it(ws: Workspace, ingest: Ingest) -> None:
    """And kept then; where nothing was compared, it is tried again the next time."""
    run = ingest(30)
    assert ws.verdict(run, judge=False) is None
    alone = ws.verdict(run)
    assert alone is not None
    assert ws.verdict(run, judge=False) == alone
    assert (alone.verdict, alone.baseline_run_ids, alone.headline) == (None, (), NO_BASELINE)
    earlier = ingest(31)
    judged = ws.verdict(run.run_id)
    assert judged is not None
    assert judged.baseline_run_ids == (earlier.run_id,)
    assert ws.verdict(run) == judged
    assert verdicts_of(ws) == {run.run_id: judged.verdict}


def test_runs_that_nobody_judges(ws: Workspace, tmp_path: Path) -> None:
    """Those that run, were cut short, or have no requests: null, and nothing is kept."""
    running, cancelled, empty = (ws.register(test="shop") for _ in range(3))
    cancelled.complete("cancelled")
    empty.complete("success")
    report = tmp_path / "junit.xml"
    report.write_text('<testsuite name="s" tests="1"><testcase name="a" classname="b" time="0.5"/></testsuite>')
    for run in (running, cancelled, empty, ws.ingest(report, test="functional")):
        assert ws.verdict(run) is None
    assert ws.judge() == 0
    assert ws.verdicts().empty


def test_a_run_that_cannot_be_compared_holds_no_other_up(ws: Workspace, ingest: Ingest, parts: Parts) -> None:
    """It is judged as that, in the words of what went wrong, and tried again when somebody looks at it."""
    first, second, broken, last = (ingest(days) for days in (4, 3, 2, 1))
    assert isinstance(parts.store, ParquetStore)
    folder = parts.data / "results" / str(broken._ingest_id())
    kept = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for path in kept:
        path.write_bytes(b"damaged")
    assert ws.judge() == 4
    assert ws.verdicts(verdict="not comparable").run_id.tolist() == [last.run_id, broken.run_id]
    said = ws.verdicts().set_index("run_id").headline[broken.run_id]
    assert said.startswith("not comparable: ")
    assert verdicts_of(ws)[second.run_id] not in (None, "not comparable")
    for path, content in kept.items():
        path.write_bytes(content)
    mended = ws.verdict(broken)
    assert mended is not None
    assert mended.baseline_run_ids == (second.run_id,)
    assert verdicts_of(ws)[first.run_id] is None


def test_runs_that_may_not_be_compared_are_said_to_be_so(ws: Workspace, ingest: Ingest) -> None:
    """By the comparison's own checks, and what they were compared with is kept."""
    pinned = ingest(3, test="other")
    ws.baselines.pin("shop", pinned.run_id)
    run = ingest(2)
    judged = ws.verdict(run)
    assert judged is not None
    assert (judged.verdict, judged.baseline_run_ids) == ("not comparable", (pinned.run_id,))
    assert judged.headline == ws.compare(run, pinned).headline


def test_two_who_judge_at_once(ws: Workspace, ingest: Ingest, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both come to the same; what the one kept the other keeps again."""
    ingest(2)
    run = ingest(1)
    from ator_lib.workspace import verdicts

    compare = verdicts.compare_runs

    def while_another_judges(*args: Any) -> Any:
        monkeypatch.setattr(verdicts, "compare_runs", compare)
        Workspace(parts).judge()
        return compare(*args)

    monkeypatch.setattr(verdicts, "compare_runs", while_another_judges)
    assert ws.judge() == 2
    assert len(ws.verdicts()) == 2
    assert ws.verdict(run) is not None


def test_a_database_that_is_away_is_no_verdict(ws: Workspace, ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and the run is judged later."""
    ingest(2)
    run = ingest(1)

    def away(*_: Any) -> Any:
        raise StoreUnavailableError("the database cannot be reached")

    with monkeypatch.context() as patch:
        patch.setattr("ator_lib.workspace.verdicts.compare_runs", away)
        with pytest.raises(StoreUnavailableError):
            ws.judge(limit=1)
    assert ws.verdicts().empty
    assert ws.judge() == 2
    assert verdicts_of(ws)[run.run_id] is not None


def test_verdicts_are_filtered(ws: Workspace, ingest: Ingest) -> None:
    """By test, time and verdict; an unknown word is told, and no run gives the same columns."""
    empty = ws.verdicts()
    old, slow = ingest(3), ingest(2, slower=3)
    ingest(1, test="search")
    ws.judge()
    assert verdicts_of(ws, test="shop", limit=1) == {slow.run_id: "regressed"}
    assert verdicts_of(ws, verdict=["regressed", "improved"]) == {slow.run_id: "regressed"}
    assert list(verdicts_of(ws, until=datetime.now(UTC) - timedelta(days=2.5))) == [old.run_id]
    frame = ws.verdicts()
    assert list(empty.columns) == list(frame.columns)
    assert isinstance(frame.start_time.dtype, pd.DatetimeTZDtype)
    for bad in ({"verdict": "worse"}, {"limit": 1.5}, {"since": "soon"}):
        with pytest.raises(UsageError):
            ws.verdicts(**bad)
