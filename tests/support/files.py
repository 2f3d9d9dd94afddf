"""Files of synthetic samples: made up for the tests, measured by no tool."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv

START = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)


def synthetic_csv(path: Path, durations_ms: Iterable[float] = (10.0, 20.0, 30.0), *, failures: int = 0) -> Path:
    """Write a CSV of requests a second apart, the last ``failures`` of them failed; returns its path."""
    durations = list(durations_ms)
    rows = len(durations)
    columns = {
        "started_at": [(START + timedelta(seconds=row)).isoformat() for row in range(rows)],
        "duration_ms": durations,
        "name": [f"/synthetic/{row % 2}" for row in range(rows)],
        "success": [row < rows - failures for row in range(rows)],
    }
    csv.write_csv(pa.table(columns), str(path))
    return path
