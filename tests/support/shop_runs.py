"""Runs of a made-up shop, ingested from files that are written for it: enough for comparisons and trends.

Nothing here was measured: every run is marked synthetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv

import ator_lib as ator

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
    slowed = {"/search": 1.5} if number >= SLOWER_FROM else {}
    _write(path, _START + timedelta(days=number), number, slowed)
    run = ws.ingest(
        path,
        test=TEST,
        stream="main",
        location="lab-1",
        environment="synthetic",
        tags=["synthetic"],
        attributes={"synthetic": True, "git_commit": f"c0ffee{number}"},
    )
    return run.run_id


def _write(path: Path, start: datetime, seed: int, slowed: Mapping[str, float]) -> None:
    """Write a run: lognormal durations, a run-to-run shift of 1 %, and a few failed orders."""
    generator = np.random.default_rng(seed)
    shift = np.exp(generator.normal(0, 0.01))
    names = np.repeat(list(MEDIANS_MS), _REQUESTS)
    medians = np.array([MEDIANS_MS[name] * slowed.get(name, 1.0) for name in names])
    at_s = generator.uniform(0, _SECONDS, len(names))
    failed = (names == "/orders") & (generator.random(len(names)) < 0.004)
    columns = {
        "started_at": [(start + timedelta(seconds=float(second))).isoformat() for second in at_s],
        "duration_ms": medians * shift * generator.lognormal(0, 0.3, len(names)),
        "name": names,
        "method": np.repeat("GET", len(names)),
        "status_code": np.where(failed, 503, 200),
        "success": ~failed,
        "error": np.where(failed, "<b>no such order</b>", ""),
    }
    csv.write_csv(pa.table(columns), str(path))
