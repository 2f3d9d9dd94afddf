"""Lengths of time as users write them."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta

import numpy as np
import pandas as pd

from ator_lib.errors import UsageError

_DAYS = re.compile(r"(?<![a-zA-Z])d(?![a-zA-Z])")
"""pandas wants a capital D."""


def seconds_of(duration: str | float | timedelta, name: str, *, may_be_zero: bool = False) -> float:
    """Read a duration such as "500ms", "1min", "30d", or seconds.

    Raises
    ------
    UsageError
        It is none, or not above 0; the message calls it by ``name``.

    Examples
    --------
    >>> seconds_of("500ms", "interval"), seconds_of("1min", "interval"), seconds_of("30", "interval")
    (0.5, 60.0, 30.0)
    """
    try:
        seconds = _timedelta(duration).total_seconds()
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{name} {duration!r} is no duration: use such as '1s', '500ms', '1min', '30d' or seconds"
        ) from error
    if not (seconds > 0 or (may_be_zero and seconds == 0)):
        raise UsageError(f"{name} {duration!r} must be above 0")
    return float(seconds)


def _timedelta(duration: str | float | timedelta) -> pd.Timedelta:
    """Read it as pandas does, to which a number without a unit would be nanoseconds."""
    if isinstance(duration, int | float | np.number) and not isinstance(duration, bool | np.timedelta64):
        return pd.Timedelta(float(duration), unit="s")
    if isinstance(duration, str):
        with suppress(ValueError):
            return pd.Timedelta(float(duration), unit="s")
        return pd.Timedelta(_DAYS.sub("D", duration))
    return pd.Timedelta(duration)
