"""How long the intervals of a timeline are, and how many of them a figure can show."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.schema import TIMELINE

MOST = 300
"""More intervals than this are a smear of lines on a screen."""

_SHORT_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
_LENGTHS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_HIGHEST = ("mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms", "users")
_ENOUGH = 20
"""Requests in an interval, below which it says little of a 95th percentile."""
_SUMS = ("requests", "failures", "interval_s")


def readable_s(duration_s: float, *, throughput_rps: float = 0.0) -> float:
    """Return the shortest usual interval that cuts a run of this length into at most ``MOST`` parts.

    Intervals below a second are used where enough requests lie in one, by the throughput.

    Examples
    --------
    >>> readable_s(30), readable_s(8 * 3600), readable_s(10, throughput_rps=500), readable_s(10, throughput_rps=5)
    (1.0, 120.0, 0.05, 1.0)
    """
    short = (s for s in _SHORT_S if s * throughput_rps >= _ENOUGH)
    return float(next((s for s in (*short, *_LENGTHS_S) if duration_s <= s * MOST), _LENGTHS_S[-1]))


def spelled(seconds: float) -> str:
    """Write the length of an interval.

    Examples
    --------
    >>> spelled(0.5), spelled(90), spelled(120)
    ('500 ms', '90 s', '2 min')
    """
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s" if seconds >= 1 else f"{seconds * 1000:g} ms"


def merged(timeline: pa.Table) -> tuple[pa.Table, float | None]:
    """Merge neighbours where there are more intervals than a figure can show.

    Requests are added up. Percentiles can be neither added nor averaged: the latencies (and users) of an interval
    are the highest of those that it is made of.

    Returns
    -------
    tuple[pa.Table, float | None]
        ``schema.TIMELINE``, and the length of its intervals in seconds; null for one that was left as it is.
    """
    extent = pc.min_max(timeline["interval_start"].cast(pa.int64())).as_py()
    # one more than fits: of the first and the last only a part lies in the run
    if extent["min"] is None or pc.count_distinct(timeline["interval_start"]).as_py() <= MOST + 1:
        return timeline, None
    width_s = readable_s((extent["max"] - extent["min"]) / 1e6 + pc.max(timeline["interval_s"]).as_py())
    width = pa.scalar(int(width_s * 1e6), pa.int64())
    bins = pc.multiply(pc.divide(timeline["interval_start"].cast(pa.int64()), width), width)
    binned = timeline.set_column(0, "interval_start", bins.cast(timeline.schema.field("interval_start").type))
    wanted = [*((name, "sum") for name in _SUMS), *((name, "max") for name in _HIGHEST)]
    groups = binned.group_by(["interval_start", "name", "method"]).aggregate(wanted)
    groups = groups.rename_columns([name.removesuffix("_sum").removesuffix("_max") for name in groups.column_names])
    rate = pc.divide(groups["requests"].cast(pa.float64()), groups["interval_s"])
    return groups.append_column("throughput_rps", rate).select(TIMELINE.names).cast(TIMELINE), width_s
