"""Lengths of time as users write them."""

from __future__ import annotations

import re
from datetime import timedelta

import pandas as pd

from ator_lib.errors import UsageError

_DAYS = re.compile(r"(?<![a-zA-Z])d(?![a-zA-Z])")
"""pandas wants a capital D."""


def seconds_of(duration: str | float | timedelta, name: str) -> float:
    """Read a duration such as "500ms", "1min", "30d", or seconds.

    Raises
    ------
    UsageError
        It is none, or not above 0; the message calls it by ``name``.
    """
    given = _DAYS.sub("D", duration) if isinstance(duration, str) else duration
    try:
        seconds = pd.Timedelta(given, unit="s" if isinstance(given, int | float) else None).total_seconds()
    except ValueError as error:
        raise UsageError(
            f"{name} {duration!r} is no duration: use such as '1s', '500ms', '1min', '30d' or seconds"
        ) from error
    if not seconds > 0:
        raise UsageError(f"{name} {duration!r} must be above 0")
    return float(seconds)
