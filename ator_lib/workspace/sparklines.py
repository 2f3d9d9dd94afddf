"""The course of each endpoint in a few points: small pictures for a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.errors import UsageError

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
    place, length_s, count = _places(timeline, points)
    binned = timeline.append_column("place", pa.array(place))
    drawn = _points(binned, metric, length_s)
    courses: dict[tuple[str | None, str | None], list[float | None]] = {}
    nothing = 0.0 if metric in (*_COUNTS, "throughput_rps") else None
    for row in drawn.select(["name", "method", "place", "value"]).to_pylist():
        course = courses.setdefault((row["name"], row["method"]), [nothing] * count)
        course[row["place"]] = nothing if row["value"] is None else row["value"]
    rows = [
        {"name": name, "method": method, "scope": "total" if name is None else "name", "values": courses[name, method]}
        for name, method in sorted(courses, key=lambda key: (key[0] is None, key[0] or "", key[1] or ""))
    ]
    return pd.DataFrame(rows)


def _places(timeline: pa.Table, points: int) -> tuple[np.ndarray[Any, np.dtype[np.int64]], float, int]:
    """Say which point each row belongs to, how long a point's time is, and how many points there are.

    No more of them than there are intervals.
    """
    starts_us = timeline["interval_start"].cast(pa.int64()).to_numpy()
    begin_us, interval_s = starts_us.min(), pc.min(timeline["interval_s"]).as_py()
    whole_s = (starts_us.max() - begin_us) / 1e6 + interval_s
    count = max(min(points, round(whole_s / interval_s)), 1)
    places = ((starts_us - begin_us) / 1e6 * count / whole_s + 1e-9).astype(np.int64)
    return places.clip(0, count - 1), whole_s / count, count


def _points(binned: pa.Table, metric: str, length_s: float) -> pa.Table:
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
        value = pc.divide(total, length_s)
    elif metric == "error_rate":
        value = pc.divide(groups["failures_sum"].cast(pa.float64()), known)
    elif metric == "mean_ms":
        value = pc.divide(groups["weighted_sum"], known)
    else:
        value = groups[f"{metric}_max"]
    return groups.append_column("value", value)
