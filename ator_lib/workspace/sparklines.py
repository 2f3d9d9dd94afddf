"""The course of each endpoint in a few points: small pictures for a table."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.errors import UsageError

_Counts: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
_Seconds: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

_MOST_POINTS = 1000
_COUNTS = ("requests", "failures")
_HIGHEST = ("p50_ms", "p95_ms", "p99_ms", "max_ms")
METRICS = (*_COUNTS, "throughput_rps", "error_rate", "mean_ms", *_HIGHEST)
"""What can be drawn."""


def sparklines(timeline: pa.Table, points: int, metric: str) -> pd.DataFrame:
    """Give a row per endpoint of ``schema.TIMELINE`` by name and method, the total last; ``values`` from first to last.

    Raises
    ------
    UsageError
        Another metric, or no possible number of points.
    """
    if metric not in METRICS:
        raise UsageError(f"there is no course of {metric!r}: there are {', '.join(METRICS)}")
    if type(points) is not int or not 1 <= points <= _MOST_POINTS:
        raise UsageError(f"points={points!r} is not possible: give a whole number from 1 to {_MOST_POINTS:,}")
    if not timeline.num_rows:
        return pd.DataFrame(columns=["name", "method", "scope", "values"])
    place, lengths_s = _places(timeline, points)
    drawn = _points(timeline.append_column("place", pa.array(place)), metric, lengths_s)
    courses: dict[tuple[str | None, str | None], list[float | None]] = {}
    nothing = 0.0 if metric in (*_COUNTS, "throughput_rps") else None
    for row in drawn.select(["name", "method", "place", "value"]).to_pylist():
        course = courses.setdefault((row["name"], row["method"]), [nothing] * len(lengths_s))
        course[row["place"]] = nothing if row["value"] is None else row["value"]
    rows = [
        {"name": name, "method": method, "scope": "total" if name is None else "name", "values": courses[name, method]}
        for name, method in sorted(courses, key=lambda key: (key[0] is None, key[0] or "", key[1] or ""))
    ]
    return pd.DataFrame(rows)


def _places(timeline: pa.Table, points: int) -> tuple[_Counts, _Seconds]:
    """Say which point each row belongs to, and how long the time of each point is.

    There are no more points than intervals, and some have one interval more than others. The usual length of an
    interval counts: a tool's last one may be shorter.
    """
    starts_us = timeline["interval_start"].cast(pa.int64()).to_numpy()
    interval_s = float(np.median(timeline["interval_s"].to_numpy()))
    steps = np.rint((starts_us - starts_us.min()) / (interval_s * 1e6)).astype(np.int64)
    intervals = int(steps.max()) + 1
    count = min(points, intervals)
    begins = -(-np.arange(count + 1) * intervals // count)  # of each point, the number of its first interval
    return steps * count // intervals, np.diff(begins) * interval_s


def _points(binned: pa.Table, metric: str, lengths_s: _Seconds) -> pa.Table:
    requests = binned["requests"].cast(pa.float64())
    if metric == "mean_ms":
        binned = binned.append_column("weighted", pc.multiply(requests, binned["mean_ms"]))
    wanted = [("requests", "sum"), ("failures", "sum"), ("weighted" if metric == "mean_ms" else "max_ms", "sum")]
    wanted += [(column, "max") for column in _HIGHEST]
    groups = binned.group_by(["name", "method", "place"]).aggregate(wanted)
    total = groups["requests_sum"].cast(pa.float64())
    known = pc.if_else(pc.greater(total, 0), total, None)
    if metric in _COUNTS:
        value = groups[f"{metric}_sum"].cast(pa.float64())
    elif metric == "throughput_rps":
        value = pc.divide(total, pa.array(lengths_s[groups["place"].to_numpy()]))
    elif metric == "error_rate":
        value = pc.divide(groups["failures_sum"].cast(pa.float64()), known)
    elif metric == "mean_ms":
        value = pc.divide(groups["weighted_sum"], known)
    else:
        value = groups[f"{metric}_max"]
    return groups.append_column("value", value)
