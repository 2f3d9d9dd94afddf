"""What a run is compared with: earlier runs like it, found in the history."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.csv as csv
import pytest

from ator_lib.errors import NoBaselineError, NotFoundError, UsageError
from ator_lib.workspace.baselines import found_by, search_of
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.run import RunHandle
from ator_lib.workspace.workspace import Workspace
from tests.support.files import START, synthetic_csv

pytestmark = pytest.mark.parametrize("parts", ["sqlite"], indirect=True)


@pytest.fixture
def ws(parts: Parts) -> Workspace:
    """A workspace of its own."""
    return Workspace(parts)


@pytest.fixture
def day(ws: Workspace, tmp_path: Path):
    """Make a finished run of that day with a few synthetic requests."""

    def made(number: int, *, status: str = "success", **identity: Any) -> RunHandle:
        file = synthetic_csv(tmp_path / f"{number}-{len(list(tmp_path.iterdir()))}.csv", [10.0 + number] * 30)
        table = csv.read_csv(file).to_pandas()
        table["started_at"] += timedelta(days=number)
        if status != "success":
            table["success"] = False
        table.to_csv(file, index=False)
        return ws.ingest(file, **{"test": "checkout", "stream": "main", **identity})

    return made


def baseline_ids(ws: Workspace, contender: RunHandle, baseline: Any = "previous") -> list[int]:
    search = search_of(baseline)
    assert search is not None
    return [run.run_id for run in found_by(ws.parts, search, [contender.record])]


def test_previous_is_the_last_earlier_run_like_it(ws: Workspace, day: Any) -> None:
    """Like it are runs of the same test, stream, environment and location; a later start does not count."""
    wanted = day(1, environment="staging", location="lab-1")
    for other in ({"test": "search"}, {"stream": "Main"}, {"environment": "prod"}, {"location": None}):
        day(2, **{"environment": "staging", "location": "lab-1", **other})
    contender = day(3, environment="staging", location="lab-1")
    day(4, environment="staging", location="lab-1")
    assert baseline_ids(ws, contender) == [wanted.run_id]


def test_previous_of_runs_that_say_little(ws: Workspace, day: Any) -> None:
    """A missing stream is a value like another one: runs of a stream are not like a run of none."""
    wanted = day(1, stream=None)
    day(2)
    assert baseline_ids(ws, day(3, stream=None)) == [wanted.run_id]


def test_several_earlier_runs(ws: Workspace, day: Any) -> None:
    """`previous:2` are the last two, `last-success:2` the last two that succeeded; fewer are taken as they are."""
    first, second, failed, contender = day(1), day(2), day(3, status="failure"), day(4)
    assert baseline_ids(ws, contender) == [failed.run_id]
    assert baseline_ids(ws, contender, "previous:2") == [failed.run_id, second.run_id]
    assert baseline_ids(ws, contender, "last-success") == [second.run_id]
    assert baseline_ids(ws, contender, "last-success:9") == [second.run_id, first.run_id]


def test_a_window_of_the_history(ws: Workspace, day: Any) -> None:
    """A mapping searches as the history does; what it names may differ from the contender's."""
    runs = [day(number) for number in range(1, 5)]
    contender = day(9, stream="feature")
    assert baseline_ids(ws, contender, {"stream": "main", "last": 3}) == [run.run_id for run in reversed(runs[1:])]
    since = (START + timedelta(days=2, hours=-1)).isoformat()
    until = (START + timedelta(days=3, hours=1)).isoformat()
    window = {"stream": "m%", "last": 9, "since": since, "until": until}
    assert baseline_ids(ws, contender, window) == [runs[2].run_id, runs[1].run_id]


def test_several_contenders_have_one_previous_run(ws: Workspace, day: Any) -> None:
    """It is before the first of them, whatever their order."""
    before, first, second = day(1), day(2), day(3)
    assert ws.compare([second, first]).parameters["baseline"] == [before.run_id]


def test_runs_without_requests_are_no_baseline(ws: Workspace, day: Any) -> None:
    """Neither registered ones that were never measured, nor running ones."""
    before = day(1)
    ws.complete(ws.register(test="checkout", stream="main"), "success")
    ws.register(test="checkout", stream="main")
    assert baseline_ids(ws, day(400)) == [before.run_id]


def test_runs_of_unknown_start_follow_by_number(ws: Workspace, tmp_path: Path) -> None:
    """Files without times make such runs; the one that was ingested before is the previous one."""

    def timeless(number: int) -> RunHandle:
        file = tmp_path / f"{number}.csv"
        file.write_text("duration_ms,name,success\n" + "".join(f"{number + i},/a,true\n" for i in range(30)))
        return ws.ingest(file, test="t")

    first, second = timeless(1), timeless(2)
    assert baseline_ids(ws, second) == [first.run_id]
    with pytest.raises(NoBaselineError):
        ws.compare(first)


def test_no_run_to_compare_with(ws: Workspace, day: Any) -> None:
    """The error says what was looked for and what to do; it is told apart from a run that does not exist."""
    contender = day(1)
    with pytest.raises(NoBaselineError, match=r"no run with requests before run 1 has test 'checkout'.*pin a baseline"):
        ws.compare(contender)
    with pytest.raises(NotFoundError, match="no run 77"):
        ws.compare(contender, 77)
    with pytest.raises(NotFoundError, match="no baseline 'release'"):
        ws.compare(contender, "release")


def test_a_deleted_baseline_is_told(ws: Workspace, day: Any) -> None:
    """A run that somebody deleted is not silently another one."""
    gone, contender = day(1), day(2)
    ws.delete(gone)
    with pytest.raises(NotFoundError, match=f"no run {gone.run_id}"):
        ws.compare(contender, gone.run_id)


def test_bad_searches(ws: Workspace, day: Any) -> None:
    """They are refused in words, before anything is compared."""
    contender = day(2)
    for baseline in ("previous:", "previous:x", "last-success:0", {"last": 0}, {"last": "3"}, {"a": 1}):
        with pytest.raises(UsageError, match=r"baseline|filter"):
            ws.compare(contender, baseline)


def test_side_by_side(ws: Workspace, day: Any) -> None:
    """Each run against the first, or against a baseline; the same figures as each comparison alone."""
    runs = [day(number) for number in range(1, 5)]
    answer = ws.side_by_side(runs)
    assert list(answer.verdicts) == [run.run_id for run in runs[1:]]
    alone = ws.compare(runs[2], runs[0])
    assert answer.verdicts[runs[2].run_id] == alone.verdict
    table = answer.table
    own = table[table.run_id == runs[2].run_id].drop(columns="run_id").reset_index(drop=True)
    assert own[["name", "metric", "contender", "change"]].equals(alone.table[["name", "metric", "contender", "change"]])
    assert list(ws.side_by_side(runs[2:], "previous").verdicts) == [3, 4]
    assert len(answer.figure("p50_ms").data) == 3
    assert f"run {runs[3].run_id}" in answer._repr_html_()


def test_side_by_side_needs_two_runs(ws: Workspace, day: Any) -> None:
    """One run is beside nothing; a metric that is not compared cannot be drawn."""
    first, second = day(1), day(2)
    with pytest.raises(UsageError, match="two runs or more"):
        ws.side_by_side([first])
    with pytest.raises(UsageError, match="no metric 'p42_ms'"):
        ws.side_by_side([first, second]).figure("p42_ms")
