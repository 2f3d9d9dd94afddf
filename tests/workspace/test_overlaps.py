"""What else ran at a run's location meanwhile, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ator_lib as ator
from tests.support.histories import add_run

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ran(ws: ator.Workspace, start: float, end: float, **more: Any) -> int:
    """Add a run from minute ``start`` to ``end`` after noon."""
    times = {"start_time": NOON + timedelta(minutes=start), "end_time": NOON + timedelta(minutes=end)}
    return add_run(ws.parts.engine, {}, **{"location": "lab-1", **times, **more})


def test_overlaps_say_for_how_long_and_how_much_of_the_run(tmp_path: Path) -> None:
    """By start, without those elsewhere or at another time."""
    ws = ator.connect(tmp_path)
    run = ran(ws, 10, 20)
    ran(ws, 12, 18, location="lab-2")
    ran(ws, 20, 30)
    late, early = ran(ws, 15, 30, test="late", stream="main", factor=None), ran(ws, 0, 11)
    frame = ws.get(run).overlaps()
    assert list(frame["run_id"]) == [early, late]
    assert list(frame["overlap_s"]) == [60.0, 300.0]
    assert list(frame["share"]) == [0.1, 0.5]
    assert (frame["test"].iloc[1], frame["stream"].iloc[1]) == ("late", "main")
    assert frame["start_time"].iloc[0] == NOON


def test_what_runs_all_the_time_overlaps_all_of_a_running_run(tmp_path: Path) -> None:
    """And no more: both end now."""
    ws = ator.connect(tmp_path)
    running = {"status": "running", "end_time": None}
    for minute in (0, 1):
        ran(ws, minute, 0, factor=None, **running)
    run = ws.get(ran(ws, 2, 0, factor=None, **running))
    assert list(run.overlaps()["share"]) == [1.0, 1.0]


def test_without_a_location_there_is_none(tmp_path: Path) -> None:
    """Nobody knows of any: a table without a row, and with its columns."""
    ws = ator.connect(tmp_path)
    frame = ws.get(ran(ws, 0, 10, location=None)).overlaps()
    assert list(frame.columns) == [
        *("run_id", "test", "stream", "factor", "start_time", "end_time", "overlap_s", "share"),
    ]
    assert frame.empty
