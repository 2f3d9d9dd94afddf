"""Runs of a made-up shop, ingested from files that are written for it: enough for comparisons and trends.

Nothing here was measured: every run is marked synthetic.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import ator_lib as ator
from tests.support.samples import ingest_samples

TEST = "shop"
SLOWER_FROM = 5
"""The first run whose search takes half as long again, from 0."""
RUNS = 8
MEDIANS_MS = {"/search": 40.0, "/products": 20.0, "/orders": 60.0}
_START = datetime(2026, 3, 1, 12, tzinfo=UTC)
_SECONDS = 40
_REQUESTS = 800


def ingest_shop_runs(ws: ator.Workspace, folder: Path) -> list[int]:
    """Ingest a run a day, the search slower from ``SLOWER_FROM`` on; returns their ids, oldest first."""
    return [_ingest(ws, folder / f"run_{number}.csv", number) for number in range(RUNS)]


def _ingest(ws: ator.Workspace, path: Path, number: int) -> int:
    slowed = {"/search": MEDIANS_MS["/search"] * 1.5} if number >= SLOWER_FROM else {}
    run = ingest_samples(
        ws,
        path,
        MEDIANS_MS | slowed,
        start=_START + timedelta(days=number),
        seed=number,
        seconds=_SECONDS,
        requests=_REQUESTS,
        failing="/orders",
        test=TEST,
        stream="main",
        location="lab-1",
        environment="synthetic",
        tags=["synthetic"],
        attributes={"git_commit": f"c0ffee{number}"},
    )
    return run.run_id
