"""Values as JSON has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any


def plain(value: Any) -> Any:
    """Return a text for a time or a word of ours, null for nan and infinity, and what mappings and lists hold likewise.

    Examples
    --------
    >>> plain({"at": date(2026, 11, 1), "values": (1.5, math.inf)})
    {'at': '2026-11-01', 'values': [1.5, None]}
    """
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value
