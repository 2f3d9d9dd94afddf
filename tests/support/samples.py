"""Files of samples that are made up for tests: nothing in them was measured.

A file is written quickly and ingested as any table of samples, so a store with real results costs no load.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv

import ator_lib as ator


def ingest_samples(
    ws: ator.Workspace,
    path: Path,
    medians_ms: Mapping[str, float],
    *,
    start: datetime,
    seed: int = 0,
    seconds: float = 20,
    requests: int = 100,
    failing: str | None = None,
    **identity: Any,
) -> ator.RunHandle:
    """Write the samples of a run, and make a finished run of them; ``identity`` is as ``ws.ingest`` takes it."""
    write_samples(path, medians_ms, start=start, seed=seed, seconds=seconds, requests=requests, failing=failing)
    attributes = {"synthetic": True, **identity.pop("attributes", {})}
    return ws.ingest(path, attributes=attributes, **identity)


def write_samples(
    path: Path,
    medians_ms: Mapping[str, float],
    *,
    start: datetime,
    seed: int = 0,
    seconds: float = 20,
    requests: int = 100,
    failing: str | None = None,
) -> None:
    """Write so many requests to each endpoint: lognormal durations, and a run-to-run shift of 1 %.

    The endpoint ``failing`` fails now and then, with an error that has HTML in it.
    """
    generator = np.random.default_rng(seed)
    shift = np.exp(generator.normal(0, 0.01))
    names = np.repeat(list(medians_ms), requests)
    medians = np.array([medians_ms[name] for name in names])
    at_s = generator.uniform(0, seconds, len(names))
    failed = (names == failing) & (generator.random(len(names)) < 0.004)
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
