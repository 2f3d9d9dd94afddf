"""How a run did at each heartbeat, as a table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import fields

import pandas as pd

from ator_lib.errors import UsageError
from ator_lib.model import ProgressPoint


def points_frame(points: Iterable[ProgressPoint], *, from_start: bool) -> pd.DataFrame:
    """Give a row per point: elapsed_s, at, users, requests, failures, throughput_rps, p95_ms, error_rate.

    ``error_rate`` is that of the requests since the point before: null without any, and where that point is unknown
    since the rows do not begin at the start.
    """
    columns = [field.name for field in fields(ProgressPoint)]
    frame = pd.DataFrame([vars(point) for point in points], columns=columns)
    frame["at"] = pd.to_datetime(frame["at"], utc=True)
    counts = dict.fromkeys(("requests", "failures"), "int64")
    frame = frame.astype({"elapsed_s": float, "users": "Int64", **counts, "throughput_rps": float, "p95_ms": float})
    before = frame[["requests", "failures"]].shift(fill_value=0)
    requests, failures = frame["requests"] - before["requests"], frame["failures"] - before["failures"]
    frame["error_rate"] = (failures / requests).where((requests > 0) & (from_start | (frame.index > 0)))
    return frame


def checked_seconds(since_s: float | None) -> float | None:
    """Return the seconds, as Python's own number.

    Raises
    ------
    UsageError
        They are none, or below 0.
    """
    if since_s is None:
        return None
    try:
        seconds = float(since_s)  # also NumPy's
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not seconds >= 0:
        raise UsageError(f"since_s={since_s!r} is no number of seconds: give the elapsed_s of the last point known")
    return seconds
