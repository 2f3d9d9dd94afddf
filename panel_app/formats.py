"""How values are written for people. Everything missing (``None``, NaN, NaT) is an en dash."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pandas as pd

MISSING = "–"

Number = float | int | Decimal


def is_missing(value: Any) -> bool:
    """Whether there is no value: ``None``, NaN, NaT or an empty text."""
    return bool(pd.api.types.is_scalar(value) and pd.isna(value)) or value == ""


def text(value: Any) -> str:
    """Write any value as it is."""
    return MISSING if is_missing(value) else str(value)


def count(value: Number | None) -> str:
    """Write a whole number, its thousands apart by narrow spaces that do not break: ``12 480``."""
    return MISSING if is_missing(value) else f"{value:,.0f}".replace(",", "\u202f")


def decimal(value: Number | None) -> str:
    """Write a decimal without needless zeros: ``0.4``, ``1``."""
    return MISSING if is_missing(value) else f"{Decimal(str(value)).normalize():f}"


def rate(value: Number | None) -> str:
    """Write requests per second: one place below a hundred, none above."""
    if is_missing(value) or value is None:
        return MISSING
    return f"{value:.1f}" if value < 99.95 else count(value)


def milliseconds(value: Number | None) -> str:
    """Write a latency in ms: three significant digits below a hundred, whole numbers above."""
    if is_missing(value) or value is None:
        return MISSING
    if value >= 99.95:
        return count(value)
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def percent(share: Number | None) -> str:
    """Write a share of 1 in percent; what is above 0 never reads as 0."""
    if is_missing(share) or share is None:
        return MISSING
    if share in (0, 1):
        return f"{share * 100:.0f} %"
    if 0 < share < 0.0001:
        return "< 0.01 %"
    return f"{share * 100:.2f} %" if 0 < share < 0.01 else f"{share * 100:.1f} %"


def moment(value: datetime | None) -> str:
    """Write a time in UTC to the second; pages say that it is UTC."""
    if is_missing(value) or value is None:
        return MISSING
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: Number | None) -> str:
    """Write ``42 s``, ``3 min 05 s``, ``2 h 07 min``, ``3 d 4 h``."""
    if is_missing(seconds) or seconds is None:
        return MISSING
    if 0 <= seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = max(0, round(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60:02d} min"
    return f"{minutes} min {whole % 60:02d} s" if minutes else f"{whole} s"
